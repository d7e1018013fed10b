#!/usr/bin/env python3
"""Kills podward (-9) at random moments, and looks for what is left after its next call.

usage: kills.py --kills N [--seed S]

Six busy loops run beside. Four podwards run at a time, and each is killed at a moment of its own; crun and runc take
turns, and so do Pods that fork for ever on the host's process ids, that nest cgroups until their path is longer than a
path may be, that freeze themselves, and that share namespaces. After such four kills another Pod is run: it must come
to its end, and then no process, mount, cgroup, directory or namespace of the killed ones may be there. Prints last
`N kills, M leaks, B blocked`; exit status 0 only when both are 0. Needs root.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
CLEAN = PROJECT / "tests" / "corpus" / "cases" / "hostile" / "clean.yaml"
BUSY = 6
AT_ONCE = 4
LIVES = 1.5
"""A podward is killed within this many times the seconds that as many at once take here to run a Pod to its end."""
PATIENCE = 120
"""Seconds that a later call may take before it counts as blocked."""

_FORK = "while :; do (sleep 0.01 & exec sleep 0.02) & sleep 0.005; done"
_NEST = """
name=$(printf '%0200d' 0)
for each in pids freezer memory unified .; do
  (cd /sys/fs/cgroup/$each 2>/dev/null || exit; i=0
   while [ $i -lt 25 ]; do mkdir $name 2>/dev/null; cd ./$name || exit
     sleep 600 & echo $! > cgroup.procs 2>/dev/null; i=$((i+1)); done)
done
"""
_FREEZE = """
for each in /sys/fs/cgroup/freezer /sys/fs/cgroup; do
  mkdir $each/ice 2>/dev/null && { sleep 600 & echo $! > $each/ice/cgroup.procs; } 2>/dev/null
  { echo FROZEN > $each/ice/freezer.state || echo 1 > $each/ice/cgroup.freeze; } 2>/dev/null
done
"""
_SCRIPTS = {
    "forks": ("hostPID: true", "", _FORK),
    "nests": ("", "securityContext: {privileged: true}", f"{_NEST} {_FORK}"),
    "freezes": ("", "securityContext: {privileged: true}", f"{_FREEZE} sleep 600"),
    "shares": ("shareProcessNamespace: true", "", _FORK),
    "maps": ("hostUsers: false", "", "sleep 600"),
    "forks and nests": ("hostPID: true", "securityContext: {privileged: true}", f"{_NEST} {_FORK}"),
}


def manifest(kind: str) -> str:
    """A Pod of this kind, with an init container."""
    of_pod, of_container, script = _SCRIPTS[kind]
    indented = "\n".join(f"      {line}" for line in script.splitlines())
    return f"""apiVersion: v1
