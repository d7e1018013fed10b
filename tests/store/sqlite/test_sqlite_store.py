"""What the SQLite store promises beside the interface: its file, its lock, its disk, its compaction."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from podward.errors import CompactedError, StoreError
from podward.store.interface import Stored
from podward.store.sqlite.store import SqliteStore


def open_store(directory: Path, interval: float = 0) -> SqliteStore:
    return SqliteStore.open(str(directory / "data"), compaction_interval=interval)


def rows(directory: Path, table: str) -> int:
    connection = sqlite3.connect(directory / "data/store.db")
    [number] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a table of ours
    connection.close()
    return int(number)


def run_program(source: str, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", source, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


async def test_an_empty_store_gives_its_first_object_the_revision_of_an_empty_etcd(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert await store.revision() == 1
    assert await store.create("/a", b"") == Stored("/a", b"", 2, 2)
    await store.close()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    made = await store.create("/a", b"one")
    await store.close()
    again = open_store(tmp_path)
    assert await again.get("/a") == made
    watch = again.watch("/", 1)
    assert [event.stored for event in await watch.batch()] == [made]
    await again.close()


async def test_large_changes_are_read_from_history_a_few_at_a_time(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for number in range(6):
        await store.create(f"/a{number}", b"x" * 150_000)
    watch = store.watch("/", 1)
    for _ in range(3):
        assert len(await watch.batch()) == 2
    await store.close()


async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.create("/a", b"one")
    assert os.stat(tmp_path / "data").st_mode & 0o7777 == 0o700
    names = sorted(os.listdir(tmp_path / "data"))
    assert names == ["store.db", "store.db-shm", "store.db-wal", "store.lock"]
    assert {os.stat(tmp_path / "data" / name).st_mode & 0o7777 for name in names} == {0o600}
    await store.close()


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with pytest.raises(StoreError, match="another process") as caught:
        open_store(tmp_path)
    assert "etcd" in caught.value.advice
    await store.close()
    await open_store(tmp_path).close()


async def test_a_file_that_is_no_store_is_a_clear_error(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "data")
    with open(tmp_path / "data/store.db", "wb") as file:  # noqa: ASYNC230 - a few bytes
        file.write(b"x" * 5000)
    with pytest.raises(StoreError, match="not a database"):
        open_store(tmp_path)


async def test_a_store_of_another_version_is_a_clear_error(tmp_path: Path) -> None:
    await open_store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "data/store.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="version 99"):
        open_store(tmp_path)


async def test_a_closed_store_refuses_writes(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.create("/a", b"")
    await store.close()


async def test_a_key_that_is_no_text_fails_alone(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    bad, good = await asyncio.gather(store.create("/\udc80", b""), store.create("/a", b""), return_exceptions=True)
    assert isinstance(bad, UnicodeError)
    assert isinstance(good, Stored)
    await store.close()


async def test_compaction_comes_by_itself_and_leaves_the_last_interval(tmp_path: Path) -> None:
    store = open_store(tmp_path, interval=0.2)
    made = await store.create("/a", b"")
    for number in range(20):
        assert isinstance(made, Stored)
        updated = await store.update("/a", b"%d" % number, made.revision)
        assert isinstance(updated, Stored)
        made = updated
    async with asyncio.timeout(10):
        while rows(tmp_path, "history") > 4:  # noqa: ASYNC110 - nothing tells of a compaction; it writes itself, too
            await asyncio.sleep(0.05)
    assert await store.get("/a") == made
    await store.close()


async def test_what_was_read_gets_old_though_nobody_writes(tmp_path: Path) -> None:
    store = open_store(tmp_path, interval=0.05)
    try:
        made = await store.create("/a", b"1")
        assert isinstance(made, Stored)
        async with asyncio.timeout(10):
            while True:
                try:
                    await store.list("/", revision=made.revision)
                except CompactedError:
                    break
                await asyncio.sleep(0.02)
        assert [item.key for item in (await store.list("/a")).items] == ["/a"]
    finally:
        await store.close()


async def test_a_compaction_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    made = await store.create("/a", b"")
    assert isinstance(made, Stored)
    updated = await store.update("/a", b"2", made.revision)
    assert isinstance(updated, Stored)
    await store.close()
    connection = sqlite3.connect(tmp_path / "data/store.db")
    connection.execute("UPDATE compaction SET oldest = ?", (updated.revision,))
    connection.commit()
    connection.close()
    again = open_store(tmp_path)
    await again.compact(updated.revision)
    assert rows(tmp_path, "history") == 1
    await again.close()


KILLED = """
import asyncio, os, signal, sys
from podward.store.sqlite.store import SqliteStore

async def main():
    store = SqliteStore.open(sys.argv[1])
    async def client(name):
        for number in range(1000):
            await store.create(f"/{name}/{number}", b"x" * 3000)
            os.write(1, f"/{name}/{number}\\n".encode())
    async def killer():
        await asyncio.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.gather(killer(), *(client(name) for name in range(4)))
asyncio.run(main())
"""


async def test_what_was_acknowledged_outlives_kill_9(tmp_path: Path) -> None:
    ran = run_program(KILLED, str(tmp_path / "data"))
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    acknowledged = ran.stdout.splitlines()
    assert len(acknowledged) > 10
    store = open_store(tmp_path)
    found = {item.key for item in (await store.list("/")).items}
    assert set(acknowledged) <= found
    await store.close()


FULL = """
import asyncio, os, subprocess, sys
from podward.errors import StoreFullError
from podward.store.sqlite.store import SqliteStore

async def main(place):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", place], check=True)
    with open(f"{place}/ballast", "wb") as file:
        file.write(b"x" * 1_000_000)
    store = SqliteStore.open(f"{place}/data", compaction_interval=0)
    written = 0
    try:
        while True:
            await store.create(f"/{written}", b"x" * 50_000)
            written += 1
    except StoreFullError as error:
        assert "make room" in str(error)
    assert len((await store.list("/")).items) == written > 10
    assert await store.revision() == written + 1
    os.unlink(f"{place}/ballast")
    await store.create("/again", b"x" * 50_000)
    assert len((await store.list("/")).items) == written + 1
    await store.close()
    print("done")
asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.needs("root")
def test_a_full_disk_refuses_writes_until_there_is_room(tmp_path: Path) -> None:
    ran = run_program(FULL, str(tmp_path), before=("unshare", "--mount"))
    assert (ran.stdout, ran.returncode) == ("done\n", 0), ran.stderr
