"""Random writes, reads of any revision, watches from any revision and compactions, against a model in memory."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.errors import CompactedError
from podward.store.interface import Event, Exists, Mismatch, Store, Stored
from podward.store.sqlite.store import SqliteStore

KEYS = ("/a/x", "/a/y", "/a/z", "/aa", "/b/x", "/b/é")
PREFIXES = ("/", "/a/", "/a", "/b/", "/b/x", "/c/")

Step = tuple[str, str, bytes, bool]
"""A verb, a key, a value, and whether the revision that is expected is the right one."""

steps = st.lists(
    st.tuples(
        st.sampled_from(("create", "create", "update", "update", "delete", "compact")),
        st.sampled_from(KEYS),
        st.binary(max_size=4),
        st.sampled_from((True, True, True, False)),
    ),
    max_size=30,
)


@dataclass
class Model:
    """What a store must say, by keeping every state."""

    revision: int
    compacted: int = 0
    states: dict[int, dict[str, Stored]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.states[self.revision] = {}

    @property
    def now(self) -> dict[str, Stored]:
        return self.states[self.revision]

    def put(self, key: str, value: bytes) -> Stored:
        before = self.now.get(key)
        stored = Stored(key, value, self.revision + 1, before.created if before else self.revision + 1)
        self._step(Event("PUT", stored, before.value if before else None), {**self.now, key: stored})
        return stored

    def delete(self, key: str) -> Stored:
        before = self.now[key]
        stored = Stored(key, before.value, self.revision + 1, before.created)
        left = {name: each for name, each in self.now.items() if name != key}
        self._step(Event("DELETE", stored, before.value), left)
        return stored

    def _step(self, event: Event, state: dict[str, Stored]) -> None:
        self.revision += 1
        self.events.append(event)
        self.states[self.revision] = state


async def take(store: Store, model: Model, step: Step) -> None:
    verb, key, value, right = step
    current = model.now.get(key)
    expected = (current.revision if current else 1) + (0 if right else 1)
    if verb == "create":
        wanted: object = Exists(current) if current else model.put(key, value)
        assert await store.create(key, value) == wanted
    elif verb == "update":
        wanted = model.put(key, value) if current and right else Mismatch(current)
        assert await store.update(key, value, expected) == wanted
    elif verb == "delete":
        wanted = model.delete(key) if current and right else Mismatch(current)
        assert await store.delete(key, expected) == wanted
    else:
        model.compacted = max(model.compacted, (model.compacted + model.revision) // 2)
        await store.compact(model.compacted)


async def compare(store: Store, model: Model, prefix: str, limit: int) -> None:
    """Every revision, read and watched."""
    for revision, state in model.states.items():
        if revision < model.compacted:
            with pytest.raises(CompactedError):
                await store.list(prefix, revision=revision)
            continue
        wanted = [state[key] for key in sorted(state) if key.startswith(prefix)]
        start, found = "", list[Stored]()
        while True:
            page = await store.list(prefix, limit, start, revision)
            assert page.revision == revision
            assert len(page.items) + page.remaining == len(wanted) - len(found)
            found += page.items
            if not page.more:
                break
            start = page.items[-1].key + "\0"
        assert found == wanted
        assert [await store.get(key, revision) for key in KEYS] == [state.get(key) for key in KEYS]
        await watched(store, model, prefix, revision)
    page = await store.list(prefix)
    assert list(page.items) == [model.now[key] for key in sorted(model.now) if key.startswith(prefix)]


async def watched(store: Store, model: Model, prefix: str, after: int) -> None:
    wanted = [event for event in model.events if event.stored.revision > after and event.stored.key.startswith(prefix)]
    watch = store.watch(prefix, after)
    found: list[Event] = []
    while len(found) < len(wanted):
        found += await asyncio.wait_for(watch.batch(), 10)
    assert found == wanted
    watch.close()


async def told_live(store: Store, model: Model, taken: list[Step], prefix: str) -> None:
    """What a watch tells that is there from the start, while the steps are taken."""
    watch = store.watch(prefix, model.revision)
    told: list[Event] = []

    async def read() -> None:
        while events := await watch.batch():
            told.extend(events)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    for step in taken:
        await take(store, model, step)
    await asyncio.sleep(0)
    watch.close()
    await reading
    wanted = [event for event in model.events if event.stored.key.startswith(prefix)]
    assert told == wanted[: len(told)]
    assert len(told) >= len(wanted) - 1


@pytest.mark.proof
@settings(max_examples=examples(40, 60))
@given(steps, st.sampled_from(PREFIXES), st.integers(1, 4))
def test_sqlite_does_what_the_model_does(taken: list[Step], prefix: str, limit: int) -> None:
    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as directory:
            store = SqliteStore.open(directory, compaction_interval=0)
            model = Model(await store.revision())
            await told_live(store, model, taken, prefix)
            await compare(store, model, prefix, limit)
            await store.close()

    asyncio.run(scenario())
