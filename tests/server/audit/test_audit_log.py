"""Who waits for the audit log, and what becomes of events that cannot be written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from podward.server.audit import log
from podward.server.audit.log import BATCH, BLOCKING, STRICT, AuditLog


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    asyncio.run(run())


@pytest.mark.parametrize("mode", [BLOCKING, STRICT])
def test_who_waits_finds_the_event_in_the_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "audit.log"

    async def work() -> None:
        written = AuditLog(str(path), mode)
        written.tell(b"first\n")
        assert await written.write(b"second\n")
        assert path.read_bytes() == b"first\nsecond\n"
        await written.close()

    in_loop(work)


def test_in_batches_nobody_waits_and_all_is_there_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"

    async def work() -> None:
        written = AuditLog(str(path), BATCH)
        for index in range(1000):
            assert await written.write(b"%d\n" % index)
        await written.close()
        assert not await written.write(b"late\n")

    in_loop(work)
    assert path.read_bytes() == b"".join(b"%d\n" % index for index in range(1000))


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_WAITING", 10)

    async def work() -> None:
        written = AuditLog(str(tmp_path / "audit.log"), BATCH)
        for _ in range(25):  # without a pause, so that none of them is known to be written
            written.tell(b"x\n")
        assert (written.told, written.lost) == (25, 15)
        await written.close()

    in_loop(work)


def test_so_are_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_BYTES", 10)

    async def work() -> None:
        written = AuditLog(str(tmp_path / "audit.log"), BATCH)
        for _ in range(4):
            written.tell(b"1234\n")
        assert (written.told, written.lost) == (4, 2)
        await written.close()

    in_loop(work)


def test_a_full_disk_is_known_to_who_waits_and_complained_about_once(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        written = AuditLog("/dev/full", BLOCKING)
        assert not await written.write(b"one\n")
        assert not await written.write(b"two\n")
        assert written.lost == 2
        await written.close()

    in_loop(work)
    assert [record.getMessage() for record in caplog.records] == [
        "the audit log cannot be written: No space left on device; 1 events are lost so far"
    ]
