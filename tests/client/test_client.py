"""Our own client against our own server: verbs, informers, queues, events, leases, and controllers' accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from api_server import Server

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.connection import Connection, load
from podward.client.events import Recorder
from podward.client.informer import Change, Informers
from podward.client.leases import LEASES, Leader
from podward.client.work import Regularly, Retry, WorkQueue
from podward.controllers.context import Context, ControllerOptions
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

MAPS, EVENTS, PODS, SECRETS = (BY_PLURAL["", "v1", name] for name in ("configmaps", "events", "pods", "secrets"))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    directory = tmp_path_factory.mktemp("server")
    server = Server(directory, "--kubeconfig", str(directory / "kubeconfig"), "--authorization-mode", "RBAC")
    yield load(str(Path(directory) / "kubeconfig"))
    server.process.terminate()
    server.process.communicate()


def run(connection: Connection, work: Callable[[Client], Awaitable[None]]) -> None:
    async def main() -> None:
        client = Client(connection, "test")
        try:
            await work(client)
        finally:
            await client.close()

    asyncio.run(main())


def a_map(name: str) -> JsonObject:
    return {"metadata": {"name": name}, "data": {"x": "1"}}


def test_a_refusal_is_a_value(connection: Connection) -> None:
    async def work(client: Client) -> None:
        assert not isinstance(await client.create(MAPS, "default", a_map("twice")), Status)
        again = await client.create(MAPS, "default", a_map("twice"))
        assert isinstance(again, Status)
        assert (again.code, again.reason) == (409, "AlreadyExists")
        assert isinstance(await client.get(MAPS, "default", "absent"), Status)

    run(connection, work)


def test_a_server_that_is_not_there_is_a_status(connection: Connection) -> None:
    async def work(client: Client) -> None:
        client.reconnect(Connection("https://127.0.0.1:1", connection.tls, connection.nobody))
        answer = await client.get(MAPS, "default", "any")
        assert isinstance(answer, Status)
        assert answer.reason == "ServiceUnavailable"

    run(connection, work)


def test_an_informer_tells_what_was_and_what_is(connection: Connection) -> None:
    async def work(client: Client) -> None:
        informers, seen, enough = Informers(client), list[Change](), asyncio.Event()
        maps = informers.of(MAPS, "default")
        assert informers.of(MAPS, "default") is maps

        def take(change: Change) -> None:
            if change.object["metadata"]["name"] == "followed":  # type: ignore[call-overload,index]
                seen.append(change)
            if seen and seen[-1].new is None:
                enough.set()

        maps.listeners.append(take)
        await informers.start()
        await client.create(MAPS, "default", a_map("followed"))
        await client.patch(MAPS, "default", "followed", {"data": {"x": "2"}})
        await client.delete(MAPS, "default", "followed")
        await asyncio.wait_for(enough.wait(), 10)
        assert [(change.old is None, change.new is None) for change in seen] == [
            (True, False), (False, False), (False, True)
        ]  # fmt: skip
        assert maps.get("default", "followed") is None
        await informers.close()

    run(connection, work)


def test_what_is_said_again_is_counted_and_many_are_combined(connection: Connection) -> None:
    async def work(client: Client) -> None:
        obj = await client.create(MAPS, "default", a_map("told"))
        assert not isinstance(obj, Status)
        recorder = Recorder(client, "tester")
        for _ in range(3):
            recorder.event(obj, "Warning", "Oops", "bad")
        for number in range(11):
            recorder.event(obj, "Normal", "Many", f"number {number}")
        await recorder.close(10)
        listed = await client.list(EVENTS, "default", fields="involvedObject.name=told")
        assert not isinstance(listed, Status)
        told = [(e["reason"], e["count"], e["message"]) for e in objects(listed, "items")]
        assert ("Oops", 3, "bad") in told
        assert ("Many", 1, "number 8") in told
        assert ("Many", 2, "(combined from similar events): number 10") in told
        reporters = {str(e["message"])[:1]: e["reportingComponent"] for e in objects(listed, "items")}
        assert reporters == {"b": "tester", "n": "tester", "(": ""}

    run(connection, work)


def test_one_leads_until_it_gives_up(connection: Connection) -> None:
    async def work(client: Client) -> None:
        first, second = (Leader(client, "kube-system", "the-lease", name) for name in ("first", "second"))
        await first.acquire()
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await first.release()
        await asyncio.wait_for(waiting, 10)
        lease = await client.get(LEASES, "kube-system", "the-lease")
        assert not isinstance(lease, Status)
        assert member(lease, "spec")["holderIdentity"] == "second"
        assert member(lease, "spec")["leaseTransitions"] == 1

    run(connection, work)


def test_a_controller_calls_as_its_own_account(connection: Connection) -> None:
    async def work(client: Client) -> None:
        context = Context(client, Informers(client), ControllerOptions())
        own = await context.client_for("replicaset-controller")
        assert not isinstance(await own.list(PODS), Status)
        refused = await own.list(SECRETS)
        assert isinstance(refused, Status)
        assert "system:serviceaccount:kube-system:replicaset-controller" in refused.message
        await context.close()

    run(connection, work)


def test_a_key_is_done_by_one_at_a_time_and_again_where_it_failed() -> None:
    async def main() -> None:
        done, at_work, most = list[str](), 0, 0

        async def reconcile(key: str) -> float | Retry | None:
            nonlocal at_work, most
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.005)
            at_work -= 1
            done.append(key)
            if len(done) == 1:
                queue.add(key)
            if len(done) == 2:
                raise ValueError("once")
            return Retry.LATER if len(done) == 3 else None

        queue = WorkQueue("test", reconcile, workers=3)
        queue.start()
        queue.add("one")
        queue.add("one")
        while len(done) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.03)
        await queue.close()
        assert done == ["one"] * 4
        assert most == 1

    asyncio.run(main())


def test_what_is_done_regularly_goes_on_where_it_failed() -> None:
    async def main() -> None:
        done = list[int]()

        async def do() -> None:
            done.append(len(done))
            if len(done) == 1:
                raise ValueError("once")

        regularly = Regularly("test", do, 0.01)
        await regularly.start()
        while len(done) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await regularly.close()
        so_far = len(done)
        await asyncio.sleep(0.05)
        assert len(done) == so_far

    asyncio.run(main())
