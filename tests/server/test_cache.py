"""A cache, and who follows it, know what changed while the store could not be followed."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from podward.errors import StoreError
from podward.server import cache as cache_module
from podward.server.cache import Cache
from podward.store.interface import Event, Page, Store, Stored


class _Watch:
    """A watch that fails as soon as it is told to."""

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.failing = asyncio.Event()

    async def batch(self) -> tuple[Event, ...]:
        await self.failing.wait()
        raise StoreError("the connection is lost")

    def close(self) -> None:
        self.failing.set()


class _Store:
    """A store that has these objects, and cannot be listed for a while."""

    def __init__(self, *items: Stored) -> None:
        self.items = items
        self.failures = 0
        self.watches: list[_Watch] = []
        self.followed_again = asyncio.Event()

    async def list(self, _prefix: str) -> Page:
        if self.watches and self.failures:
            self.failures -= 1
            raise StoreError("the connection is lost")
        return Page(self.items, max(item.revision for item in self.items), more=False, remaining=0)

    def watch(self, _prefix: str, after: int) -> _Watch:
        if self.watches:
            self.followed_again.set()
        self.watches.append(_Watch(after))
        return self.watches[-1]


def _stored(name: str, revision: int) -> Stored:
    return Stored(f"/registry/things/{name}", b"{}", revision, 2)


async def _told(after: tuple[Stored, ...], failures: int, *, one_fails: bool = False) -> list[tuple[str, str]]:
    store = _Store(_stored("changed", 2), _stored("gone", 3), _stored("same", 4))
    cache, told = Cache(cast("Store", store), "/registry/things/"), list[tuple[str, str]]()
    await cache.start()

    def fail(_event: Event) -> None:
        raise KeyError

    cache.listeners += [fail] if one_fails else []
    cache.listeners.append(lambda event: told.append((event.type, event.stored.key.rpartition("/")[2])))
    store.items, store.failures = after, failures
    store.watches[-1].failing.set()
    async with asyncio.timeout(5):
        await store.followed_again.wait()
    assert [item.stored for item in cache.items(cache.prefix)] == list(after)
    await cache.close()
    return told


AFTER = (_stored("changed", 6), _stored("new", 7), _stored("same", 4))
CHANGES = [("DELETE", "gone"), ("PUT", "changed"), ("PUT", "new")]


@pytest.mark.parametrize(("failures", "one_fails"), [(0, False), (2, False), (0, True)])
def test_listeners_are_told_of_what_was_missed(
    monkeypatch: pytest.MonkeyPatch, failures: int, *, one_fails: bool
) -> None:
    monkeypatch.setattr(cache_module, "_RETRY", 0.01)
    assert asyncio.run(_told(AFTER, failures, one_fails=one_fails)) == CHANGES
