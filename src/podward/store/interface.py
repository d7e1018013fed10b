"""What a store promises, whichever one it is. `tests/store` holds every store to this.

A store maps keys (`/registry/pods/default/web`) to values, which it never looks into. Each successful write gets the
next revision of the whole store; what is read can therefore be read "as of" a revision, and a watch can say which
changes it has told of. Old revisions are forgotten by compaction.

Writes are guarded: each says what it expects to find, and is refused, as a value, if it finds something else. Once
one is acknowledged it outlives the process and the power. A write that raises StoreError may have been done or not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

from msgspec import Struct


class Stored(Struct, frozen=True):
    """A value as it stands in the store: written at `revision`, under a key that is there since `created`."""

    key: str
    value: bytes
    revision: int
    created: int


class Event(Struct, frozen=True, weakref=True):
    """One change. Of a DELETE, `stored` holds the last value and the deletion's revision.

    `previous` is the value before the change; None where there was none. All watches are handed the same object: what
    is made of it for one reader (its JSON, say) can be kept under its revision for the others.
    """

    type: Literal["PUT", "DELETE"]
    stored: Stored
    previous: bytes | None


class Page(Struct, frozen=True):
    """A part of a list: what was asked for, as of `revision`; whether `more` follows, and how many `remaining`."""

    items: tuple[Stored, ...]
    revision: int
    more: bool
    remaining: int


class Exists(Struct, frozen=True):
    """A create was refused: `current` has the key."""

    current: Stored


class Mismatch(Struct, frozen=True):
    """An update or delete was refused: what is there is not what was expected. None: nothing is there."""

    current: Stored | None


class Watch(Protocol):
    """The changes under a prefix in order of their revisions, each once; it ends with `close`, of it or of the store.

    Iterating raises CompactedError where the next event is gone: the reader was, or became, too slow.
    """

    @property
    def revision(self) -> int:
        """The revision up to which the reader has been told everything: what a bookmark says."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """Itself."""

    async def __anext__(self) -> Event:
        """The next event, waiting for it."""

    async def batch(self) -> tuple[Event, ...]:
        """The next events, as many as are here, waiting for one; empty at the end."""

    def close(self) -> None:
        """End the watch: whoever waits for an event is told of the end."""


class Store(Protocol):
    """Keys, values, revisions. Reading raises StoreError where the store fails, and what is said at each method."""

    async def get(self, key: str, revision: int = 0) -> Stored | None:
        """The value of this key, as of `revision` or now (0). Raises CompactedError, FutureRevisionError."""

    async def list(self, prefix: str, limit: int = 0, start: str = "", revision: int = 0) -> Page:
        """The keys that begin with `prefix`, sorted, from `start` on; at most `limit` of them (0: all).

        As of `revision`, or of now (0). Raises CompactedError, FutureRevisionError.
        """

    async def create(self, key: str, value: bytes) -> Stored | Exists:
        """Store a value under a key that is not there."""

    async def update(self, key: str, value: bytes, expected: int) -> Stored | Mismatch:
        """Replace the value that was written at revision `expected`."""

    async def delete(self, key: str, expected: int) -> Stored | Mismatch:
        """Delete the value that was written at revision `expected`. The answer has it, with the deletion's revision."""

    def watch(self, prefix: str, after: int) -> Watch:
        """The changes of the keys that begin with `prefix`, starting with the first after revision `after`."""

    async def revision(self) -> int:
        """The revision of the last write."""

    async def reach(self, revision: int) -> None:
        """Return once the store has come to this revision. Raises FutureRevisionError if it doesn't in 3 seconds."""

    async def compact(self, before: int) -> None:
        """Forget what only revisions before this one had: what was overwritten or deleted until then."""

    async def close(self) -> None:
        """End all watches, finish the writes that are under way, let the store go."""
