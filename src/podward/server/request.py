"""A request on its way through the server, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TypeAlias

from msgspec import Struct

from podward.api.caller import NOBODY, User
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.negotiation import DEFAULT, JSON, Accepted
from podward.server.request_info import Query, RequestInfo

_MOST_WARNINGS = 64

BodyReader: TypeAlias = Callable[[], Awaitable[bytes | Status]]
"""Reads the whole body, or says why it is not read."""


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

    Whoever is in `ended` is told when that is.
    """

    pieces: AsyncGenerator[bytes, None]
    media: str = JSON
    ended: list[Callable[[], None]] = []


Answer: TypeAlias = Reply | Stream | Status
"""What comes of a request. A Status is written in the form that the client accepts."""

Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]
"""Answers requests."""
