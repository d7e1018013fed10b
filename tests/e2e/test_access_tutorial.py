"""Pages that walk the API server with kubectl, from their beginning to their end: commands print what they say."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from podward_command import PROJECT
from transcripts import SCRIPTS

PAGES = {"apiserver-access.md": 40, "custom-resources.md": 15}
"""The pages, each with more commands than this."""
SERVE = re.compile(r"podward apiserver (.*) &$")


def shown(text: str) -> list[tuple[str, str]]:
    """The commands of the console blocks with what they print."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


class Walk:
    """A directory in which the commands are run; a server that is started takes the place of the one before."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._server: subprocess.Popen[str] | None = None
        self._address = ""
        for each in ("access", "custom-resources"):
            shutil.copytree(PROJECT / "examples" / each, place / "examples" / each)
        self._environment = {
            "PATH": f"{SCRIPTS}:{os.environ['PATH']}",
            "HOME": str(place),
            "KUBECONFIG": f"{place}/kubeconfig:{place}/people",
            "GOGC": "off",  # each command is short: collecting its garbage is a fifth of its work
        }

    def run(self, command: str) -> str:
        """What it prints."""
        if found := SERVE.fullmatch(command):
            return self._serve(found[1])
        words = ["bash", "-c", command.replace("https://127.0.0.1:6443", self._address)]
        return subprocess.run(
            words, cwd=self.place, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
        ).stdout  # fmt: skip

    def _serve(self, words: str) -> str:
        """Start a server; its port is free here, where others run at the same time."""
        self.end()
        command = [sys.executable, "-m", "podward", "apiserver", *words.split(), "--secure-port", "0"]
        self._server = subprocess.Popen(
            command, cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        if "ready at" not in line:
            raise AssertionError(self._server.communicate(timeout=60))
        self._address = line.split("ready at ")[1].strip()
        return ""

    def end(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            _, errors = self._server.communicate(timeout=60)
            assert errors == ""
            self._server = None


@pytest.fixture(name="walk")
def walk_in_a_directory(tmp_path: Path) -> Iterator[Walk]:
    walk = Walk(tmp_path)
    try:
        yield walk
    finally:
        walk.end()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_true(walk: Walk, page: str) -> None:
    steps = shown((PROJECT / "docs" / page).read_text(encoding="utf-8"))
    assert len(steps) > PAGES[page]
    wrong = []
    for command, output in steps:
        expected = ".*".join(re.escape(part) for part in output.split("…"))
        printed = "".join(f"{line.rstrip()}\n" for line in walk.run(command).splitlines())
        if not re.fullmatch(expected, printed, re.DOTALL):
            wrong.append(f"$ {command}\n{printed}")
    assert wrong == []
