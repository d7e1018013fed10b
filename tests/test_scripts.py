"""The scripts of this tree say how they are used, and refuse what they do not know before they do anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from proofs import part

ROOT = Path(__file__).parent.parent
REFUSED = (("--no-such-option",), ("-z",), ("--", "-z"), ("--", "--help"))


def scripts() -> list[str]:
    """The files of these folders that are meant to be run: their first line says by what."""
    files = [file for folder in ("bench", "tools", "examples/images") for file in (ROOT / folder).iterdir()]
    return sorted(str(file.relative_to(ROOT)) for file in files if file.is_file() and file.read_bytes()[:2] == b"#!")


def run(script: str, directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in this directory, with the Python that the tests have where it is Python's."""
    first = (ROOT / script).read_text(encoding="utf-8").partition("\n")[0]
    command = [sys.executable] if "python" in first else []
    return subprocess.run(
        [*command, str(ROOT / script), *arguments], cwd=directory, capture_output=True, text=True, check=False
    )


def test_the_scripts_are_found() -> None:
    assert {"bench/manifests.py", "bench/admission", "tools/install", "tools/picture"} <= set(scripts())


@pytest.mark.parametrize("script", scripts())
def test_a_script_asked_for_help_says_its_usage_and_writes_nothing(script: str, tmp_path: Path) -> None:
    answer = run(script, tmp_path, "--help")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "usage: " in answer.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.proof
@pytest.mark.parametrize("script", scripts())
def test_a_script_refuses_a_word_that_begins_with_a_dash(script: str, tmp_path: Path) -> None:
    for words in part(REFUSED, 2, scripts().index(script)):
        answer = run(script, tmp_path, *words)
        assert answer.returncode == 2, (words, answer.stderr)
        assert answer.stderr
        assert list(tmp_path.iterdir()) == []
