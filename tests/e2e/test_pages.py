"""Every command that a documentation page shows is run, and prints what the page says.

Blocks marked `console` hold commands behind `$ ` and their output. `…` in the output stands for any text.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest
from podward_command import PROJECT, Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci", "catatonit")

PAGES = (
    "identity.md",
    "run.md",
    "explain.md",
    "access.md",
    "admit.md",
    "pod-security.md",
    "denied.md",
    "policy-change.md",
)


def shown() -> list[tuple[str, str, str]]:
    found = []
    for page in PAGES:
        text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
        for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((page, command, output))
    return found


@pytest.mark.parametrize(("page", "command", "output"), shown(), ids=lambda value: str(value)[:70])
def test_a_page_shows_what_its_command_prints(podward: Podward, page: str, command: str, output: str) -> None:
    words = shlex.split(command)
    assert words[0] == "podward", page
    result = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=PROJECT,
        env={**podward.environment, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    expected = ".*".join(re.escape(part) for part in output.split("…"))
    assert re.fullmatch(expected, result.stdout, re.DOTALL), result.stdout


def test_there_are_commands_to_run() -> None:
    assert len(shown()) >= 6
