"""OCI runtimes that nobody waits for are ended, with those that they start meanwhile."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from podward.runtime import orphans


def runtime(tmp_path: Path, script: str, *words: str) -> subprocess.Popen[bytes]:
    """A process that is called as a runtime is; the shell stays what it is while it runs others."""
    return subprocess.Popen(["crun", "-c", script, "crun", *words], executable="/bin/sh", cwd=tmp_path)


def test_those_that_work_for_the_pod_are_ended_and_no_others(tmp_path: Path) -> None:
    ours = runtime(tmp_path, "while :; do sleep 0.1; done", "--bundle", f"{tmp_path}/pods/0123/containers/a/0")
    other = runtime(tmp_path, "while :; do sleep 0.1; done", "--bundle", f"{tmp_path}/pods/01234/containers/a/0")
    try:
        orphans.end(f"{tmp_path}/pods/0123")
        assert ours.wait(timeout=10) == -9
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_one_that_starts_another_while_it_is_killed_is_no_escape(tmp_path: Path) -> None:
    (tmp_path / "crun").symlink_to("/bin/sh")
    words = ("--bundle", f"{tmp_path}/pods/0123/x")
    script = f'[ -e {tmp_path}/enough ] || ./crun -c "$0" "$0" "$@" & sleep 0.02'
    first = subprocess.Popen(["crun", "-c", script, script, *words], executable="/bin/sh", cwd=tmp_path)
    try:
        time.sleep(0.2)
        orphans.end(f"{tmp_path}/pods/0123")
        assert list(orphans.working_for(f"{tmp_path}/pods/0123/".encode())) == []
    finally:
        (tmp_path / "enough").touch()
        first.kill()
        first.wait()
