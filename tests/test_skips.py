"""A skipped test is counted with its reason, and fails the run wherever the machine gave no cause for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDY = """
import pytest

@pytest.mark.needs("runsc")
def test_in_a_sandbox(): pass

@pytest.mark.needs("runsc")
def test_in_a_sandbox_again(): pass

def test_on_a_feast_day(): pytest.skip("no feast today")

def test_plain(): pass
"""


WORKERS = ("-p", "xdist", "--numprocesses=2")


def run_pytest(directory: Path, source: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one file of tests under a copy of our conftest, on a machine whose PATH is empty but for ours."""
    shutil.copy(Path(__file__).parent / "conftest.py", directory)
    (directory / "test_it.py").write_text(source)
    (directory / "pytest.ini").write_text(
        f"[pytest]\npythonpath = '{Path(__file__).parent / 'e2e'}'\nmarkers =\n    needs(*names)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(directory)]
    inherited = {k: v for k, v in os.environ.items() if k not in {"CI", "PODWARD_ALLOW_SKIP"}}
    return subprocess.run(
        command,
        cwd=directory,
        env=inherited | {"PATH": "/var/empty", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def last_line(ran: subprocess.CompletedProcess[str]) -> str:
    return ran.stdout.rstrip().splitlines()[-1]


COUNTED = "tests: 1 passed, 0 failed, 3 skipped: 2 needs runsc, 1 no feast today"


def test_the_last_line_counts_the_skipped_by_reason(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, NEEDY)
    assert last_line(ran) == COUNTED
    assert ran.returncode == 0


@pytest.mark.parametrize("options", [(), WORKERS], ids=["one process", "workers"])
def test_in_ci_a_skip_fails_the_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    ran = run_pytest(tmp_path, NEEDY, *options, CI="true")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert last_line(ran) == COUNTED


def test_a_skip_can_be_allowed_in_ci(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, NEEDY, CI="true", PODWARD_ALLOW_SKIP="1").returncode == 0


@pytest.mark.needs("root", "runsc")
def test_a_skip_without_need_fails_the_run_where_everything_is_there(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()  # a clone, as far as the copy of our conftest can see
    (tmp_path / "tests").mkdir()
    helm = tmp_path / "build" / "helm-0" / "helm"  # which is not on PATH
    helm.parent.mkdir(parents=True)
    helm.touch(0o755)
    ran = run_pytest(tmp_path / "tests", NEEDY, PATH=os.environ["PATH"])
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert last_line(ran) == "tests: 3 passed, 0 failed, 1 skipped: 1 no feast today"


def test_without_skips_the_last_line_stays_plain(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "def test_good(): pass\ndef test_bad(): assert False", CI="true")
    assert last_line(ran) == "tests: 1 passed, 1 failed, 0 skipped"


def test_a_need_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, 'import pytest\n@pytest.mark.needs("luck")\ndef test_it(): pass')
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "knows no such need" in ran.stdout


def test_a_run_that_was_stopped_says_so(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, "def test_stop(): raise KeyboardInterrupt\ndef test_next(): pass")
    assert ran.returncode == pytest.ExitCode.INTERRUPTED
    assert "The run did not come to its end" in ran.stdout
    assert last_line(ran) == "tests: 0 passed, 0 failed, 0 skipped"
