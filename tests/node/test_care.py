"""Probes and hooks of running containers: real servers and commands, and the verdicts that come of them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import (
    ExecSyncRequest,
    ExecSyncResponse,
    RuntimeConfigRequest,
    RuntimeConfigResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from podward.api.json_value import Json, JsonObject
from podward.node.care import ContainerCare
from podward.node.probes import Verdicts
from podward.node.runtime import Heard, Request, Response
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb
from podward.schema.view import pod_view


class Commands:
    """A runtime whose containers are this machine: it runs commands."""

    async def start(self, heard: Heard) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def call(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        assert isinstance(request, ExecSyncRequest)
        pipe = asyncio.subprocess.PIPE
        try:
            child = await asyncio.create_subprocess_exec(*request.cmd, stdout=pipe, stderr=pipe)
        except OSError as error:
            return CriRefusal(CriCode.UNKNOWN, str(error))
        try:
            said = await asyncio.wait_for(child.communicate(), request.timeout or None)
        except TimeoutError:
            child.kill()
            await child.wait()
            return CriRefusal(CriCode.DEADLINE_EXCEEDED, "late")
        answer = ExecSyncResponse(*said, child.returncode or 0)
        assert isinstance(answer, verb.result)
        return answer

    async def version(self, request: VersionRequest) -> VersionResponse | CriRefusal:
        raise NotImplementedError

    async def status(self, request: StatusRequest) -> StatusResponse | CriRefusal:
        raise NotImplementedError

    async def configuration(self, request: RuntimeConfigRequest) -> RuntimeConfigResponse | CriRefusal:
        raise NotImplementedError


class Told:
    """What was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, str, str]] = []
        self.changes = asyncio.Event()

    def tell(self, document: JsonObject, kind: str, reason: str, message: str, field: str) -> None:
        assert "spec" in document
        self.events.append((kind, reason, message, field))

    def changed(self, uid: str) -> None:
        assert uid == "u"
        self.changes.set()


@asynccontextmanager
async def care() -> AsyncIterator[tuple[ContainerCare, Told]]:
    told = Told()
    made = ContainerCare(Commands(), told.tell, told.changed)
    try:
        yield made, told
    finally:
        await made.close()


def pod(status: JsonObject | None = None, **container: Json) -> JsonObject:
    return {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {"containers": [{"name": "c", **container}]},
        "status": status or {},
    }


def begin(made: ContainerCare, document: JsonObject) -> None:
    view = pod_view(document)
    made.begin(document, (view.spec.containers or ())[0], "run", ("127.0.0.1",))


async def until(made: ContainerCare, right: Callable[[Verdicts], bool]) -> Verdicts:
    await soon(lambda: right(made.verdicts("u", "c", "run")))
    return made.verdicts("u", "c", "run")


