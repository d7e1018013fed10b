"""A run always ends: hostile volumes, signals, processes that fork and cgroups that nest."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from case_corpus import case, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "runc", "busybox", "skopeo", "umoci")

STUBBORN = """apiVersion: v1
kind: Pod
metadata: {name: stubborn}
spec:
  terminationGracePeriodSeconds: 600
  containers:
  - name: a
    image: busybox:root
    command: [sh, -c, "trap : TERM; echo up; while :; do sleep 0.1; done"]
"""
FORKING = """apiVersion: v1
kind: Pod
metadata: {name: forking}
spec:
  terminationGracePeriodSeconds: 0
  hostPID: true
  containers:
  - name: a
    image: busybox:root
    command: [sh, -c, "echo up; while :; do (sleep 0.01 & exec sleep 0.02) & sleep 0.005; done"]
"""
FREEZING = """apiVersion: v1
kind: Pod
metadata: {name: freezing}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: a
    image: busybox:root
    securityContext: {privileged: true}
    command: [sh, -c, "echo up; echo FROZEN > /sys/fs/cgroup/freezer/freezer.state; sleep 600"]
"""
NESTING = """apiVersion: v1
kind: Pod
metadata: {name: nesting}
spec:
  containers:
  - name: a
    image: busybox:root
    securityContext: {privileged: true}
    command:
    - sh
    - -c
    - |
      name=$(printf '%0200d' 0)
      cd /sys/fs/cgroup/pids 2>/dev/null || cd "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)"
      i=0; while [ $i -lt 25 ]; do mkdir $name || break; cd ./$name || break; i=$((i+1)); done
      echo up $i; sleep 600
