"""The log files of kept Pods: CRI's lines, parts of long ones, rotation, and reading them as kubectl does."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest

from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime import cri_log
from podward.runtime.cri_log import LogFile, stamp
from podward.runtime.kept import Container, Kept, Options, Process, Record
from podward.runtime.kept_logs import Log, Selection
from podward.runtime.logs import LONGEST_LINE
from podward.runtime.oci import Engine

LINE = re.compile(rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([FP]) (.*)$")


def written(file: Path) -> list[tuple[bytes, bytes, bytes]]:
    found = [LINE.match(line) for line in file.read_bytes().split(b"\n")[:-1]]
    return [(match[1], match[2], match[3]) for match in found if match]


def test_each_line_has_its_time_and_stream(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "0.log"))
    out, err = log.stream("stdout"), log.stream("stderr")
    out.write(b"one\ntw")
    err.write(b"bad\n")
    out.write(b"o\n\nrest")
    out.finish()
    err.finish()
    assert written(tmp_path / "0.log") == [
        (b"stdout", b"F", b"one"),
        (b"stderr", b"F", b"bad"),
        (b"stdout", b"F", b"two"),
        (b"stdout", b"F", b""),
        (b"stdout", b"P", b"rest"),
    ]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_long_line_is_written_in_parts(tmp_path: Path, *, at_once: bool) -> None:
    out = LogFile(str(tmp_path / "0.log")).stream("stdout")
    line = b"x" * (2 * LONGEST_LINE + 5)
    for piece in [line + b"\n"] if at_once else [line, b"\n"]:
        out.write(piece)
    parts = written(tmp_path / "0.log")
    assert [tag for _, tag, _ in parts] == [b"P", b"P", b"F"]
    assert b"".join(text for _, _, text in parts) == line


def test_a_log_never_grows_without_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cri_log, "LARGEST", 1000)
    out = LogFile(str(tmp_path / "0.log")).stream("stdout")
    for number in range(200):
        out.write(b"%d\n" % number)
    out.finish()
    names = {"0.log", *(f"0.log.{number}" for number in range(1, cri_log.OLDER + 1))}
    assert set(os.listdir(tmp_path)) == names
    assert all((tmp_path / name).stat().st_size <= 1000 for name in names)
    assert written(tmp_path / "0.log")[-1][2] == b"199"


def test_times_sort_as_text() -> None:
    assert stamp(0) == b"1970-01-01T00:00:00.000000000Z"
    assert stamp(1_500_000_000_000_000_001) < stamp(1_500_000_000_000_000_002)


# --- reading ----------------------------------------------------------------------------------------------------------


def kept(directory: Path, attempt: int = 0) -> tuple[Kept, Container]:
    container = Container(
        "app", "id", "", Process(0, 0), None, "regular", ContainerState.EXITED, attempt, exit_code=0, ready=False
    )
    nobody, engine = Process(0, 0), Engine("crun", "", ())
    null = msgspec.Raw(b"null")
    record = Record("web", "shop", "", engine, 0.0, nobody, "", 30.0, "app", (container,), (), null, Options())
    return Kept("0123", str(directory), record), container


def lines_of(directory: Path, *lines: str, attempt: int = 0) -> None:
    file = directory / f"logs/app/{attempt}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def shown(log: Log, selection: Selection) -> str:
    read, write = os.pipe()
    log.print_first(selection, write)
    os.close(write)
    with open(read, "rb") as pipe:
        return pipe.read().decode()


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(), "a\nbc\n"),
        (Selection(tail=1), "c\n"),
        (Selection(tail=0), ""),
        (Selection(tail=9), "a\nbc\n"),
        (Selection(since=b"2026-01-01T00:00:02"), "bc\n"),
        (Selection(tail=1, timestamps=True), "2026-01-01T00:00:03.000000000Z c\n"),
    ],
)
def test_a_log_is_shown_as_kubectl_shows_it(tmp_path: Path, selection: Selection, expected: str) -> None:
    lines_of(
        tmp_path,
        "2026-01-01T00:00:01.000000000Z stdout F a",
        "2026-01-01T00:00:02.000000000Z stderr P b",
        "2026-01-01T00:00:03.000000000Z stderr F c",
    )
    pod, container = kept(tmp_path)
    assert shown(Log(pod, container, previous=False), selection) == expected


def test_the_previous_run_is_the_one_before(tmp_path: Path) -> None:
    lines_of(tmp_path, "t stdout F old", attempt=1)
    lines_of(tmp_path, "t stdout F new", attempt=2)
    pod, container = kept(tmp_path, attempt=2)
    assert shown(Log(pod, container, previous=True), Selection()) == "old\n"
    assert shown(Log(pod, container, previous=False, prefix="[x] "), Selection()) == "[x] new\n"


def test_a_log_that_makes_way_is_read_on(tmp_path: Path) -> None:
    lines_of(tmp_path, "t stdout F one")
    pod, container = kept(tmp_path)
    log = Log(pod, container, previous=False)
    assert shown(log, Selection()) == "one\n"
    file = tmp_path / "logs/app/0.log"
    with file.open("a", encoding="ascii") as more:
        more.write("t stdout F two\n")
    file.rename(f"{file}.1")
    lines_of(tmp_path, "t stdout F three")
    assert shown(log, Selection()) == "two\nthree\n"
