"""Text from manifests and runtimes is spelt out on every way to a terminal or a log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from case_corpus import case, raw_controls, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

HOSTILE = ("terminal-escape", "terminal-env", "terminal-host-path")
EVERY_WAY = [
    ("run", "-f"),
    ("run", "--runtime", "runc", "-f"),
    ("run", "--verify", "-o", "json", "-f"),
    *[("explain", "--show-env", "-o", form, "-f") for form in ("table", "json", "yaml", "html", "svg")],
    ("admit", "--cluster", "kubernetes", "-f"),
    ("admit", "--cluster", "kubernetes", "-o", "json", "-f"),
    *[("check", "-o", form) for form in ("table", "json", "sarif", "junit", "github", "gitlab")],
]


@pytest.mark.parametrize("words", EVERY_WAY, ids=lambda words: "-".join(word.strip("-") for word in words))
def test_nothing_of_a_manifest_reaches_the_terminal_raw(podward: Podward, words: tuple[str, ...]) -> None:
    for name in HOSTILE:
        done = podward(*words, case(f"hostile/{name}.yaml"))
        assert "Traceback" not in done.stderr
        assert "unrecognized" not in done.stderr
        assert raw_controls(done.stdout) == set(), name
        assert raw_controls(done.stderr) == set(), name
        forged = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.startswith("::error::forged")]
        assert forged == [], name


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_that_a_container_cannot_start_is_said_in_one_line(podward: Podward, runtime: str) -> None:
    for name in ("terminal-escape", "terminal-env"):
        done = podward("run", "--runtime", runtime, "-f", case(f"hostile/{name}.yaml"))
        assert done.returncode == 127
        (line,) = [each for each in done.stderr.splitlines() if "PWN" in each]
        assert line.startswith("podward:")


def test_json_still_says_what_stands_in_the_manifest(podward: Podward) -> None:
    done = podward("admit", "--cluster", "kubernetes", "-o", "json", "-f", case("hostile/terminal-escape.yaml"))
    command = json.loads(done.stdout)["spec"]["containers"][0]["command"]
    assert command == ["/\x1b]0;PWN\x07\x1b[31mRED\x9b31m\u202e"]


def test_a_files_own_name_is_spelt_out(podward: Podward, tmp_path: Path) -> None:
    file = write(tmp_path, "pod\x1b[31m\u202e.yaml", "kind: Pod\n  x")
    for words in (("explain", "-f"), ("run", "-f"), ("check",), ("admit", "-f")):
        done = podward(*words, file)
        assert done.returncode == 2
        assert raw_controls(done.stdout + done.stderr) == set(), words


def test_what_a_container_writes_is_passed_on(podward: Podward) -> None:
    manifest = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n"
        "  - {name: c, image: 'busybox:root', command: [printf, '\\033[31mred']}\n"
    )
    assert podward("run", "-f", "-", stdin=manifest).stdout == "\x1b[31mred"