kind: Pod
metadata: {{name: killed}}
spec:
  terminationGracePeriodSeconds: 0
  {of_pod}
  volumes: [{{name: v, emptyDir: {{}}}}]
  initContainers:
  - {{name: i, image: 'busybox:root', command: [touch, /v/f], volumeMounts: [{{name: v, mountPath: /v}}]}}
  containers:
  - name: a
    image: busybox:root
    {of_container}
    volumeMounts: [{{name: v, mountPath: /v}}]
    command:
    - sh
    - -c
    - |
{indented}
"""


@dataclass
class Figures:
    """What was found."""

    kills: int = 0
    found_alive: int = 0
    blocked: int = 0
    leaks: list[str] = field(default_factory=list)
    slowest: float = 0.0


@dataclass(frozen=True)
class Run:
    """A podward that is to be killed after so many seconds."""

    runtime: str
    file: str
    life: float


class Place:
    """A state directory of its own, and what there is of it on this machine."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.environment = {**os.environ, "PODWARD_ROOT": root}

    def podward(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "podward", *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pods(self) -> set[str]:
        with contextlib.suppress(FileNotFoundError):
            return set(os.listdir(f"{self.root}/pods"))
        return set()

    @staticmethod
    def members(pods: set[str]) -> list[str]:
        """The processes in a Pod's cgroups; those that have ended wait for the machine's init, and hold nothing."""
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                groups = Path(f"/proc/{entry}/cgroup").read_text(encoding="utf-8", errors="replace")
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                ended = stat.rpartition(")")[2].split()[0] in {"Z", "X"}
                if not ended and any(f"podward-{pod}-" in groups for pod in pods):
                    found.append(entry)
        return found

    def processes(self, pods: set[str]) -> list[str]:
        """Processes in a Pod's cgroups, or with mounts or words of this place."""
        found = [f"process {entry}, in a cgroup" for entry in self.members(pods)]
        for entry in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ")
                mounts = Path(f"/proc/{entry}/mountinfo").read_text(encoding="utf-8", errors="replace")
                if f"{self.root}/" in mounts or os.fsencode(f"{self.root}/") in words:
                    found.append(f"process {entry}: {words[:60]!r}")
        return found

    def left(self, pods: set[str]) -> list[str]:
        """What is left of these Pods, and of anything in this place. Namespaces are held by processes and mounts."""
        found = self.processes(pods)
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
        found += [f"mount {line[:100]}" for line in mounts.splitlines() if f"{self.root}/" in line]
        for line in mounts.splitlines():
            where, kind = line.split(" ")[1:3]
            if kind in {"cgroup", "cgroup2"}:
                found += [f"cgroup {where}/{g}" for g in os.listdir(where) if any(f"podward-{p}-" in g for p in pods)]
        found += [f"directory pods/{name}" for name in self.pods()]
        for kind in os.listdir(f"{self.root}/oci"):
            found += [f"directory oci/{kind}/{name}" for name in os.listdir(f"{self.root}/oci/{kind}")]
        return found + [f"directory images/tmp/{name}" for name in os.listdir(f"{self.root}/images/tmp")]


@contextlib.contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many loops that do nothing, on all cores."""
    running = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in running:
            loop.kill()
            loop.wait()


def kill_some(place: Place, runs: list[Run], figures: Figures) -> None:
    """Each of these at its moment, then one later call."""
    began, pods = time.monotonic(), set[str]()
    running = [(run, place.podward("run", "--runtime", run.runtime, "-f", run.file)) for run in runs]
    for run, killed in sorted(running, key=lambda each: each[0].life):
        time.sleep(max(0.0, began + run.life - time.monotonic()))
        pods |= place.pods()
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
    pods |= place.pods()
    figures.kills += len(runs)
    figures.found_alive += sum(bool(place.members({pod})) for pod in pods)
    said = "; ".join(f"{run.runtime}, {run.file}, killed after {run.life:.3f} s" for run in runs)
    began = time.monotonic()
    later = place.podward("run", "-f", str(CLEAN))
    try:
        _, complaint = later.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        later.kill()
        _, complaint = later.communicate()
    figures.slowest = max(figures.slowest, time.monotonic() - began)
    if later.returncode != 0:
        figures.blocked += 1
        print(f"{said}: a later call ended with {later.returncode}: {complaint.strip()[:500]}", file=sys.stderr)
    left = place.left(pods)
    if left:
        time.sleep(1)  # what was killed takes a moment to be gone
        left = place.left(pods)
    if left:
        figures.leaks += left
        print("\n  ".join([f"{said}:", *left[:20], complaint.strip()[:500]]), file=sys.stderr)


def prove(kills: int, number: int, directory: str) -> Figures:
    """So many kills in this directory."""
    place, chance, figures = Place(f"{directory}/state"), random.Random(number), Figures()  # noqa: S311  # it decides when
    subprocess.run(
        [sys.executable, PROJECT / "examples" / "images" / "build_images.py"],
        env=place.environment,
        check=True,
        capture_output=True,
    )
    files = []
    for kind in _SCRIPTS:
        files.append(f"{directory}/{kind.replace(' ', '-')}.yaml")
        Path(files[-1]).write_text(manifest(kind), encoding="utf-8")
    with busy(BUSY):
        began = time.monotonic()
        for each in [place.podward("run", "-f", str(CLEAN)) for _ in range(AT_ONCE)]:
            each.communicate(timeout=PATIENCE)
        longest = LIVES * (time.monotonic() - began)
        for first in range(0, kills, AT_ONCE):
            counts = range(first, min(first + AT_ONCE, kills))
            kill_some(
                place,
                [
                    Run(("crun", "runc")[n % 2], files[n // 2 % len(files)], chance.uniform(0.02, longest))
                    for n in counts
                ],
                figures,
            )
            if sys.stderr.isatty():
                print(f"\r{figures.kills} kills, {len(figures.leaks)} leaks", end="", file=sys.stderr)
    return figures


def main() -> int:
    """Parse the words, prove in a directory of its own, say what was found."""
    parser = argparse.ArgumentParser(description="podward killed at random moments: what is left after its next call")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podward-kills-") as directory:
        figures = prove(options.kills, options.seed, directory)
    print(f"seed {options.seed}; processes of {figures.found_alive} Pods lived on until the next call")
    print(f"the slowest later call took {figures.slowest:.1f} s, with {BUSY} busy loops beside")
    print(f"{figures.kills} kills, {len(figures.leaks)} leaks, {figures.blocked} blocked")
    return 1 if figures.leaks or figures.blocked else 0


if __name__ == "__main__":
    sys.exit(main())
