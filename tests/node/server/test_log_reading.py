"""The lines of a container's log, as they are asked for."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from podward.node.server.log_reading import LogOptions, LogReader, nanoseconds_of, tail_start

_LOG = (
    b"2026-01-01T00:00:00.000000001Z stdout F one\n"
    b"2026-01-01T00:00:01+00:00 stderr F two\n"
    b"no line of a log\n"
    b"2026-01-01T00:00:02.5Z stdout P thr\n"
    b"2026-01-01T00:00:02.6Z stdout F ee\n"
)
_SECOND = 1767225600 * 10**9


async def _never() -> bool:
    return False


def read(file: Path, **options: object) -> bytes:
    async def collect() -> bytes:
        reader = LogReader(str(file), LogOptions(**options), _never)  # type: ignore[arg-type]  # as the test names them
        return b"".join([piece async for piece in reader.pieces()])

    return asyncio.run(collect())


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, b"one\ntwo\nthree\n"),
        ({"tail": 0}, b""),
        ({"tail": 1}, b"ee\n"),
        ({"tail": 2}, b"three\n"),
        ({"tail": 100}, b"one\ntwo\nthree\n"),
        ({"limit": 6}, b"one\ntw"),
        ({"since": _SECOND + 10**9}, b"two\nthree\n"),
        ({"since": _SECOND + 2 * 10**9 + 1}, b"three\n"),
        ({"streams": frozenset((b"stderr",))}, b"two\n"),
        ({"timestamps": True, "tail": 4}, b"2026-01-01T00:00:01Z two\n2026-01-01T00:00:02.5Z three\n"),
    ],
)
def test_what_is_asked_for_is_shown(tmp_path: Path, options: dict[str, object], shown: bytes) -> None:
    (tmp_path / "log").write_bytes(_LOG)
    assert read(tmp_path / "log", **options) == shown


def test_a_line_that_is_not_whole_is_shown_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(_LOG + b"2026-01-01T00:00:03Z stdout F half")
    assert read(tmp_path / "log", tail=1) == b"half"


def test_a_file_that_makes_way_is_followed_into_the_new_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(_LOG)
    looks = 0

    async def running() -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            with log.open("ab") as file:
                file.write(b"2026-01-01T00:00:03Z stdout F last of the old\n")
            os.rename(log, tmp_path / "log.1")
            log.write_bytes(b"2026-01-01T00:00:04Z stdout F first of the new\n")
        return looks < 3

    async def collect() -> bytes:
        reader = LogReader(str(log), LogOptions(follow=True, tail=0), running)
        return b"".join([piece async for piece in reader.pieces()])

    assert asyncio.run(collect()) == b"last of the old\nfirst of the new\n"


def test_the_end_of_a_large_file_is_found(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"".join(b"%d\n" % number for number in range(100000)))
    with log.open("rb") as file:
        for count in (1, 2, 5000, 99999, 100000, 100001):
            file.seek(tail_start(file.fileno(), count))
            assert len(file.readlines()) == min(count, 100000)


@pytest.mark.parametrize(
    ("written", "nanoseconds"),
    [
        ("2026-01-01T00:00:00Z", _SECOND),
        ("2026-01-01T00:00:00.5Z", _SECOND + 5 * 10**8),
        ("2026-01-01T01:00:00.000000001+01:00", _SECOND + 1),
        ("2026-01-01T00:00:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_are_read_to_the_nanosecond(written: str, nanoseconds: int | None) -> None:
    assert nanoseconds_of(written) == nanoseconds
