"""What a controller has written, until its informer has it: who looks in between sees no older state.

Specification: Kubernetes, resourceVersions of one resource are ordered numbers. client-go's controllers count what they
expect instead, and wait; here the answers of writes stand in for what the watch will bring.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.client.informer import Change, Informer, key_of
from podward.documents.raw_fields import member

_FORGOTTEN_AFTER = 30.0
"""Seconds after which a write that the watch never told of is forgotten: the object was gone before it came."""
_REMEMBERED = 256
"""How many objects that are gone are known, as answers may come after the watch has told of their end."""


class _Entry(Struct, frozen=True, gc=False):
    state: JsonObject | None
    uid: object
    at: float


class Written:
    """The objects of an informer, with what was written since over them. Nobody may change them."""

    def __init__(self, informer: Informer, foreign: Callable[[Change], None] = lambda _change: None) -> None:
        """`foreign` is told of the changes that somebody else made."""
        self._informer = informer
        self._foreign = foreign
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._ended: collections.deque[object] = collections.deque(maxlen=_REMEMBERED)
        informer.listeners.append(self._take)

    def put(self, obj: JsonObject) -> None:
        """Note what the server answered to a write; an object that nothing holds back any more is gone."""
        metadata, key = member(obj, "metadata"), key_of(obj)
        if metadata.get("deletionTimestamp") and not (
            metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        ):
            self.gone(obj)
            return
        known = self._informer.get(*key)
        if known is None and _uid(obj) in self._ended:
            return  # the watch was quicker
        if known is None or revision_of(known) < revision_of(obj):
            self._entries[key] = _Entry(obj, _uid(obj), time.monotonic())

    def gone(self, obj: JsonObject) -> None:
        """Note that an object was deleted."""
        key = key_of(obj)
        known = self._informer.get(*key)
        if known is not None and _uid(known) == _uid(obj):
            self._entries[key] = _Entry(None, _uid(obj), time.monotonic())
        else:
            self._entries.pop(key, None)

    def get(self, namespace: str, name: str) -> JsonObject | None:
        """An object as it is, as far as anybody knows here."""
        entry = self._current((namespace, name))
        return self._informer.get(namespace, name) if entry is None else entry.state

    def items(self, namespace: str) -> Iterable[JsonObject]:
        """The objects of a namespace."""
        found = {key_of(obj): obj for obj in self._informer.items(namespace)}
        for key in [key for key in self._entries if key[0] == namespace]:
            entry = self._current(key)
            if entry is None:
                continue
            if entry.state is None:
                found.pop(key, None)
            else:
                found[key] = entry.state
        return found.values()

    def _current(self, key: tuple[str, str]) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and time.monotonic() - entry.at > _FORGOTTEN_AFTER:
            del self._entries[key]
            return None
        return entry

    def _take(self, change: Change) -> None:
        key = key_of(change.object)
        if change.new is None:
            self._ended.append(_uid(change.object))
        entry = self._entries.get(key)
        if entry is None:
            self._foreign(change)
            return
        new, state = change.new, entry.state
        if new is None:
            ended = _uid(change.object) == entry.uid
            own = ended and state is None
        elif state is None:
            ended, own = _uid(new) != entry.uid, False
        else:
            ended, own = revision_of(new) >= revision_of(state), revision_of(new) <= revision_of(state)
        if ended:
            del self._entries[key]
        if not own:
            self._foreign(change)


def revision_of(obj: JsonObject) -> int:
    """The number of an object's version; 0 where it has none."""
    written = member(obj, "metadata").get("resourceVersion")
    return int(written) if isinstance(written, str) and written.isascii() and written.isdecimal() else 0


def _uid(obj: JsonObject) -> object:
    return member(obj, "metadata").get("uid")
