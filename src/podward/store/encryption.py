"""Values that are encrypted at rest: those under some prefixes, Secrets by default. A store before another store.

A value is written as `podward:aesgcm:v1:ID:`, a nonce of 12 random bytes, and AES-256-GCM's ciphertext with its tag.
The key of the store is the additional data, so a value that somebody moves to another key there cannot be read. A value
under such a prefix that is not encrypted is refused, not passed on: only `encrypt_anew` takes it, as the command does
that rotates the key. Watches share what is decrypted as they share events.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import AsyncIterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from podward.errors import StoreError
from podward.store import key_file
from podward.store.interface import Event, Exists, Mismatch, Page, Store, Stored, Watch
from podward.store.options import SECRETS

_MARK = b"podward:aesgcm:v1:"
_NONCE = 12
_PAGE = 500
_REMEMBERED = 256
"""Events that are kept decrypted, for the watches that come to them a moment later."""


class Sealer:
    """The keys of a file: the first seals, each opens what it sealed."""

    def __init__(self, file: str) -> None:
        """Read the file, or make it. Raises StoreError."""
        self.file = file
        keys = key_file.read_or_make(file)
        self._ciphers = {key.id.encode(): AESGCM(key.secret) for key in keys}
        self._id = keys[0].id.encode()

    def seal(self, key: str, value: bytes) -> bytes:
        """The value as it is stored under this key."""
        nonce = os.urandom(_NONCE)
        return _MARK + self._id + b":" + nonce + self._ciphers[self._id].encrypt(nonce, value, key.encode())

    def open(self, key: str, sealed: bytes) -> bytes:
        """The value that was sealed. Raises StoreError."""
        name, found, rest = sealed[len(_MARK) :].partition(b":")
        if not found or not is_sealed(sealed):
            advice = "somebody wrote it past the server, or before encryption: rotating the key encrypts it"
            raise StoreError("a value is not encrypted", where=key, advice=advice)
        cipher = self._ciphers.get(name)
        if cipher is None:
            advice = f"put the file back that has this key, or add its line to {self.file}"
            raise StoreError(f"a value needs the key {name[:32]!r}, which {self.file} lacks", where=key, advice=advice)
        try:
            return cipher.decrypt(rest[:_NONCE], rest[_NONCE:], key.encode())
        except (InvalidTag, ValueError):
            advice = f"either {self.file} is of another store, or the value was damaged or moved: restore both"
            raise StoreError("a value cannot be decrypted with its key", where=key, advice=advice) from None

    def can_open(self, sealed: bytes) -> bool:
        """Whether the key is here that has sealed this."""
        return sealed[len(_MARK) :].partition(b":")[0] in self._ciphers

    def is_current(self, sealed: bytes) -> bool:
        """Whether the key that seals now has sealed this."""
        return sealed.startswith(_MARK + self._id + b":")


def is_sealed(value: bytes) -> bool:
    """Whether this is how sealed values begin."""
    return value.startswith(_MARK)


class EncryptedStore:
    """A store whose values under `prefixes` are sealed: `podward.store.interface.Store`."""

    def __init__(self, store: Store, sealer: Sealer, prefixes: tuple[str, ...] = SECRETS) -> None:
        self._store = store
        self._sealer = sealer
        self._prefixes = prefixes
        self._events: OrderedDict[int, Event] = OrderedDict()

    async def get(self, key: str, revision: int = 0) -> Stored | None:
        """The value of this key."""
        found = await self._store.get(key, revision)
        return None if found is None else self._opened(found)

    async def list(self, prefix: str, limit: int = 0, start: str = "", revision: int = 0) -> Page:
        """The keys that begin with `prefix`."""
        page = await self._store.list(prefix, limit, start, revision)
        if not any(prefix.startswith(sealed) or sealed.startswith(prefix) for sealed in self._prefixes):
            return page
        items = tuple(self._opened(item) for item in page.items)
        return Page(items, page.revision, more=page.more, remaining=page.remaining)

    async def create(self, key: str, value: bytes) -> Stored | Exists:
        """Store a value under a key that is not there."""
        answer = await self._store.create(key, self._sealed(key, value))
        return self._opened(answer) if isinstance(answer, Stored) else Exists(self._opened(answer.current))

    async def update(self, key: str, value: bytes, expected: int) -> Stored | Mismatch:
        """Replace the value that was written at revision `expected`."""
        return self._answer(await self._store.update(key, self._sealed(key, value), expected))

    async def delete(self, key: str, expected: int) -> Stored | Mismatch:
        """Delete the value that was written at revision `expected`."""
        return self._answer(await self._store.delete(key, expected))

    def watch(self, prefix: str, after: int) -> Watch:
        """The changes of the keys that begin with `prefix`, after revision `after`."""
        return _OpenedWatch(self, self._store.watch(prefix, after))

    async def revision(self) -> int:
        """The revision of the last write."""
        return await self._store.revision()

    async def reach(self, revision: int) -> None:
        """Return once the store has come to this revision."""
        await self._store.reach(revision)

    async def compact(self, before: int) -> None:
        """Forget what only revisions before this one had."""
        await self._store.compact(before)

    async def close(self) -> None:
        """End all watches, let the store go."""
        await self._store.close()

    async def check_key(self) -> None:
        """Look at one value of each prefix: has the file its key? Raises StoreError."""
        for prefix in self._prefixes:
            for item in (await self._store.list(prefix, 1)).items:
                if is_sealed(item.value) and not self._sealer.can_open(item.value):
                    self._opened(item)

    async def encrypt_anew(self) -> int:
        """Seal everything with the first key of the file, also what was never sealed; how many values that were.

        What history has of older seals is forgotten.
        """
        number = 0
        for prefix in self._prefixes:
            start, more = prefix, True
            while more:
                page = await self._store.list(prefix, _PAGE, start)
                for item in page.items:
                    number += await self._seal_anew(item)
                more = page.more
                start = f"{page.items[-1].key}\0" if page.items else prefix
        await self._store.compact(await self._store.revision())
        return number

    def opened_event(self, event: Event) -> Event:
        """The event with its values opened: the same object for all who ask."""
        if not event.stored.key.startswith(self._prefixes):
            return event
        revision = event.stored.revision
        known = self._events.get(revision)
        if known is None:
            key = event.stored.key
            previous = None if event.previous is None else self._sealer.open(key, event.previous)
            known = self._events[revision] = Event(event.type, self._opened(event.stored), previous)
            if len(self._events) > _REMEMBERED:
                self._events.popitem(last=False)
        return known

    async def _seal_anew(self, item: Stored) -> int:
        current: Stored | None = item
        while current is not None and not self._sealer.is_current(current.value):
            plain = self._sealer.open(current.key, current.value) if is_sealed(current.value) else current.value
            answer = await self._store.update(current.key, self._sealer.seal(current.key, plain), current.revision)
            if isinstance(answer, Stored):
                return 1
            current = answer.current
        return 0

    def _sealed(self, key: str, value: bytes) -> bytes:
        return self._sealer.seal(key, value) if key.startswith(self._prefixes) else value

    def _opened(self, stored: Stored) -> Stored:
        if not stored.key.startswith(self._prefixes):
            return stored
        return Stored(stored.key, self._sealer.open(stored.key, stored.value), stored.revision, stored.created)

    def _answer(self, answer: Stored | Mismatch) -> Stored | Mismatch:
        if isinstance(answer, Stored):
            return self._opened(answer)
        return answer if answer.current is None else Mismatch(self._opened(answer.current))


class _OpenedWatch:
    """A watch whose events are opened."""

    def __init__(self, store: EncryptedStore, watch: Watch) -> None:
        self._store = store
        self._watch = watch

    @property
    def revision(self) -> int:
        """The revision up to which the reader has been told everything."""
        return self._watch.revision

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        """The next event, waiting for it."""
        return self._store.opened_event(await anext(self._watch))

    async def batch(self) -> tuple[Event, ...]:
        """The next events, as many as are here, waiting for one; empty at the end."""
        return tuple(self._store.opened_event(event) for event in await self._watch.batch())

    def close(self) -> None:
        """End the watch."""
        self._watch.close()


async def rotate(store: Store, file: str, prefixes: tuple[str, ...] = SECRETS) -> int:
    """Make a new key, seal everything of the bare `store` with it, and drop the old ones; how many values that were.

    Cut short, it leaves a file with all keys that are needed, and can be done again. No server may be running: it
    would not know the new key. Raises StoreError.
    """
    key_file.write(file, (key_file.new_key(), *key_file.read_or_make(file)))
    number = await EncryptedStore(store, Sealer(file), prefixes).encrypt_anew()
    key_file.write(file, key_file.read_or_make(file)[:1])
    return number
