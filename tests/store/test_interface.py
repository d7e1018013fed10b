"""What every store promises: one suite for all of them."""

from __future__ import annotations

import asyncio

import pytest

from podward.errors import CompactedError, FutureRevisionError
from podward.store import future_revision
from podward.store.interface import Event, Exists, Mismatch, Store, Stored, Watch

PODS = "/registry/pods/"
FUTURE = 1_000_000_000


async def put(store: Store, key: str, value: bytes = b"{}") -> Stored:
    """Create the key, or replace what it has."""
    made = await store.create(key, value)
    if isinstance(made, Exists):
        replaced = await store.update(key, value, made.current.revision)
        assert isinstance(replaced, Stored)
        return replaced
    return made


async def remove(store: Store, key: str) -> Stored:
    found = await store.get(key)
    assert found is not None
    deleted = await store.delete(key, found.revision)
    assert isinstance(deleted, Stored)
    return deleted


async def events(store: Store, prefix: str, after: int, number: int) -> list[Event]:
    watch = store.watch(prefix, after)
    found: list[Event] = []
    async with asyncio.timeout(10):
        while len(found) < number:
            found += await watch.batch()
    watch.close()
    return found


async def read_to_the_end(watch: Watch) -> None:
    while await watch.batch():
        pass


async def test_what_was_created_is_there(store: Store) -> None:
    made = await store.create("/registry/pods/default/web", b'{"kind":"Pod"}')
    assert isinstance(made, Stored)
    assert made == await store.get("/registry/pods/default/web")
    assert made.created == made.revision == await store.revision()
    assert made.revision > 1


async def test_what_was_never_created_is_not_there(store: Store) -> None:
    await put(store, "/registry/pods/default/web")
    assert await store.get("/registry/pods/default/we") is None


async def test_a_value_may_hold_any_bytes(store: Store) -> None:
    for number, value in enumerate((b"", b"\0", bytes(range(256)) * 4000)):
        await store.create(f"/v/{number}", value)
        found = await store.get(f"/v/{number}")
        assert found is not None
        assert found.value == value


async def test_a_key_that_is_there_is_not_created_again(store: Store) -> None:
    made = await put(store, "/a", b"one")
    assert await store.create("/a", b"two") == Exists(made)
    assert await store.get("/a") == made


async def test_an_update_replaces_what_it_expects(store: Store) -> None:
    made = await put(store, "/a", b"one")
    other = await put(store, "/b")
    updated = await store.update("/a", b"two", made.revision)
    assert updated == Stored("/a", b"two", other.revision + 1, made.created)
    assert updated == await store.get("/a")


async def test_an_update_that_expects_something_else_is_refused(store: Store) -> None:
    made = await put(store, "/a", b"one")
    current = await put(store, "/a", b"two")
    assert await store.update("/a", b"three", made.revision) == Mismatch(current)
    assert await store.update("/a", b"three", 0) == Mismatch(current)
    assert await store.update("/b", b"three", made.revision) == Mismatch(None)
    assert await store.update("/b", b"three", 0) == Mismatch(None)
    assert await store.revision() == current.revision


async def test_a_deletion_removes_what_it_expects(store: Store) -> None:
    made = await put(store, "/a", b"one")
    assert await store.delete("/a", made.revision) == Stored("/a", b"one", made.revision + 1, made.created)
    assert await store.get("/a") is None
    assert await store.delete("/a", made.revision) == Mismatch(None)


async def test_a_deletion_that_expects_something_else_is_refused(store: Store) -> None:
    made = await put(store, "/a", b"one")
    current = await put(store, "/a", b"two")
    assert await store.delete("/a", made.revision) == Mismatch(current)
    assert await store.delete("/a", 0) == Mismatch(current)
    assert await store.get("/a") == current


async def test_a_key_that_was_deleted_can_be_created_anew(store: Store) -> None:
    await put(store, "/a")
    deleted = await remove(store, "/a")
    again = await put(store, "/a", b"again")
    assert again.created == again.revision == deleted.revision + 1


async def test_of_many_who_expect_the_same_one_succeeds(store: Store) -> None:
    made = await put(store, "/a")
    answers = await asyncio.gather(*(store.update("/a", b"%d" % n, made.revision) for n in range(20)))
    [winner] = [answer for answer in answers if isinstance(answer, Stored)]
    assert winner == await store.get("/a")
    assert all(answer == Mismatch(winner) for answer in answers if answer is not winner)
    creates = await asyncio.gather(*(store.create("/b", b"%d" % n) for n in range(20)))
    assert len([answer for answer in creates if isinstance(answer, Stored)]) == 1


