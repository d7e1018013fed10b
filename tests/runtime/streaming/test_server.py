"""URLs of streams: one token for one connection, of its own kind, for a minute, on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streaming_clients import LocalProvider, served, upgraded, url_of

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import AttachRequest, ExecRequest, PortForwardRequest
from podward.errors import UsageError
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.streaming.tokens import MOST, SECONDS, Tokens

TRUE = ExecRequest("c1", ("true",), stdout=True)


def run(work: Coroutine[None, None, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 60))


def test_a_url_works_once() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server, aiohttp.ClientSession() as session:
            url = url_of(server.exec_url(TRUE))
            await upgraded(url, "v4.channel.k8s.io")
            async with session.post(url) as again:
                assert (again.status, await again.text()) == (404, "404 page not found\n")

    run(work())


@pytest.mark.parametrize("kind", ["attach", "portforward"])
def test_a_token_is_of_its_own_kind_and_used_up_by_trying_another(kind: str) -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server, aiohttp.ClientSession() as session:
            url = url_of(server.exec_url(TRUE))
            for each in (url.replace("/exec/", f"/{kind}/"), url):
                async with session.post(each) as answer:
                    assert answer.status == 404

    run(work())


def test_other_methods_are_not_allowed_and_use_nothing_up() -> None:
    async def work() -> None:
        async with served(LocalProvider()) as server, aiohttp.ClientSession() as session:
            url = url_of(server.exec_url(TRUE))
            async with session.put(url) as answer:
                assert answer.status == 405
            await upgraded(url, "v4.channel.k8s.io")

    run(work())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ExecRequest(cmd=("true",), stdout=True), "missing required container_id"),
        (ExecRequest("c", ("true",), tty=True, stdout=True, stderr=True), "tty and stderr cannot both be true"),
        (ExecRequest("c", ("true",)), "one of stdin, stdout, or stderr must be set"),
        (AttachRequest(stdout=True), "missing required container_id"),
        (AttachRequest("c", tty=True, stdout=True, stderr=True), "tty and stderr cannot both be true"),
        (AttachRequest("c"), "one of stdin, stdout, and stderr must be set"),
        (PortForwardRequest(), "missing required pod_sandbox_id"),
    ],
)
def test_requests_without_sense_are_refused(
    request_: ExecRequest | AttachRequest | PortForwardRequest, message: str
) -> None:
    server = StreamingServer(LocalProvider())
    match request_:
        case ExecRequest():
            answered = server.exec_url(request_)
        case AttachRequest():
            answered = server.attach_url(request_)
        case _:
            answered = server.port_forward_url(request_)
    assert answered == CriRefusal(CriCode.INVALID_ARGUMENT, message)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104 - refused
def test_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(UsageError, match="this machine's own"):
        StreamingServer(LocalProvider(), host=host)


def test_stopping_ends_connections_and_no_process() -> None:
    async def work() -> None:
        provider = LocalProvider()
        server = StreamingServer(provider)
        await server.start()
        peer = await upgraded(
            url_of(server.exec_url(ExecRequest("c1", ("sleep", "100"), stdout=True))), "v4.channel.k8s.io"
        )
        for name in ("stdout", "error"):
            await peer.open(stream_type=name)
        while not provider.processes:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
        parting = asyncio.create_task(peer.to_the_end())
        await server.stop()
        await parting
        assert provider.processes[0].poll() is None
        provider.end()

    run(work())


def test_a_token_counts_for_a_minute() -> None:
    now = [0.0]
    tokens: Tokens[str] = Tokens(lambda: now[0])
    early, late = tokens.give("early"), tokens.give("late")
    assert isinstance(early, str)
    assert isinstance(late, str)
    now[0] = SECONDS
    assert tokens.take(early) == "early"
    now[0] += 0.1
    assert tokens.take(late) is None


def test_a_token_is_taken_once_and_not_guessed() -> None:
    tokens: Tokens[str] = Tokens(lambda: 0.0)
    given = [tokens.give("request") for _ in range(100)]
    assert len(set(given)) == 100
    assert all(isinstance(token, str) and len(token) >= 20 for token in given)
    first = given[0]
    assert isinstance(first, str)
    assert (tokens.take(first), tokens.take(first), tokens.take("")) == ("request", None, None)


def test_only_so_many_wait_and_old_ones_make_room() -> None:
    now = [0.0]
    tokens: Tokens[int] = Tokens(lambda: now[0])
    for number in range(MOST):
        assert isinstance(tokens.give(number), str)
    refused = tokens.give(MOST)
    assert isinstance(refused, CriRefusal)
    assert refused.code is CriCode.RESOURCE_EXHAUSTED
    assert refused.message.startswith("maximum number of in-flight requests exceeded")
    now[0] = SECONDS + 1
    assert isinstance(tokens.give(0), str)


def test_a_connection_that_asks_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podward.runtime.streaming.server._SECONDS_TO_ASK", 0.1)

    async def work() -> None:
        async with served(LocalProvider()) as server:
            where = urlsplit(url_of(server.exec_url(TRUE)))
            silent, writer = await asyncio.open_connection(where.hostname, where.port)
            assert await silent.read() == b""
            writer.close()

    run(work())


def test_there_are_only_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podward.runtime.streaming.server._MOST_CONNECTIONS", 1)

    async def work() -> None:
        async with served(LocalProvider()) as server:
            url = url_of(server.exec_url(TRUE))
            peer = await upgraded(url, "v4.channel.k8s.io")
            one_more, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
            assert await asyncio.wait_for(one_more.read(), 5) == b""
            writer.close()
            await peer.send(peer.frames.ping())
            await peer.until(lambda: bool(peer.events))

    run(work())


@settings(max_examples=20)
@given(st.binary(max_size=500), st.booleans())
def test_whatever_a_client_sends_the_server_goes_on(junk: bytes, after_an_upgrade: bool) -> None:  # noqa: FBT001 - drawn
    async def work() -> None:
        async with served(LocalProvider()) as server:
            if after_an_upgrade:
                peer = await upgraded(url_of(server.exec_url(TRUE)), "v4.channel.k8s.io")
                await peer.send(junk)
                peer.leave()
            where = urlsplit(url_of(server.exec_url(TRUE)))
            _, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(junk)
            writer.close()
            await upgraded(where.geturl(), "v4.channel.k8s.io")

    run(work())
