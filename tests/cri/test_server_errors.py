"""Nothing that a client sends takes the server down; every failure has a code and a sentence, and no traceback."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from cri_server import METHODS, Client, CriServer, RefusedError

from podward.api import cri_requests as cri
from podward.cri import server as server_module
from podward.cri.log import Log
from podward.cri.method import Method

pytestmark = pytest.mark.needs("root", "crun")
STREAMS = {"GetContainerEvents"} | {name for name in METHODS if name.startswith("Stream")}
MISSING = {"CheckpointContainer"}
CODES = {code.name for code in grpc.StatusCode} - {"OK", "CANCELLED"}


def still_answers(client: Client) -> bool:
    return client.ask(cri.VersionRequest(), cri.VersionResponse).runtime_name == "podward"


def test_a_method_that_nobody_knows_is_unimplemented(client: Client) -> None:
    for path in ("/runtime.v1.RuntimeService/NoSuch", "/runtime.v1alpha2.RuntimeService/Version", "/"):
        with pytest.raises(RefusedError) as caught:
            client.raw(path, b"")
        assert caught.value.code == "UNIMPLEMENTED"


def test_a_checkpoint_is_unimplemented_and_says_so(client: Client) -> None:
    with pytest.raises(RefusedError) as caught:
        client.raw("CheckpointContainer", b"")
    assert (caught.value.code, caught.value.message) == ("UNIMPLEMENTED", "podward does not do CheckpointContainer")


@pytest.mark.parametrize("method", sorted(set(METHODS) - STREAMS - MISSING))
def test_bytes_that_are_no_message_are_refused(client: Client, method: str) -> None:
    with pytest.raises(RefusedError) as caught:
        client.raw(method, b"\xff\xff\xff")
    assert caught.value.code == "INVALID_ARGUMENT"
    assert method in caught.value.message


@pytest.mark.parametrize("method", sorted(set(METHODS) - STREAMS))
def test_random_bytes_take_nothing_down(client: Client, method: str) -> None:
    chance = random.Random(method)  # noqa: S311 - the same bytes in every run
    for _ in range(60):
        content = chance.choice((chance.randbytes, _almost_right(chance)))(chance.randrange(1, 200))
        try:
            client.raw(method, content, timeout=20)
        except RefusedError as error:
            assert error.code in CODES  # noqa: PT017 - not every one of them fails
            assert error.code != "INTERNAL", error.message  # noqa: PT017 - as above
            assert "Traceback" not in error.message  # noqa: PT017 - as above
    assert still_answers(client)


def _almost_right(chance: random.Random):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Fields of small numbers with text, as messages have them."""

    def make(length: int) -> bytes:
        made = bytearray()
        while len(made) < length:
            text = chance.choice((b"", b"x", b"../../etc", b"\n\x01a", b"\xff", bytes(chance.randbytes(8))))
            made += bytes((chance.randrange(1, 16) << 3 | 2, len(text))) + text
        return bytes(made)

    return make


def test_a_message_that_is_too_large_is_refused(client: Client) -> None:
    with pytest.raises(RefusedError) as caught:
        client.raw("Version", b"\x0a\xff\xff\xff\x0f" + bytes(17 << 20))
    assert caught.value.code == "RESOURCE_EXHAUSTED"
    assert still_answers(client)


def test_what_is_no_grpc_is_dropped(server: CriServer) -> None:
    for content in (b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sent:
            sent.connect(server.socket)
            sent.sendall(content)
            sent.settimeout(20)
            while sent.recv(4096):
                pass
    assert still_answers(server.client)


def test_an_unknown_id_is_not_found_in_every_form(client: Client) -> None:
    for word in ("a" * 64, "abc", "../../etc/passwd", "", "*", "\n", "a" * 5000):
        with pytest.raises(RefusedError) as caught:
            client.ask(cri.PodSandboxStatusRequest(word), cri.PodSandboxStatusResponse)
        assert caught.value.code == "NOT_FOUND"
        assert len(caught.value.message) < 300


def test_a_long_refusal_is_cut(client: Client) -> None:
    for word in ("a" * 100_000, "ä" * 100_000):
        with pytest.raises(RefusedError) as caught:
            client.ask(cri.ContainerStatusRequest(word), cri.ContainerStatusResponse)
        assert caught.value.code == "NOT_FOUND"
        assert caught.value.message.startswith("there is no container")


def test_a_failure_inside_is_told_without_what_was_raised(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async def broken(request: cri.VersionRequest) -> cri.VersionResponse:
        raise LookupError(f"a secret of {request}")

    async def main() -> grpc.aio.AioRpcError:
        served = server_module.make([Method("Version", cri.VersionRequest, broken)], Log())
        served.add_insecure_port(f"unix:{tmp_path}/s")
        await served.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s") as channel:
                call: Any = channel.unary_unary(METHODS["Version"])
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call(b"")
            return caught.value
        finally:
            await served.stop(None)

    error = asyncio.run(main())
    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "Version failed here: LookupError; the server's log says where"
    assert "in broken" in capfd.readouterr().err
