"""`podward` as a user calls it, in a state directory of its own, and what it must not leave behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from warm_command import COMMAND, run

PROJECT = Path(__file__).parent.parent.parent


class Podward:
    """The command with a state directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._cgroups_before = self.cgroups()
        self._started: list[subprocess.Popen[str]] = []
        self.environment = {**os.environ, "PODWARD_ROOT": str(root), "COLUMNS": "100"}
        self.environment.pop("PYTHONPATH", None)

    def __call__(
        self, *words: str, stdin: str = "", timeout: float = 60, cwd: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return run(*words, environment=self.environment, cwd=cwd, stdin=stdin, timeout=timeout)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a process of its own, a child of this one."""
        process = subprocess.Popen(
            [*COMMAND, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """End what a failed test left running."""
        for process in self._started:
            with process:
                process.terminate()
                if process.stdout is not None and not process.stdout.closed:
                    process.communicate(timeout=60)

    def interrupt(self, process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> tuple[str, str]:
        """Send the signal and wait; returns what was printed."""
        process.send_signal(number)
        return process.communicate(timeout=60)

    def leftovers(self) -> list[str]:
        """What a finished Podward must not leave: Pod directories, containers, mounts, cgroups, processes."""
        found = [f"pod {name}" for name in self._inside("pods")]
        found += [f"container {name}" for kind in self._inside("oci") for name in self._inside(f"oci/{kind}")]
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        found += [f"mount {line}" for line in mounts.splitlines() if str(self.root) in line or "/run/podward" in line]
        return found + [f"cgroup {group}" for group in self._lasting_cgroups()]

    def _lasting_cgroups(self) -> list[str]:
        """The cgroups that are new and stay: an empty one may be another Podward's, that makes or removes it now."""
        lasting = self.own_cgroups()
        deadline = time.monotonic() + 30
        while lasting and time.monotonic() < deadline:
            time.sleep(0.02)
            lasting &= self.own_cgroups()
        return sorted(lasting)

    def own_cgroups(self) -> set[str]:
        """The cgroups that are new, without those where processes of another state directory are."""
        new = self.cgroups() - self._cgroups_before
        return {group for group in new if state_root(group) in (None, str(self.root))}

    @staticmethod
    def cgroups() -> set[str]:
        """The cgroups of all Podwards of this machine."""
        return {str(group) for group in Path("/sys/fs/cgroup").glob("*/podward-*")}

    def _inside(self, directory: str) -> list[str]:
        return os.listdir(self.root / directory) if (self.root / directory).exists() else []


def state_root(group: str) -> str | None:
    """The state directory where a process of the cgroup has its files; None if there is no process to ask."""
    with contextlib.suppress(OSError):
        pod = Path(group).name.split("-")[1]
        for pid in Path(group, "cgroup.procs").read_text(encoding="ascii").split():
            mounts = Path("/proc", pid, "mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
            if found := re.search(f"[ =](/[^ ,]*)/pods/{pod}/", mounts):
                return found[1]
    return None
