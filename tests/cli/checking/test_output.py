"""The table on a real terminal, of every width and with every name."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from podward.api.finding import Finding
from podward.api.report import CheckReport
from podward.check import rules
from podward.cli.checking import examination, output
from podward.cli.checking.files import listed
from podward.cli.checking.output import Shape
from podward.cli.checking.policies import CheckOptions, policy_set_of
from podward.cli.checking.reading import read_file

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NAMES = {
    "plain": "web",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31m\x7f",
    "lines": "a\n::error::owned\r##[add-mask]x\x85\u2028",
    "bidi": "\u202e\u2066\u200b\ufeff",
    "wide": "漢字🙂" * 60,
    "combining": "e\u0301" * 200,
    "long": "x" * 50_000,
    "blanks": "a " * 400,
}
Stream = Callable[[int], TextIO]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Makes a terminal that is so many columns wide."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    opened: list[tuple[int, TextIO]] = []

    def made(columns: int) -> TextIO:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        opened.append((leader, os.fdopen(follower, "w")))
        return opened[-1][1]

    yield made
    for leader, follower in opened:
        follower.close()
        os.close(leader)


def report(directory: Path, name: str) -> CheckReport:
    """What is found in a Pod and a Deployment of this name, in a file of this name as far as one can have it."""
    quoted = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in name).join('""')
    spec = f"containers: [{{name: {quoted}, image: {quoted}, securityContext: {{privileged: true}}}}]"
    short = re.sub(r"[/\0]", "", name)[:60]
    (directory / f"{short}.yaml").write_text(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {quoted}, namespace: {quoted}}}\nspec: {{{spec}}}\n---\n"
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {quoted}}}\n"
        f"spec: {{selector: {{}}, template: {{spec: {{{spec}, hostNetwork: true}}}}}}\n",
        encoding="utf-8",
    )
    (directory / f"bad{short}.yaml").write_text("{", encoding="utf-8")
    names = listed([os.path.relpath(directory)], ())
    found: list[Finding] = []
    for file in names:
        found += examination.judge_files((read_file(file),), policy_set_of(CheckOptions(), ())).findings
    assert len(found) > 5
    return CheckReport(tuple(found), (), (), 0, names, (), rules.named(each.rule for each in found))


@pytest.fixture(params=list(NAMES.values()), ids=list(NAMES))
def found(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CheckReport:
    monkeypatch.chdir(tmp_path)
    return report(tmp_path, request.param)


def width(line: str) -> int:
    """Cells that a terminal takes at most."""
    return sum(2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1 for character in line)


@pytest.mark.parametrize("columns", [80, 120, 200])
def test_lines_fit_and_only_our_colours_are_in_them(found: CheckReport, terminal: Stream, columns: int) -> None:
    coloured = "".join(output.pieces(found, Shape("table"), terminal(columns)))
    assert COLOUR.search(coloured)
    for line in COLOUR.sub("", coloured).split("\n"):
        assert line.isprintable()
        assert width(line) <= columns
        assert not line.strip().startswith("::error")
        assert "##[" not in line


def test_no_color_means_none(found: CheckReport, terminal: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = "".join(output.pieces(found, Shape("table"), terminal(80)))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "".join(output.pieces(found, Shape("table"), terminal(80))) == COLOUR.sub("", coloured)


def test_a_pipe_gets_a_line_for_each_finding(found: CheckReport) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "w") as stream:
        lines = "".join(output.pieces(found, Shape("table"), stream)).split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 10_000
    heads = [line for line in lines if re.match(r"\S.*:\d+  (?:error|warning|note)  \S+  \S", line)]
    assert len(heads) == len(found.findings)


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github", "gitlab"])
def test_no_form_drives_a_terminal(found: CheckReport, terminal: Stream, form: str) -> None:
    printed = "".join(output.pieces(found, Shape(form), terminal(80)))
    assert all(line.isprintable() for line in printed.split("\n"))
    # What begins with a command of ours is that command, whatever follows.
    assert form == "github" or "##[" not in printed
    forged = [line for line in printed.split("\n") if line.lstrip().startswith("::") and "file=" not in line[:20]]
    assert [line for line in forged if not line.startswith("::notice title=podward check::")] == []
