"""What is in the repository is what people wrote: nothing that a program left, and no file by mistake.

A new top-level entry, a larger file or a fuller folder is added to the lists below by whoever wants it.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("git")

ROOT = Path(__file__).parent.parent

TOP_LEVEL = {
    ".ci", ".gitignore", ".pre-commit-hooks.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile",
    "README.md", "action.yml", "bench", "docs", "examples", "pyproject.toml", "src", "templates", "tests", "tools",
    "uv.lock",
}  # fmt: skip

LARGEST = 64 * 1024
"""Bytes that a file may have."""
LARGER = {
    "uv.lock": 1024 * 1024,
    "tests/golden/*.jsonl.gz": 256 * 1024,
    "tests/render/check/sarif-schema-2.1.0.json": 128 * 1024,
}
"""What may be larger: made elsewhere, and kept whole."""

FULLEST = 64
"""Files that a folder may hold, those of its own folders not counted."""
FULLER = {"tests/documents/bad": 128, "tests/cli/bad-policies": 128}
"""Folders that may hold more: one file and one answer for each way to be wrong."""

GENERATED_FOLDERS = {
    ".git", ".hypothesis", ".idea", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".venv", ".vscode",
    "__pycache__", "build", "dist", "htmlcov", "node_modules", "venv",
}  # fmt: skip
GENERATED_NAMES = (
    "*.egg-info", "*.log", "*.o", "*.orig", "*.pyc", "*.pyo", "*.rej", "*.so", "*.sw?", "*.tmp", "*.whl", "*~",
    ".DS_Store", ".coverage", ".synced*", "nohup.out",
)  # fmt: skip


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The names of the files that are in git's index, relative to the root."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout
    return os.fsdecode(answer).rstrip("\0").split("\0")


def limit(name: str, usual: int, exceptions: dict[str, int]) -> int:
    """The number that this name may not exceed."""
    return next((most for pattern, most in exceptions.items() if fnmatch(name, pattern)), usual)


def test_the_top_level_holds_what_is_listed(tracked: list[str]) -> None:
    assert {name.partition("/")[0] for name in tracked} == TOP_LEVEL


def test_no_file_is_larger_than_people_write(tracked: list[str]) -> None:
    sizes = {name: (ROOT / name).lstat().st_size for name in tracked if os.path.lexists(ROOT / name)}
    assert {name: size for name, size in sizes.items() if size > limit(name, LARGEST, LARGER)} == {}
    for pattern in LARGER:
        matched = [size for name, size in sizes.items() if fnmatch(name, pattern)]
        assert max(matched, default=0) > LARGEST, f"{pattern} needs no exception"


def test_no_folder_holds_more_files_than_people_write(tracked: list[str]) -> None:
    held = Counter(os.path.dirname(name) for name in tracked)
    assert {name: number for name, number in held.items() if number > limit(name, FULLEST, FULLER)} == {}
    assert [name for name in FULLER if held[name] <= FULLEST] == [], "needs no exception"


def test_no_file_is_named_by_a_number_alone(tracked: list[str]) -> None:
    assert [name for name in tracked if os.path.basename(name).partition(".")[0].isdecimal()] == []


def test_no_name_begins_with_a_dash(tracked: list[str]) -> None:
    assert [name for name in tracked if any(part.startswith("-") for part in name.split("/"))] == []


def test_nothing_is_there_that_a_program_left(tracked: list[str]) -> None:
    def is_left(part: str) -> bool:
        return part in GENERATED_FOLDERS or any(fnmatch(part, pattern) for pattern in GENERATED_NAMES)

    assert [name for name in tracked if any(is_left(part) for part in name.split("/"))] == []
