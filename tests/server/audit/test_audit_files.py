"""The files of the audit log: for their owner alone, put aside when they are full, deleted when they are old."""

from __future__ import annotations

import errno
import gzip
import os
import time
from pathlib import Path

import pytest

from podward.errors import InputError
from podward.server.audit import files
from podward.server.audit.files import Keeping, LogFile

MEGABYTE = 1 << 20


def aside(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.name != "audit.log")


def test_the_file_and_its_directory_are_for_their_owner(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.log"
    file = LogFile(str(path), Keeping())
    file.append([b"a\n", b"b\n"])
    file.close()
    assert path.read_bytes() == b"a\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_there_is_kept_and_made_private(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"old\n")
    path.chmod(0o644)
    LogFile(str(path), Keeping()).append([b"new\n"])
    assert path.read_bytes() == b"old\nnew\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_it_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        LogFile(str(tmp_path), Keeping())


def test_a_full_file_is_put_aside(tmp_path: Path) -> None:
    file = LogFile(str(tmp_path / "audit.log"), Keeping(max_size=1, max_backups=0))
    big = b"x" * (600 << 10) + b"\n"
    file.append([big])
    file.append([big, b"last\n"])
    file.close()
    [other] = aside(tmp_path)
    assert other.read_bytes() == big
    assert other.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "audit.log").read_bytes() == big + b"last\n"


def test_of_the_files_that_were_put_aside_only_some_are_kept(tmp_path: Path) -> None:
    names = [f"audit-2020-01-0{day}T00-00-00.000.log" for day in range(1, 5)]
    for name in (*names, "audit-other.log", "audit-2020-01-01T00-00-00.000.txt"):
        (tmp_path / name).write_bytes(b"x")
    files.clean_up(str(tmp_path / "audit.log"), Keeping(max_age=0, max_backups=2))
    assert {path.name for path in aside(tmp_path)} == {
        *names[2:], "audit-other.log", "audit-2020-01-01T00-00-00.000.txt",
    }  # fmt: skip
    files.clean_up(str(tmp_path / "audit.log"), Keeping(max_age=1, max_backups=0))
    assert {path.name for path in aside(tmp_path)} == {"audit-other.log", "audit-2020-01-01T00-00-00.000.txt"}


def test_they_are_compressed_if_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "audit-2020-01-01T00-00-00.000.log").write_bytes(b"text")
    files.clean_up(str(tmp_path / "audit.log"), Keeping(max_age=0, compress=True))
    [packed] = aside(tmp_path)
    assert packed.name == "audit-2020-01-01T00-00-00.000.log.gz"
    assert gzip.decompress(packed.read_bytes()) == b"text"
    assert packed.stat().st_mode & 0o777 == 0o600


def test_a_line_that_could_not_be_written_whole_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "audit.log"
    file = LogFile(str(path), Keeping())
    file.append([b"whole\n"])
    real, calls = os.write, iter((3, None))

    def full(handle: int, data: bytes) -> int:
        room = next(calls)
        if room is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, bytes(data)[:room])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left"):
        file.append([b"broken\n"])
    monkeypatch.undo()
    file.append([b"next\n"])
    file.close()
    assert path.read_bytes() == b"whole\nnext\n"


def test_an_old_file_goes_when_the_log_is_opened(tmp_path: Path) -> None:
    old = tmp_path / "audit-2020-01-01T00-00-00.000.log"
    old.write_bytes(b"x")
    LogFile(str(tmp_path / "audit.log"), Keeping(max_age=1)).close()
    end = time.monotonic() + 10
    while old.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not old.exists()
