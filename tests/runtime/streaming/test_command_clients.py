"""Exec and attach over SPDY and WebSocket, with processes of this machine for containers."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from streaming_clients import LocalProvider, served, upgraded, url_of

from podward.api.cri_requests import AttachRequest, ExecRequest
from podward.runtime.streaming import spdy, wires
from podward.runtime.streaming.command_clients import serve_command
from podward.runtime.streaming.handshake import Patience
from podward.runtime.streaming.remote_command import Asked
from podward.runtime.streaming.server import StreamingServer

V5 = "v5.channel.k8s.io"
V4 = "v4.channel.k8s.io"
SECONDS = 60
Asking = ExecRequest | AttachRequest


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, SECONDS))


async def eventually(so: Callable[[], bool]) -> None:
    while not so():  # noqa: ASYNC110 - nobody tells of it
        await asyncio.sleep(0.01)


def sh(script: str, *, stdin: bool = False, stderr: bool = False, tty: bool = False) -> ExecRequest:
    return ExecRequest("c1", ("sh", "-c", script), tty, stdin, True, stderr)


class Spoken(dict[str, bytes]):
    """What came on each stream, by its name."""


def wanted_url(server: StreamingServer, request: Asking) -> str:
    return url_of(server.exec_url(request) if isinstance(request, ExecRequest) else server.attach_url(request))


async def over_spdy(server: StreamingServer, request: Asking, stdin: bytes = b"", version: str = V4) -> Spoken:
    peer = await upgraded(wanted_url(server, request), version)
    wanted = {"error": True, "stdin": request.stdin, "stdout": request.stdout, "stderr": request.stderr}
    streams = {name: await peer.open(stream_type=name) for name in wanted if wanted[name]}
    if request.tty and version > "v3":
        streams["resize"] = await peer.open(stream_type="resize")
    if request.stdin:
        await peer.until(lambda: any(e == spdy.HeadersReceived(streams["stdin"], {}) for e in peer.events))
        await peer.send(peer.frames.data(streams["stdin"], stdin) + peer.frames.finish(streams["stdin"]))
    await peer.to_the_end()
    finished = {event.stream for event in peer.events if isinstance(event, spdy.DataReceived) and event.finished}
    assert finished >= {stream for name, stream in streams.items() if name in ("stdout", "stderr", "error")}
    return Spoken({name: peer.text(stream) for name, stream in streams.items()})


@asynccontextmanager
async def websocket(url: str, *protocols: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=protocols) as socket:
        yield socket


async def heard(socket: aiohttp.ClientWebSocketResponse) -> Spoken:
    names = ("stdin", "stdout", "stderr", "error")
    came = Spoken()
    async for message in socket:
        name = names[message.data[0]]
        came[name] = came.get(name, b"") + message.data[1:]
    return came


async def over_websocket(server: StreamingServer, request: Asking, stdin: bytes = b"") -> Spoken:
    async with websocket(wanted_url(server, request), V5) as socket:
        assert socket.protocol == V5
        if request.stdin:
            await socket.send_bytes(b"\0" + stdin)
            await socket.send_bytes(b"\xff\0")
        came = await heard(socket)
        assert socket.close_code == aiohttp.WSCloseCode.OK
        return came


Way = Callable[[StreamingServer, Asking, bytes], Awaitable[Spoken]]
both = pytest.mark.parametrize("over", [over_spdy, over_websocket])


@both
def test_outputs_are_told_apart_and_success_is_told(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            came = await over(server, sh("echo out; echo err >&2", stderr=True), b"")
            assert came == {"stdout": b"out\n", "stderr": b"err\n", "error": b'{"status":"Success"}'}

    run(work())


@both
def test_an_exit_code_is_told(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            status = json.loads((await over(server, sh("exit 42"), b""))["error"])
            assert status == {
                "status": "Failure",
                "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code:"
                " error executing command [sh -c exit 42], exit code 42",
                "details": {"causes": [{"reason": "ExitCode", "message": "42"}]},
            }

    run(work())


@both
def test_what_cannot_be_begun_is_told(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            request = ExecRequest("c1", ("/none",), stdout=True)
            status = json.loads((await over(server, request, b""))["error"])
            assert (status["reason"], status["code"]) == ("InternalError", 500)
            assert status["message"] == (
                "Internal error occurred: error executing command in container:"
                " cannot run /none: No such file or directory"
            )

    run(work())


@both
def test_the_end_of_stdin_reaches_the_process(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            came = await over(server, sh("cat; echo end", stdin=True), b"given ")
            assert came["stdout"] == b"given end\n"

    run(work())


@both
def test_input_that_the_process_does_not_read_does_not_stop_it(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            came = await over(server, sh("exec <&-; echo done", stdin=True), bytes(1 << 20))
            assert came["stdout"] == b"done\n"

    run(work())


@both
def test_megabytes_pass_both_ways(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            given = os.urandom(3 << 20)
            assert (await over(server, sh("cat", stdin=True), given))["stdout"] == given

    run(work())


@both
def test_output_that_was_not_asked_for_is_dropped(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            assert (await over(server, sh("echo out; echo err >&2"), b"")).get("stderr", b"") == b""

    run(work())


def test_a_terminal_is_one_output_and_has_the_size_that_is_sent() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            request = sh("read wait; stty size; tty >/dev/null && echo terminal", stdin=True, tty=True)
            async with websocket(url_of(server.exec_url(request)), V5) as socket:
                await socket.send_bytes(b'\4{"Width":132,"Height":50}\n{"Width":13')
                await socket.send_bytes(b'\x043,"Height":51}')
                await socket.send_bytes(b"\0go\n")
                came = await heard(socket)
            assert came["stdout"].endswith(b"51 133\r\nterminal\r\n")

    run(work())


def test_a_terminal_over_spdy_has_a_stream_for_its_size() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await upgraded(url_of(server.exec_url(sh("read wait; stty size", stdin=True, tty=True))), V4)
            out, size = await peer.open(stream_type="stdout"), await peer.open(stream_type="resize")
            await peer.send(peer.frames.data(size, b'{"Width":90,"Height":20}\n'))
            given = await peer.open(stream_type="stdin")
            await peer.send(peer.frames.data(given, b"go\n"))
            await peer.open(stream_type="error")
            await peer.to_the_end()
            assert peer.text(out).endswith(b"20 90\r\n")

    run(work())


@pytest.mark.parametrize("size", [b"{}", b"[", b'{"Width":-1,"Height":99999999}', b"x" * 5000, b'{"Width":"9"}'])
def test_a_size_that_is_none_changes_nothing(monkeypatch: pytest.MonkeyPatch, size: bytes) -> None:
    monkeypatch.setattr(wires, "MOST_HELD", 1000)

    async def work() -> None:
        async with (
            served(LocalProvider()) as server,
            websocket(url_of(server.exec_url(sh("read w; echo $w", stdin=True, tty=True))), V5) as socket,
        ):
            await socket.send_bytes(b"\4" + size)
            await socket.send_bytes(b"\4" + size + bytes(5000))
            await socket.send_bytes(b"\0go\n")
            assert (await heard(socket))["stdout"].endswith(b"go\r\n")

    run(work())


@pytest.mark.parametrize("version", ["v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"])
def test_older_versions_tell_a_failure_in_words_and_a_success_with_nothing(version: str) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            assert (await over_spdy(server, sh("exit 0"), version=version))["error"] == b""
            assert (await over_spdy(server, sh("exit 1"), version=version))["error"].endswith(b"exit code 1")
            assert (await over_spdy(server, sh("echo t", tty=True), version=version))["stdout"] == b"t\r\n"

    run(work())


def test_base64_channels_are_text() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            url = url_of(server.exec_url(sh("read w; echo $w", stdin=True)))
            async with websocket(url, "v4.base64.channel.k8s.io") as socket:
                await socket.send_str("0" + base64.b64encode(b"word\n").decode())
                came = [message.data async for message in socket]
            assert came == [
                "1",
                "1" + base64.b64encode(b"word\n").decode(),
                "3" + base64.b64encode(b'{"status":"Success"}').decode(),
            ]

    run(work())


def test_a_websocket_without_sub_protocols_speaks_the_oldest() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server, websocket(url_of(server.exec_url(sh("exit 1")))) as socket:
            assert (await heard(socket))["error"].endswith(b"exit code 1")

    run(work())


def test_a_client_that_goes_leaves_no_descriptor_and_the_process_its_end_of_input() -> None:
    async def work() -> None:
        provider = LocalProvider()
        async with served(provider) as server:
            async with websocket(url_of(server.exec_url(sh("cat; exit 7", stdin=True))), V5) as socket:
                await socket.receive()
            async with websocket(url_of(server.exec_url(sh("exec sleep 100", stdin=True))), V5) as socket:
                await socket.receive()
            assert await asyncio.to_thread(provider.processes[0].wait) == 7
            await eventually(lambda: len(os.listdir("/proc/self/fd")) <= before[0] + 4)  # the listener, and the loop's
            assert provider.processes[1].poll() is None

    before = [len(os.listdir("/proc/self/fd"))]
    run(work())
    assert len(os.listdir("/proc/self/fd")) == before[0]


def test_a_client_that_reads_nothing_stops_the_process_and_not_the_server() -> None:
    async def work() -> None:
        provider = LocalProvider()
        async with served(provider) as server:
            peer = await upgraded(url_of(server.exec_url(sh("exec yes"))), V4)
            for name in ("error", "stdout"):
                await peer.open(stream_type=name)
            await eventually(lambda: bool(provider.processes))
            while (written := await _written(provider)) == 0 or written != await _written(provider):
                pass
            assert (await over_spdy(server, sh("echo still here")))["stdout"] == b"still here\n"
            assert written < 16 << 20

    async def _written(provider: LocalProvider) -> int:
        await asyncio.sleep(0.2)
        lines = Path(f"/proc/{provider.processes[0].pid}/io").read_text().splitlines()  # noqa: ASYNC240 - no disk
        return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))

    run(work())


@pytest.mark.parametrize("over", ["spdy", "websocket"])
def test_a_client_that_goes_while_nothing_is_read_from_it_is_missed(monkeypatch: pytest.MonkeyPatch, over: str) -> None:
    monkeypatch.setattr(wires, "SECONDS_TO_LOOK", 0.05)
    monkeypatch.setattr(wires, "MOST_HELD", 20000)
    more_than_a_pipe = bytes(400000)

    async def spdy_client(url: str) -> None:
        peer = await upgraded(url, V4)
        for name in ("error", "stdout"):
            await peer.open(stream_type=name)
        stdin = await peer.open(stream_type="stdin")
        await peer.send(peer.frames.data(stdin, more_than_a_pipe))
        peer.leave()

    async def websocket_client(url: str) -> None:
        async with websocket(url, V5) as socket:
            await socket.send_bytes(b"\0" + more_than_a_pipe)

    async def work() -> None:
        provider = LocalProvider()
        async with served(provider) as server:
            url = url_of(server.exec_url(sh("exec sleep 100", stdin=True)))
            await (spdy_client(url) if over == "spdy" else websocket_client(url))
            await eventually(lambda: server.connections == 0)

    run(work())


def test_a_client_that_does_not_open_its_streams_is_given_up() -> None:
    async def work() -> None:
        provider = LocalProvider()
        async with served(provider, Patience(creation=0.1)) as server:
            peer = await upgraded(url_of(server.exec_url(sh("true"))), V4)
            await peer.open(stream_type="error")
            await peer.to_the_end()
            assert spdy.GoneAway(1, 0) in peer.events
            assert provider.processes == []

    run(work())


def test_a_connection_on_which_nothing_happens_is_given_up() -> None:
    async def work() -> None:
        provider = LocalProvider()
        async with served(provider, Patience(idle=0.2)) as server:
            peer = await upgraded(url_of(server.exec_url(sh("echo here; exec sleep 100"))), V4)
            out, error = await peer.open(stream_type="stdout"), await peer.open(stream_type="error")
            await peer.to_the_end()
            assert (peer.text(out), peer.text(error)) == (b"here\n", b"")
            async with websocket(url_of(server.exec_url(sh("exec sleep 100"))), V5) as socket:
                assert "error" not in await heard(socket)

    run(work())


@both
def test_what_happens_now_and_then_keeps_a_connection(over: Way) -> None:
    async def work() -> None:
        async with served(LocalProvider(), Patience(idle=1)) as server:
            script = "for each in 1 2 3 4 5 6; do echo $each; sleep 0.25; done"
            assert (await over(server, sh(script), b""))["error"] == b'{"status":"Success"}'

    run(work())


def test_what_is_no_spdy_is_told_to_go_away() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await upgraded(url_of(server.exec_url(sh("true"))), V4)
            await peer.send(bytes.fromhex("8002000100000000"))
            await peer.to_the_end()
            assert spdy.GoneAway(0, 1) in peer.events

    run(work())


def test_streams_that_were_not_asked_for_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "MOST_HELD", 1000)

    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await upgraded(url_of(server.exec_url(sh("echo out; cat"))), V4)
            odd = [await peer.open(stream_type=name) for name in ("stdin", "stdin", "colour")]
            await peer.send(b"".join(peer.frames.data(stream, bytes(1 << 20)) for stream in odd))
            out = await peer.open(stream_type="stdout")
            await peer.open(stream_type="error")
            await peer.to_the_end()
            assert peer.text(out) == b"out\n"

    run(work())


def test_pings_are_answered() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            peer = await upgraded(url_of(server.exec_url(sh("true"))), V4)
            await peer.send(peer.frames.ping())
            await peer.until(lambda: spdy.Pinged(1, ours=True) in peer.events)

    run(work())


@pytest.mark.parametrize(
    ("headers", "status", "why"),
    [
        ({}, 400, "unable to upgrade: header X-Stream-Protocol-Version does not exist in request with"),
        ({"X-Stream-Protocol-Version": " , "}, 400, "contains no valid protocols"),
        (
            {"X-Stream-Protocol-Version": "v9.channel.k8s.io"},
            403,
            "unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io], server accepts [v4.",
        ),
        ({"X-Stream-Protocol-Version": V4}, 400, "missing upgrade headers in request"),
        ({"X-Stream-Protocol-Version": V4, "Upgrade": "SPDY/3.1"}, 400, "missing upgrade headers in request"),
        ({"X-Stream-Protocol-Version": V4, "Connection": "Upgrade"}, 400, "missing upgrade headers in request"),
    ],
)
def test_what_is_not_understood_is_refused(headers: dict[str, str], status: int, why: str) -> None:
    async def work() -> None:
        async with (
            served(LocalProvider()) as server,
            aiohttp.ClientSession() as session,
            session.post(url_of(server.exec_url(sh("true"))), headers=headers) as answer,
        ):
            assert answer.status == status
            assert why in await answer.text()

    run(work())


def test_a_sub_protocol_that_we_do_not_have_is_refused() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with websocket(url_of(server.exec_url(sh("true"))), "v9.channel.k8s.io"):
                    pass
            assert refused.value.status == 403

    run(work())


def test_an_attach_without_stdin_does_not_end_it() -> None:
    async def work() -> None:
        provider = LocalProvider(lambda: provider.exec(sh("read word; echo $word", stdin=True)))
        async with served(provider) as server:
            request = AttachRequest("c1", stdout=True)
            async with websocket(url_of(server.attach_url(request)), V5) as socket:
                assert (await socket.receive()).data == b"\1"
                await eventually(lambda: bool(provider.sessions))
                await provider.sessions[0].write(b"word\n")
                assert await heard(socket) == {"stdout": b"word\n", "error": b'{"status":"Success"}'}

    run(work())


@both
def test_output_of_the_container_that_was_not_asked_for_is_dropped(over: Way) -> None:
    async def work() -> None:
        provider = LocalProvider(lambda: provider.exec(sh("echo out; echo err >&2; exit 3", stderr=True)))
        async with served(provider) as server:
            assert (await over(server, AttachRequest("c1", stdout=True), b""))["stdout"] == b"out\n"
            came = await over(server, AttachRequest("c1", stderr=True), b"")
            assert (came.get("stdout"), came["stderr"]) == (None, b"err\n")
            assert came["error"] == b'{"status":"Success"}'  # to be attached has no exit code

    run(work())


def test_a_client_that_reads_nothing_is_left_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "SECONDS_TO_PART", 0.1)

    async def work() -> None:
        provider = LocalProvider()
        async with served(provider, Patience(idle=0.2)) as server:
            before = len(os.listdir("/proc/self/fd"))
            peer = await upgraded(url_of(server.exec_url(sh("exec yes"))), V4)
            for name in ("error", "stdout"):
                await peer.open(stream_type=name)
            await eventually(lambda: bool(provider.processes))
            await eventually(lambda: len(os.listdir("/proc/self/fd")) == before + 1)  # the client's own

    run(work())


def test_a_node_serves_the_same_at_its_own_paths() -> None:
    async def work() -> None:
        provider = LocalProvider()

        async def handle(request: web.Request) -> web.StreamResponse:
            asked = Asked(stdout=True, command=tuple(request.query.getall("command")))
            wanted = ExecRequest(request.match_info["container"], asked.command, stdout=True)
            return await serve_command(request, asked, lambda: provider.exec(wanted))

        application = web.Application()
        application.router.add_get("/exec/{namespace}/{pod}/{container}", handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/exec/default/web/app?command=echo&command=hello"
        async with websocket(url, V5) as socket:
            assert (await heard(socket))["stdout"] == b"hello\n"
        await runner.cleanup()
        provider.end()

    run(work())