async def soon(happens: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not happens():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def exec_probe(*command: str, **more: Json) -> JsonObject:
    words: list[Json] = [*command]
    return {"exec": {"command": words}, "periodSeconds": 1, "failureThreshold": 1, **more}


def test_probes_begin_as_a_kubelets_and_come_to_verdicts() -> None:
    async def scenario() -> None:
        async with care() as (made, told):
            document = pod(
                readinessProbe=exec_probe("sh", "-c", "echo $(WORD) >&2; exit 1"),
                startupProbe=exec_probe("true"),
                livenessProbe=exec_probe("true"),
                env=[{"name": "WORD", "value": "no"}],
            )
            begin(made, document)
            assert made.verdicts("u", "c", "run") == Verdicts(None, True, False)
            assert made.verdicts("u", "c", "another run") == Verdicts()
            await until(made, lambda found: found.startup is True)
            await soon(lambda: told.events)
            assert told.events[0] == ("Warning", "Unhealthy", "Readiness probe failed: no\n", "spec.containers{c}")
            assert told.changes.is_set()

    asyncio.run(scenario())


def test_a_failed_liveness_probe_is_a_verdict_and_a_late_one_is_a_failure() -> None:
    async def scenario() -> None:
        async with care() as (made, told):
            begin(made, pod(livenessProbe=exec_probe("sleep", "60")))
            await until(made, lambda found: found.liveness is False)
            why = 'command timed out: "sleep 60" timed out after 1s'
            assert told.events[0][2] == f"Liveness probe failed: {why}"

    asyncio.run(scenario())


def test_what_cannot_be_asked_is_tried_three_times_told_and_no_verdict() -> None:
    async def scenario() -> None:
        async with care() as (made, told):
            begin(made, pod(startupProbe=exec_probe("/no/such/program")))
            await soon(lambda: told.events)
            assert told.events[0][2].startswith("Startup probe errored and resulted in unknown state: rpc error")
            assert made.verdicts("u", "c", "run").startup is None

    asyncio.run(scenario())


def test_a_run_that_was_there_before_keeps_what_was_said_of_it() -> None:
    async def scenario() -> None:
        async with care() as (made, _):
            row: JsonObject = {
                "name": "c",
                "containerID": "podward://run",
                "started": True,
                "ready": True,
                "state": {"running": {"startedAt": "2020-01-01T00:00:00Z"}},
            }
            slow = exec_probe("false", periodSeconds=1000)
            begin(made, pod({"containerStatuses": [row]}, readinessProbe=slow, startupProbe=slow))
            assert made.verdicts("u", "c", "run") == Verdicts(True, None, True)

    asyncio.run(scenario())


def test_while_a_pod_is_ended_only_its_readiness_is_asked() -> None:
    async def scenario() -> None:
        async with care() as (made, _):
            begin(made, pod(livenessProbe=exec_probe("false"), readinessProbe=exec_probe("true")))
            made.terminate("u")
            found = await until(made, lambda found: found.readiness is True)
            assert found.liveness is True
            made.end("u", "c")
            assert made.verdicts("u", "c", "run") == Verdicts()

    asyncio.run(scenario())


def test_a_port_that_is_open_and_a_server_that_answers_are_ready() -> None:
    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if await reader.read(1):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, care() as (made, _):
            port = server.sockets[0].getsockname()[1]
            asked: list[JsonObject] = [{"tcpSocket": {"port": port}}, {"httpGet": {"port": "web", "path": "/healthz"}}]
            for probe in asked:
                ports: list[Json] = [{"name": "web", "containerPort": port}]
                begin(made, pod(readinessProbe=probe, ports=ports))
                await until(made, lambda found: found.readiness is True)
                made.end("u")

    asyncio.run(scenario())


def test_a_server_that_answers_by_drops_is_left_after_the_timeout() -> None:
    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            probe: JsonObject = {"httpGet": {"port": listener.getsockname()[1]}, "failureThreshold": 1}
            async with care() as (made, told):
                begin(made, pod(readinessProbe=probe))
                loop = asyncio.get_running_loop()
                connection, _ = await loop.sock_accept(listener)
                connection.setblocking(False)
                began = time.monotonic()
                with connection:
                    while not told.events and time.monotonic() - began < 20:
                        await loop.sock_sendall(connection, b"H" if not told.events else b"")
                        await asyncio.sleep(0.2)
            assert "context deadline exceeded" in told.events[0][2]

    asyncio.run(scenario())


FAILED = 'for Container "c" in Pod "p_ns(u)" failed - error: '
REFUSED = "dial tcp 127.0.0.1:1: connect: connection refused"
SCRIPT = "echo a; echo b >&2; exit 3"
ENDED = f"command 'sh -c {SCRIPT}' exited with 3: b\n"


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ({"exec": {"command": ["true"]}}, ""),
        ({"sleep": {"seconds": 0}}, ""),
        (
            {"exec": {"command": ["sh", "-c", SCRIPT]}},
            f'Exec lifecycle hook ([sh -c {SCRIPT}]) {FAILED}{ENDED}, message: "a\\nb\\n"',
        ),
        (
            {"httpGet": {"port": 1, "path": "/x"}},
            f'HTTP lifecycle hook (/x) {FAILED}Get "http://127.0.0.1:1/x": {REFUSED}',
        ),
        ({"exec": {"command": ["/no/such"]}}, "rpc error: code = Unknown desc = "),
    ],
)
def test_a_hook_says_what_went_wrong(hook: JsonObject, expected: str) -> None:
    async def scenario() -> None:
        async with care() as (made, _):
            document = pod(lifecycle={"postStart": hook, "preStop": hook})
            view = pod_view(document)
            container = (view.spec.containers or ())[0]
            for run in (made.post_start, made.pre_stop):
                said = await run(view, container, "run", ("127.0.0.1",))
                assert said == expected or (expected.startswith("rpc") and expected in said)

    asyncio.run(scenario())