async def test_revisions_of_many_writers_are_all_different(store: Store) -> None:
    answers = await asyncio.gather(*(store.create(f"/a/{n}", b"") for n in range(50)))
    revisions = [answer.revision for answer in answers if isinstance(answer, Stored)]
    assert len(set(revisions)) == 50
    assert max(revisions) == await store.revision()


async def test_a_list_is_sorted_and_has_what_begins_with_the_prefix(store: Store) -> None:
    for key in ("/registry/pods/b/x", "/registry/pods/a/z", "/registry/podsa", "/registry/pods/a/é", "/registry/pod"):
        await put(store, key)
    page = await store.list(PODS)
    assert [item.key for item in page.items] == ["/registry/pods/a/z", "/registry/pods/a/é", "/registry/pods/b/x"]
    assert (page.more, page.remaining, page.revision) == (False, 0, await store.revision())


async def test_a_list_of_nothing_has_a_revision(store: Store) -> None:
    page = await store.list(PODS)
    assert (page.items, page.more) == ((), False)
    assert page.revision == await store.revision() >= 1


async def test_a_list_comes_in_pages(store: Store) -> None:
    for name in "abcde":
        await put(store, PODS + name)
    first = await store.list(PODS, limit=2)
    assert ([item.key[-1] for item in first.items], first.more, first.remaining) == (["a", "b"], True, 3)
    await remove(store, PODS + "c")
    await put(store, PODS + "bb")
    await put(store, PODS + "d", b"changed")
    second = await store.list(PODS, limit=2, start=first.items[-1].key + "\0", revision=first.revision)
    assert ([item.key[-1] for item in second.items], second.more, second.remaining) == (["c", "d"], True, 1)
    assert second.items[1].value == b"{}"
    assert second.revision == first.revision
    third = await store.list(PODS, limit=2, start=second.items[-1].key + "\0", revision=first.revision)
    assert ([item.key[-1] for item in third.items], third.more, third.remaining) == (["e"], False, 0)


async def test_what_was_can_be_read(store: Store) -> None:
    before = await store.revision()
    one = await put(store, "/a", b"one")
    two = await put(store, "/a", b"two")
    gone = await remove(store, "/a")
    again = await put(store, "/a", b"again")
    for revision, value in (
        (before, None),
        (one.revision, one),
        (two.revision, two),
        (gone.revision, None),
        (again.revision, again),
    ):
        assert await store.get("/a", revision) == value, revision
        assert (await store.list("/a", revision=revision)).items == ((value,) if value else ())


async def test_a_revision_of_the_future_is_waited_for(store: Store) -> None:
    made = await put(store, "/a")
    reading = asyncio.create_task(store.get("/a", made.revision + 1))
    await asyncio.sleep(0.01)
    assert not reading.done()
    assert await put(store, "/a", b"two") == await reading


async def test_a_revision_that_does_not_come_is_an_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(future_revision, "PATIENCE", 0.1)
    made = await put(store, "/a")
    for asked in (
        store.get("/a", FUTURE),
        store.list("/", revision=FUTURE),
        store.reach(FUTURE),
        store.compact(FUTURE),
    ):
        with pytest.raises(FutureRevisionError) as caught:
            await asked
        assert (caught.value.revision, caught.value.current) == (FUTURE, made.revision)


async def test_a_watch_tells_of_each_change(store: Store) -> None:
    before = await store.revision()
    watch = store.watch(PODS, before)
    made = await put(store, PODS + "a", b"one")
    await put(store, "/registry/podsa")
    updated = await put(store, PODS + "a", b"two")
    deleted = await remove(store, PODS + "a")
    expected = [Event("PUT", made, None), Event("PUT", updated, b"one"), Event("DELETE", deleted, b"two")]
    async with asyncio.timeout(10):
        found = [await anext(watch) for _ in expected]
    assert found == expected
    assert deleted.value == b"two"
    assert watch.revision == deleted.revision
    watch.close()
    assert await events(store, PODS, before, 3) == expected
    assert await events(store, PODS, made.revision, 2) == expected[1:]


async def test_a_watch_that_waits_is_woken(store: Store) -> None:
    watch = store.watch(PODS, await store.revision())
    waiting = asyncio.create_task(anext(watch))
    await asyncio.sleep(0.01)
    made = await put(store, PODS + "a")
    assert (await asyncio.wait_for(waiting, 10)).stored == made
    watch.close()


async def test_all_watches_are_handed_the_same_object(store: Store) -> None:
    watches = [store.watch(prefix, await store.revision()) for prefix in (PODS, PODS + "a", "/")]
    waiting = [asyncio.create_task(anext(watch)) for watch in watches]
    await asyncio.sleep(0.01)
    await put(store, PODS + "a")
    first, *others = await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert all(other is first for other in others)
    for watch in watches:
        watch.close()


