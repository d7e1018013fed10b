"""How a client and we agree on a protocol, and how long either may keep the other waiting.

Specification (Kubernetes, k8s.io/streaming `httpstream` and `wsstream`, in our words): the first of the client's
protocols that we have is taken. A SPDY client names them in X-Stream-Protocol-Version: none is 400, none that we have
403 with what we have. A WebSocket client names sub-protocols, or none, which means the oldest; none that we have is
403.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from msgspec import Struct

PROTOCOL_VERSION = "X-Stream-Protocol-Version"
ACCEPTED_VERSIONS = "X-Accepted-Stream-Protocol-Versions"
SUB_PROTOCOL = "Sec-WebSocket-Protocol"
SPDY = "SPDY/3.1"


class Patience(Struct, frozen=True):
    """For how many seconds: nothing may come or go, and a client may take to open its streams."""

    idle: float = 4 * 60 * 60
    creation: float = 30


def is_websocket(request: web.BaseRequest) -> bool:
    """Whether a WebSocket is asked for; else it is SPDY, or a mistake."""
    return request.headers.get("Upgrade", "").strip().lower() == "websocket" and _upgrades(request)


def spdy_protocol(request: web.BaseRequest, ours: Sequence[str]) -> str | web.Response:
    """The protocol to speak over SPDY, or the answer that refuses."""
    if PROTOCOL_VERSION not in request.headers:
        number = len(request.headers)
        return refusal(400, f"header {PROTOCOL_VERSION} does not exist in request with {number} headers")
    theirs = _listed(request, PROTOCOL_VERSION)
    if not theirs:
        return refusal(400, f"header {PROTOCOL_VERSION} contains no valid protocols")
    protocol = next((each for each in theirs if each in ours), None)
    if protocol is None:
        names = f"client supports [{' '.join(theirs)}], server accepts [{' '.join(ours)}]"
        answer = refusal(403, f"unable to negotiate protocol: {names}")
        for each in ours:
            answer.headers.add(ACCEPTED_VERSIONS, each)
        return answer
    if not _upgrades(request) or SPDY.lower() not in request.headers.get("Upgrade", "").lower():
        return refusal(400, "missing upgrade headers in request")
    return protocol


def websocket_protocol(request: web.BaseRequest, ours: Sequence[str]) -> str | web.Response:
    """The sub-protocol to speak, "" for the oldest, or the answer that refuses."""
    if request.method != "GET":
        return refusal(405, "a WebSocket is asked for with GET")
    theirs = _listed(request, SUB_PROTOCOL) or [""]
    protocol = next((each for each in theirs if each in ours), None)
    if protocol is None:
        names = f"requested protocol(s) are not supported: [{' '.join(theirs)}]; supports [{' '.join(ours)}]"
        return refusal(403, names)
    return protocol


def refusal(status: int, why: str) -> web.Response:
    """An answer that refuses to upgrade."""
    return web.Response(status=status, text=f"unable to upgrade: {why}\n")


@asynccontextmanager
async def while_active(seconds: float) -> AsyncIterator[Callable[[], None]]:
    """Break off what happens within once nothing was active for so long; calling what is given counts as activity."""
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(seconds)

    def active() -> None:
        if not limit.expired():
            limit.reschedule(loop.time() + seconds)

    try:
        async with limit:
            yield active
    except TimeoutError:
        if not limit.expired():
            raise


def _upgrades(request: web.BaseRequest) -> bool:
    return any("upgrade" in value.lower() for value in request.headers.getall("Connection", []))


def _listed(request: web.BaseRequest, header: str) -> list[str]:
    """The values of a header that may come several times, each a list."""
    values = ",".join(request.headers.getall(header, []))
    return [each for value in values.split(",") if (each := value.strip())]
