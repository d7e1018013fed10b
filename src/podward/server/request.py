"""A request on its way through the server, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from podward.api.caller import NOBODY, User
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.negotiation import DEFAULT, JSON, Accepted
from podward.server.request_info import Query, RequestInfo

if TYPE_CHECKING:
    from aiohttp import web

_MOST_WARNINGS = 64

BodyReader: TypeAlias = Callable[[], Awaitable[bytes | Status]]
"""Reads the whole body, or says why it is not read."""


BodyPieces: TypeAlias = Callable[[], AsyncIterator[bytes]]
"""Gives the body as it comes, however long it is: for who passes it on."""


async def no_pieces() -> AsyncIterator[bytes]:
    """The pieces of no body."""
    for piece in tuple[bytes]():
        yield piece


class Request(Struct):
    """One request: what was sent, what it is about, and what was learnt of it on the way.

    `user` is whom the authenticators named; it is only set by the chain. `warnings` go into the answer's headers.
    `certificate` is the client's, verified, in DER; None without one. `audit` holds annotations for the audit log;
    `audit_of_bodies` those that only a log with the bodies of requests may have. `target` is the path and query as
    they were sent, `received` when that was, in seconds since 1970. `sent` is what the body said, once it was read: an
    object, or a patch as it came.
    """

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    info: RequestInfo
    body: BodyReader
    address: str = ""
    certificate: bytes | None = None
    user: User = NOBODY
    accepted: Accepted = DEFAULT
    warnings: list[str] = []
    audit: dict[str, str] = {}
    audit_of_bodies: dict[str, str] = {}
    audit_id: str = ""
    target: str = ""
    received: float = 0.0
    sent: JsonObject | bytes | None = None
    pieces: BodyPieces = no_pieces

    def warn(self, text: str) -> None:
        """Tell the client something beside the answer, once. Of many things the first are told: they are headers."""
        if len(self.warnings) < _MOST_WARNINGS and text not in self.warnings:
            self.warnings.append(text)

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""
        return self.headers.get("User-Agent", "")

    def manager(self, named: str) -> str:
        """The field manager: the named one, or the first part of the client's name for itself."""
        if named:
            return named
        plain = "".join(char for char in self.user_agent.partition("/")[0] if char.isprintable())
        return plain.encode()[:128].decode(errors="ignore") or "unknown"


class Reply(Struct, frozen=True):
    """An answer that is there as a whole. `document` is the JSON that the body says in another way."""

    code: int
    body: bytes
    media: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    document: bytes = b""


class Stream(Struct, frozen=True):
    """An answer that is written piece by piece, until there is no more, or the client goes away.

    Whoever is in `ended` is told when that is. A client that reads nothing is let go after a while, unless we are
    `patient`: then what waits for it waits at another server. `length` is that of the whole, where it is known.
    """

    pieces: AsyncGenerator[bytes, None]
    media: str = JSON
    ended: list[Callable[[], None]] = []
    code: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    patient: bool = False
    length: int | None = None


class Taken(Struct, frozen=True):
    """The connection itself is taken: `serve` answers, speaks what was agreed on, and returns at the end of it."""

    serve: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
    code: int = 101
    ended: list[Callable[[], None]] = []


Lasting: TypeAlias = Stream | Taken
"""An answer that has an end of its own, which others are told."""

Answer: TypeAlias = Reply | Stream | Taken | Status
"""What comes of a request. A Status is written in the form that the client accepts."""

Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""Answers requests."""