"""


def ended(process: subprocess.Popen[str], seconds: float) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
        return True
    return False


def kill_below(pid: int) -> None:
    """Kill the process and all that it started: a test must leave nothing, whatever hangs."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for child in children.read_text(encoding="ascii").split() if children.exists() else []:
        kill_below(int(child))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def running_words(pid: int) -> str:
    """The command lines of the children of a process; empty where it has none, or has ended."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        found += [Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8", errors="replace") for child in children]
    return "".join(found)


@pytest.fixture
def started(podward: Podward) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test; what still runs at its end is killed, and its remains are swept by another call."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            kill_below(process.pid)
        process.wait(timeout=10)
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
    podward("run", "-f", case("hostile/clean.yaml"))


def begin(podward: Podward, started: list[subprocess.Popen[str]], *words: str) -> subprocess.Popen[str]:
    process = podward.start(*words)
    started.append(process)
    return process


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().startswith(word)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
@pytest.mark.parametrize("name", ["fifo-passwd", "fifo-group"])
def test_a_pipe_in_the_place_of_passwd_ends_with_an_error_within_seconds(
    podward: Podward, started: list[subprocess.Popen[str]], name: str, runtime: str
) -> None:
    process = begin(podward, started, "run", "--runtime", runtime, "-f", case(f"hostile/{name}.yaml"))
    assert ended(process, 45), "the runtime waits for a writer, and podward for the runtime"
    _, said = process.communicate()
    assert process.returncode in {1, 128}, said
    assert "container a" in said
    assert "/etc/" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_runtime_that_hangs_does_not_keep_signals_out(
    podward: Podward, started: list[subprocess.Popen[str]], number: signal.Signals
) -> None:
    process = begin(podward, started, "run", "-f", case("hostile/fifo-passwd.yaml"))
    time.sleep(4)
    if process.poll() is None:
        process.send_signal(number)
        time.sleep(1)
        process.send_signal(number)
    assert ended(process, 10)
    assert process.returncode in {1, 128, 128 + number}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_runtime_that_never_answers_ends_with_the_second_signal(
    podward: Podward, started: list[subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    silent = Path(write(tmp_path, "crun", "#!/bin/sh\n[ $1 = --version ] && exec echo crun 1.8\nsleep 600\n"))
    silent.chmod(0o755)
    path = podward.environment["PATH"]
    podward.environment["PATH"] = f"{tmp_path}:{path}"
    process = begin(podward, started, "run", "-f", case("hostile/clean.yaml"))
    podward.environment["PATH"] = path
    deadline = time.monotonic() + 30
    while f"{podward.root}/pods" not in running_words(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(number)
    time.sleep(0.5)
    process.send_signal(number)
    assert ended(process, 15)
    assert process.returncode == 128 + number
    assert running_words(process.pid) == ""


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_the_second_interrupt_kills_whatever_the_grace_period(
    podward: Podward, started: list[subprocess.Popen[str]], tmp_path: Path, runtime: str
) -> None:
    process = begin(podward, started, "run", "--runtime", runtime, "-f", write(tmp_path, "pod.yaml", STUBBORN))
    wait_for(process, "up")
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert process.poll() is None, "the first one waits"
    process.send_signal(signal.SIGINT)
    assert ended(process, 10)
    assert process.returncode == 130


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_container_that_froze_itself_ends_with_an_interrupt(
    podward: Podward, started: list[subprocess.Popen[str]], tmp_path: Path, runtime: str
) -> None:
    if not Path("/sys/fs/cgroup/freezer").is_dir():
        pytest.skip("only cgroup v1 keeps what is frozen from being killed")
    process = begin(podward, started, "run", "--runtime", runtime, "-f", write(tmp_path, "pod.yaml", FREEZING))
    wait_for(process, "up")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert ended(process, 30)
    assert process.returncode == 130


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_a_pod_that_forks_for_ever_leaves_nothing_after_an_interrupt(
    podward: Podward, started: list[subprocess.Popen[str]], tmp_path: Path, runtime: str
) -> None:
    for _ in range(3):
        process = begin(podward, started, "run", "--runtime", runtime, "-f", write(tmp_path, "pod.yaml", FORKING))
        wait_for(process, "up")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert ended(process, 20)
    left = podward.leftovers()
    for group in [word.removeprefix("cgroup ") for word in left if word.startswith("cgroup ")]:
        with contextlib.suppress(OSError):
            os.rmdir(group)
    assert left == []


def _end_nested(parent: int, name: str) -> None:
    """Kill what is in a cgroup and in those below it, and remove them, however long their paths are."""
    with contextlib.suppress(FileNotFoundError):
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
        try:
            with open(os.open("cgroup.procs", os.O_RDONLY, dir_fd=inner), encoding="ascii") as members:
                for pid in members.read().split():
                    os.kill(int(pid), signal.SIGKILL)
            for entry in os.listdir(inner):
                if stat.S_ISDIR(os.stat(entry, dir_fd=inner, follow_symlinks=False).st_mode):
                    _end_nested(inner, entry)
        finally:
            os.close(inner)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.rmdir(name, dir_fd=parent)
                return
            time.sleep(0.05)


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_nested_cgroups_of_a_killed_run_block_no_later_one(
    podward: Podward, started: list[subprocess.Popen[str]], tmp_path: Path, runtime: str
) -> None:
    process = begin(podward, started, "run", "--runtime", runtime, "-f", write(tmp_path, "pod.yaml", NESTING))
    wait_for(process, "up 2")
    (pod,) = os.listdir(podward.root / "pods")
    made = {group for group in podward.cgroups() if os.path.basename(group).startswith(f"podward-{pod}-")}
    try:
        process.kill()
        process.wait(timeout=10)
        later = podward("run", "-f", case("hostile/clean.yaml"))
        assert later.returncode == 0, later.stderr
        assert podward("run", "-f", case("hostile/clean.yaml")).returncode == 0
        assert [group for group in made if os.path.exists(group)] == [], "and they are gone"
    finally:
        for group in made:
            hierarchy = os.open(os.path.dirname(group), os.O_RDONLY | os.O_DIRECTORY)
            _end_nested(hierarchy, os.path.basename(group))
            os.close(hierarchy)