async def test_so_are_those_that_read_what_was(store: Store) -> None:
    start = await store.revision()
    await store.create("/a/1", b"one")
    first, second = store.watch("/a/", start), store.watch("/a/", start)
    events, others = await first.batch(), await second.batch()
    assert [id(event) for event in events] == [id(event) for event in others]
    assert events[0].stored.value == b"one"


async def test_a_watch_from_the_future_starts_there(store: Store) -> None:
    made = await put(store, PODS + "a")
    watch = store.watch(PODS, made.revision + 1)
    waiting = asyncio.create_task(anext(watch))
    await put(store, PODS + "b")
    last = await put(store, PODS + "c")
    assert (await asyncio.wait_for(waiting, 10)).stored == last
    watch.close()


async def test_a_watch_that_is_closed_ends(store: Store) -> None:
    watch = store.watch(PODS, await store.revision())
    waiting = asyncio.create_task(watch.batch())
    await asyncio.sleep(0.01)
    watch.close()
    assert await asyncio.wait_for(waiting, 10) == ()
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


async def test_a_store_that_is_closed_ends_its_watches(store: Store) -> None:
    watch = store.watch(PODS, await store.revision())
    waiting = asyncio.create_task(watch.batch())
    await asyncio.sleep(0.01)
    await store.close()
    assert await asyncio.wait_for(waiting, 10) == ()


async def test_a_reader_that_is_slow_misses_nothing(store: Store) -> None:
    before = await store.revision()
    watch = store.watch(PODS, before)
    first = asyncio.create_task(anext(watch))
    await asyncio.sleep(0.01)
    for number in range(12):
        await asyncio.gather(*(store.create(f"{PODS}{number}-{n}", b"x" * 1000) for n in range(50)))
    found = [await asyncio.wait_for(first, 10)]
    async with asyncio.timeout(30):
        while len(found) < 600:
            found += await watch.batch()
    assert [event.stored.revision for event in found] == list(range(before + 1, before + 601))
    last = asyncio.create_task(anext(watch))
    made = await put(store, PODS + "last")
    assert (await asyncio.wait_for(last, 10)).stored == made
    watch.close()


async def test_what_is_compacted_is_gone(store: Store) -> None:
    one = await put(store, "/a", b"one")
    two = await put(store, "/a", b"two")
    other = await put(store, "/b")
    await remove(store, "/b")
    last = await put(store, "/c")
    await store.compact(last.revision)
    for revision in (one.revision, two.revision, other.revision):
        with pytest.raises(CompactedError):
            await store.get("/a", revision)
        with pytest.raises(CompactedError):
            await store.list("/", revision=revision)
        with pytest.raises(CompactedError):
            await events(store, "/", revision, 1)
    assert (await store.list("/", revision=last.revision)).items == (two, last)
    assert (await store.list("/")).items == (two, last)


async def test_a_compaction_is_never_taken_back(store: Store) -> None:
    one = await put(store, "/a", b"one")
    last = await put(store, "/a", b"two")
    await store.compact(last.revision)
    await store.compact(one.revision)
    with pytest.raises(CompactedError):
        await store.get("/a", one.revision)


async def test_after_a_compaction_changes_have_what_was_before(store: Store) -> None:
    one = await put(store, "/a", b"one")
    await put(store, "/b")
    gone = await remove(store, "/b")
    await store.compact(gone.revision)
    two = await put(store, "/a", b"two")
    assert await events(store, "/", gone.revision, 1) == [Event("PUT", two, b"one")]
    assert two.created == one.created


async def test_the_revision_outlives_the_compaction_of_the_last_deletion(store: Store) -> None:
    await put(store, "/a")
    gone = await remove(store, "/a")
    await store.compact(gone.revision)
    assert (await store.list("/")).revision == gone.revision
    made = await put(store, "/b")
    assert made.revision > gone.revision
    await store.compact(made.revision)
    assert (await store.list("/")).items == (made,)


async def test_a_slow_reader_whose_events_are_forgotten_is_told(store: Store) -> None:
    watch, last = store.watch("/", await store.revision()), store.watch("/11-", await store.revision())
    first = asyncio.create_task(anext(watch))
    await asyncio.sleep(0.01)
    for number in range(12):
        await asyncio.gather(*(store.create(f"/{number}-{n}", b"") for n in range(50)))
    await first
    for _ in range(50):  # all were told of; more than a watch holds
        await anext(last)
    await store.compact(await store.revision())
    with pytest.raises(CompactedError):
        await asyncio.wait_for(read_to_the_end(watch), 10)
