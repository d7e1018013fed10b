"""The lists of pending tests name tests that exist, each once."""

from __future__ import annotations

import os
import subprocess
import sys

import pending
from podward_command import PROJECT


def test_every_pending_id_is_a_test() -> None:
    listed = [test for file in pending.lists() for test in pending.ids(file)]
    assert len(listed) == len(set(listed)), "an id is listed twice"
    if not listed:
        return
    files = sorted({test.partition("::")[0] for test in listed})
    assert [file for file in files if not (PROJECT / file).is_file()] == []
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *files],
        env={**os.environ, "PODWARD_PENDING": "only"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {line for line in collected.stdout.splitlines() if "::" in line}
    assert set(listed) - found == set(), collected.stdout + collected.stderr


def test_a_pending_test_is_left_out() -> None:
    listed = sorted(pending.all_ids())
    if not listed:
        return
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", listed[0]],
        env={name: value for name, value in os.environ.items() if name != "PODWARD_PENDING"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert listed[0] not in ran.stdout.splitlines()
    assert "1 deselected" in ran.stdout
