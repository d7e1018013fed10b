"""Controllers at work in this process, for a real API server; and what tests ask of it meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import ModuleType

import pytest
from api_server import Server

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.connection import Connection, load
from podward.client.informer import Informers
from podward.controllers.context import Context, ControllerOptions
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

PODS, NODES, EVENTS = (BY_PLURAL["", "v1", name] for name in ("pods", "nodes", "events"))
CLAIMS, VOLUMES = (BY_PLURAL["", "v1", name] for name in ("persistentvolumeclaims", "persistentvolumes"))
_SECONDS, _EVERY = 10.0, 0.05


@contextlib.contextmanager
def served(
    factory: pytest.TempPathFactory, disabled: str = "ServiceAccount,TaintNodesByCondition"
) -> Iterator[Connection]:
    """A server without these admission plugins, and the way to it as its admin."""
    directory = factory.mktemp("server")
    server = Server(
        directory, "--kubeconfig", str(directory / "kubeconfig"), "--disable-admission-plugins", disabled
    )  # fmt: skip
    try:
        yield load(str(directory / "kubeconfig"))
    finally:
        server.process.terminate()
        server.process.communicate()


def at_work(
    connection: Connection,
    modules: Sequence[ModuleType],
    work: Callable[[Client], Awaitable[None]],
    options: ControllerOptions | None = None,
) -> None:
    """Do something while these controllers work; afterwards no Pods, claims, volumes and nodes are left."""

    async def main() -> None:
        client = Client(connection, "test")
        informers = Informers(client)
        context = Context(client, informers, options or ControllerOptions())
        controllers = [await module.make(context) for module in modules]
        await informers.start()
        for controller in controllers:
            await controller.start()
        try:
            await work(client)
        finally:
            for controller in controllers:
                await controller.close()
            await informers.close()
            await context.close()
            await _clear(client)
            await client.close()

    asyncio.run(main())


async def _clear(client: Client) -> None:
    for resource in (PODS, CLAIMS, VOLUMES, NODES):
        found = await client.list(resource)
        for each in [] if isinstance(found, Status) else objects(found, "items"):
            metadata = member(each, "metadata")
            namespace, name = str(metadata.get("namespace") or ""), str(metadata["name"])
            if metadata.get("finalizers"):
                await client.patch(resource, namespace, name, {"metadata": {"finalizers": None}})
            await client.delete(resource, namespace, name, {"gracePeriodSeconds": 0})


async def created(client: Client, resource: Resource, raw: JsonObject) -> JsonObject:
    """What the server made of it; its status is given, too, where it has one."""
    namespace = "default" if resource.namespaced else ""
    metadata = {name: value for name, value in member(raw, "metadata").items() if name not in {"uid", "namespace"}}
    made = await client.create(resource, namespace, {**raw, "metadata": metadata})
    assert not isinstance(made, Status), made
    if raw.get("status"):
        name = str(metadata["name"])
        made = await client.patch(resource, namespace, name, {"status": raw["status"]}, PatchKind.MERGE, "status")
        assert not isinstance(made, Status), made
    return made


async def until(client: Client, resource: Resource, name: str, holds: Callable[[JsonObject], bool]) -> JsonObject:
    """The object once this holds of it; fails after a while."""
    found: JsonObject | Status = {}
    for _ in range(int(_SECONDS / _EVERY)):
        found = await client.get(resource, "default" if resource.namespaced else "", name)
        if not isinstance(found, Status) and holds(found):
            return found
        await asyncio.sleep(_EVERY)
    raise AssertionError(found)


async def gone(client: Client, resource: Resource, name: str) -> None:
    """Wait until an object is gone."""
    found: JsonObject | Status = {}
    for _ in range(int(_SECONDS / _EVERY)):
        found = await client.get(resource, "default" if resource.namespaced else "", name)
        if isinstance(found, Status) and found.code == 404:
            return
        await asyncio.sleep(_EVERY)
    raise AssertionError(found)


async def told(client: Client, name: str, reason: str) -> JsonObject:
    """The first event of this reason about an object of this name."""
    for _ in range(int(_SECONDS / _EVERY)):
        found = await client.list(EVENTS, fields=f"involvedObject.name={name},reason={reason}")
        assert not isinstance(found, Status)
        if events := objects(found, "items"):
            return events[0]
        await asyncio.sleep(_EVERY)
    raise AssertionError(f"no event {reason}")


def condition(raw: JsonObject, of_type: str) -> JsonObject:
    """A condition of an object; an empty one where it has none."""
    return next((each for each in objects(member(raw, "status"), "conditions") if each.get("type") == of_type), {})
