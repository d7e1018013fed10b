"""A request to speak another protocol, passed on: `runtime.streaming.tunnel`, as an answer of the server."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import TYPE_CHECKING

from podward.api import status
from podward.api.status import Status
from podward.runtime.streaming import translating, tunnel
from podward.server.proxying import heads
from podward.server.request import Stream, Taken
from podward.server.webhooks.client import fault_of_connection

if TYPE_CHECKING:
    from podward.runtime.streaming.remote_command import Asked
    from podward.server.proxying.target import Target
    from podward.server.request import Request


def wants(request: Request) -> bool:
    """Whether the client wants to speak another protocol."""
    return tunnel.wants_upgrade(heads.items_of(request.headers))


def wants_socket(request: Request) -> bool:
    """Whether that is a WebSocket."""
    return wants(request) and request.headers.get("Upgrade", "").strip().lower() == "websocket"


def translated(target: Target, request: Request, asked: Asked | None) -> Taken | None:
    """What newer clients speak over WebSockets, for a node that does not: None where that is not so.

    `asked` says what a command has streams for; None of a port-forward.
    """
    if not wants_socket(request) or not translating.is_newer(request.headers.get("Sec-WebSocket-Protocol", "")):
        return None
    to = tunnel.Asked(target.host, target.port, "POST", target.line, [], target.tls)
    if asked is None:
        return Taken(partial(translating.ports, target=to))
    return Taken(partial(translating.command, asked=asked, target=to))


async def passed(target: Target, request: Request) -> Taken | Stream | Status:
    """What comes of a request to speak another protocol."""
    headers = heads.of_upgrade(heads.items_of(request.headers), request.address)
    found = await tunnel.connect(
        tunnel.Asked(target.host, target.port, request.method, target.line, headers, target.tls)
    )
    if isinstance(found, tunnel.Unreached):
        return unreached(found, target)
    if isinstance(found, tunnel.Connected):
        return Taken(partial(tunnel.serve, connected=found))
    kept = tuple(each for each in heads.of_answer(found.headers) if each[0].lower() != "content-length")
    return Stream(_one(found.body), media="", code=found.code, length=len(found.body), headers=kept)


def unreached(found: tunnel.Unreached, target: Target) -> Status:
    """Why the other server was not reached, in the real server's words."""
    if isinstance(found.error, TimeoutError) and found.error.errno is None:
        why = f"dial tcp {target.place}: i/o timeout"
    elif isinstance(found.error, OSError):
        why = fault_of_connection(found.error, target.url)
    else:
        why = "EOF" if isinstance(found.error, EOFError) else str(found.error)
    return status.unexplained(f"{found.doing}: {why}" if found.doing else why)


async def _one(piece: bytes) -> AsyncGenerator[bytes, None]:
    yield piece
