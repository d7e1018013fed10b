"""What a kubelet tells of Pods, without running any: each is ready at once, and gone as soon as it is deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from podward.api.json_value import Json, JsonObject
from podward.client.api import Client, PatchKind
from podward.client.informer import Change, Informers
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

PODS = BY_PLURAL["", "v1", "pods"]


@asynccontextmanager
async def pretending(client: Client) -> AsyncIterator[None]:
    """Tell of all Pods but those whose image is `never`, as long as this lasts."""
    informers, tasks = Informers(client), set[asyncio.Task[None]]()
    seen: set[tuple[object, bool]] = set()

    def take(change: Change) -> None:
        pod = change.new
        if pod is None:
            return
        metadata = member(pod, "metadata")
        state = (metadata["uid"], metadata.get("deletionTimestamp") is not None)
        if state not in seen:
            seen.add(state)
            task = asyncio.create_task(_tell(client, pod))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    informers.of(PODS).listeners.append(take)
    await informers.start()
    try:
        yield
    finally:
        await informers.close()
        await asyncio.gather(*tasks)


async def _tell(client: Client, pod: JsonObject) -> None:
    metadata = member(pod, "metadata")
    namespace, name = str(metadata["namespace"]), str(metadata["name"])
    if metadata.get("deletionTimestamp") is not None:
        await client.delete(PODS, namespace, name, {"gracePeriodSeconds": 0})
        return
    if not member(pod, "spec").get("nodeName"):
        target: JsonObject = {"kind": "Node", "name": "n1"}
        binding: JsonObject = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": target}
        await client.create(PODS, namespace, binding, "binding", name)
    if '"never"' in repr(pod).replace("'", '"'):
        return
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions: list[Json] = [
        {"type": kind, "status": "True", "lastTransitionTime": now} for kind in ("Ready", "ContainersReady")
    ]
    status: JsonObject = {"phase": "Running", "startTime": now, "conditions": conditions}
    await client.patch(PODS, namespace, name, {"status": status}, PatchKind.STRATEGIC, "status")
