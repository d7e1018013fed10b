"""The volumes of a node's Pods beside a real API server: it is asked as `system:node:n1`; the engine is a real one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, cast

from msgspec import structs

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.connection import Connection
from podward.documents.raw_fields import member
from podward.node.volume_verbs import VERBS, learn
from podward.node.volumes import Volumes
from podward.runtime import machine
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers import engine
from podward.runtime.workers.client import EngineClient
from podward.schema.resources import BY_PLURAL

NODE = "n1"
MAPS, SECRETS, PODS, ACCOUNTS, NODES, CLAIMS, DISKS = (
    BY_PLURAL["", "v1", name]
    for name in (
        "configmaps",
        "secrets",
        "pods",
        "serviceaccounts",
        "nodes",
        "persistentvolumeclaims",
        "persistentvolumes",
    )
)
_NUMBERS = itertools.count()


class Here:
    """The node's volumes, with what they have told, and an administrator."""

    def __init__(self, admin: Client, volumes: Volumes, told: list[str], changed: list[str], directory: str) -> None:
        self.admin = admin
        self.volumes = volumes
        self.told = told
        self.changed = changed
        self.directory = directory

    async def pod(self, volumes: list[Json], **spec: Json) -> JsonObject:
        """A Pod that is bound to the node, each of its volumes mounted at /NAME."""
        mounts: list[Json] = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in volumes if isinstance(v, dict)]
        container: JsonObject = {"name": "ctr", "image": "none", "volumeMounts": mounts}
        metadata: JsonObject = {"name": f"p{next(_NUMBERS)}", "labels": {"app": "x"}}
        whole: JsonObject = {
            "automountServiceAccountToken": False,
            "volumes": volumes,
            "containers": [container],
            "nodeName": NODE,
            **spec,
        }
        return ok(await self.admin.create(PODS, "default", {"metadata": metadata, "spec": whole}))

    def at(self, pod: JsonObject, *steps: str) -> str:
        """A path in the Pod's directory."""
        return "/".join((self.directory, str(member(pod, "metadata")["uid"]), *steps))


def ok(answer: JsonObject | Status) -> JsonObject:
    """The object, which is no refusal."""
    assert not isinstance(answer, Status), answer
    return answer


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for it."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for is on the disk
            await asyncio.sleep(0.02)


def run(
    connection: Connection, directory: str, work: Callable[[Here], Awaitable[None]], *, mounts: bool = True
) -> None:
    """Do it with a node's volumes below `directory`."""
    learn()
    pid, control = engine.start(cast("RuntimeService", None), {verb.name: cast("Any", verb) for verb in VERBS})

    async def main() -> None:
        told: list[str] = []
        changed: list[str] = []
        who = (("Impersonate-User", f"system:node:{NODE}"), ("Impersonate-Group", "system:nodes"))
        admin, node = Client(connection, "test"), Client(structs.replace(connection, headers=who), "podward-node")
        volumes = Volumes(
            node,
            EngineClient(pid, control),
            machine.gather(),
            directory,
            record=lambda _, kind, reason, message: told.append(f"{kind} {reason} {message}"),
            changed=changed.append,
            mounts=mounts,
        )
        volumes.start()
        try:
            await work(Here(admin, volumes, told, changed, directory))
        finally:
            await volumes.close()
            await admin.close()
            await node.close()

    try:
        asyncio.run(main())
    finally:
        control.close()
