"""A worker collects a file of tests when its turn has come: all are run, counted and torn down as usual."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SHARED = """
import pytest

@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "shared"
    with path.open("x"):
        yield path
    path.unlink()
"""
FILES = {
    "test_first.py": "def test_it(shared): assert shared.exists()\ndef test_other(shared): assert shared.exists()",
    "test_second.py": "import pytest\n@pytest.mark.parametrize('n', range(5))\ndef test_it(shared, n): assert n != 3",
    "test_empty.py": "",
    "test_last.py": "def test_it(shared): assert shared.exists()",
}


def run_pytest(directory: Path, files: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    """Run the files in one worker, under a copy of our conftest."""
    own = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
    (directory / "conftest.py").write_text(own + SHARED)
    (directory / "pytest.ini").write_text(f"[pytest]\npythonpath = '{Path(__file__).parent / 'e2e'}'\n")
    for name, source in files.items():
        (directory / name).write_text(source)
    plugins = ("-p", "no:cacheprovider", "-p", "xdist", "--numprocesses=1", "--dist=loadfile")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, f"--basetemp={directory}/made", *options],
        cwd=directory,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_test_is_run_and_counted_and_what_they_share_is_made_and_torn_down_once(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, FILES)
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "FAILED test_second.py::test_it[3] - assert 3 != 3" in ran.stdout
    assert ran.stdout.endswith("tests: 7 passed, 1 failed, 0 skipped\n")
    assert not list((tmp_path / "made").rglob("shared"))


def test_a_file_that_cannot_be_collected_fails_the_run(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, {"test_bad.py": "def test_it(: pass", "test_good.py": "def test_it(): pass"})
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert ran.stdout.endswith("tests: 1 passed, 1 failed, 0 skipped\n")


@pytest.mark.parametrize("chosen", [("-k", "other or 4"), ("test_first.py::test_it", "test_second.py::test_it[4]")])
def test_who_chooses_among_tests_gets_these(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    ran = run_pytest(tmp_path, FILES, *chosen)
    assert ran.returncode == 0
    assert ran.stdout.endswith("tests: 2 passed, 0 failed, 0 skipped\n")


def test_the_first_failure_ends_the_run_where_that_is_asked_for(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, {"test_it.py": "def test_bad(): assert 0\ndef test_good(): pass"}, "-x")
    assert ran.returncode == pytest.ExitCode.INTERRUPTED
    assert ran.stdout.endswith("tests: 0 passed, 1 failed, 0 skipped\n")
