"""What is in a container's cgroups is ended, whatever it did against that, and the cgroups are removed."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from podward.runtime.cgroups import Cgroups, name

pytestmark = pytest.mark.needs("root")

SLEEP = "sleep 600"
FORK = "while :; do (sleep 0.01 & exec sleep 0.02) & sleep 0.005; done"
DEEPER_THAN_A_PATH = 25
LONG = "0" * 200


class Group:
    """A container's cgroup in every hierarchy where one can be made, with processes in it."""

    def __init__(self) -> None:
        self.pod = os.urandom(6).hex()
        self.container = f"{self.pod}-a-0"
        self.places = []
        self._started: list[subprocess.Popen[bytes]] = []
        for hierarchy in Path("/sys/fs/cgroup").iterdir():
            place = Path(f"{hierarchy}{name(self.container)}")
            with contextlib.suppress(OSError):
                place.mkdir()
                self.places.append(place)

    def run(self, script: str, *, nested: int = 0) -> subprocess.Popen[bytes]:
        """Run this with all that it starts in the cgroup, or so many directories deeper."""
        process = subprocess.Popen(["/bin/sh", "-c", f"read go; {script}"], stdin=subprocess.PIPE)
        self._started.append(process)
        for place in self.places:
            directory = os.open(place, os.O_RDONLY)
            for _ in range(nested):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(LONG, dir_fd=directory)
                inner = os.open(LONG, os.O_RDONLY, dir_fd=directory)
                os.close(directory)
                directory = inner
            with contextlib.suppress(OSError):
                procs = os.open("cgroup.procs", os.O_WRONLY, dir_fd=directory)
                os.write(procs, str(process.pid).encode())
                os.close(procs)
            os.close(directory)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        return process

    def freeze(self) -> None:
        for place in self.places:
            for file, word in (("freezer.state", "FROZEN"), ("cgroup.freeze", "1")):
                if (place / file).exists():
                    (place / file).write_text(word)

    def reap(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def group() -> Iterator[Group]:
    if not os.path.isdir("/sys/fs/cgroup/freezer"):
        pytest.skip("this makes cgroups of v1")
    made = Group()
    yield made
    made.reap()
    assert [place for place in made.places if place.exists()] == []


@pytest.fixture
def cgroups() -> Iterator[Cgroups]:
    here = Cgroups.here()
    yield here
    here.close()


def test_none_is_fine(cgroups: Cgroups) -> None:
    cgroups.end("0123456789ab-a-0")
    cgroups.kill("0123456789ab-a-0")
    assert not cgroups.left("0123456789ab")


@pytest.mark.parametrize("script", [SLEEP, FORK, "trap '' TERM INT; while :; do sleep 1; done"])
def test_processes_are_ended(group: Group, cgroups: Cgroups, script: str) -> None:
    group.run(script)
    group.run(SLEEP)
    assert cgroups.left(group.pod)
    cgroups.end(group.container)
    assert not cgroups.left(group.pod)


def test_frozen_processes_are_ended(group: Group, cgroups: Cgroups) -> None:
    group.run(FORK)
    group.freeze()
    cgroups.end_pod(group.pod)


def test_killing_thaws_what_is_killed(group: Group, cgroups: Cgroups) -> None:
    process = group.run(SLEEP)
    group.freeze()
    cgroups.kill(group.container)
    assert process.wait(timeout=30) == -9
    cgroups.end(group.container)


@pytest.mark.parametrize("nested", [0, 2])
def test_what_is_killed_gets_time_to_end(group: Group, cgroups: Cgroups, nested: int) -> None:
    """A Pod without requests has 2 shares, and a small limit stops it most of the time."""
    process = group.run(SLEEP, nested=nested)
    (place,) = [place for place in group.places if (place / "cpu.shares").exists() and "cpuacct" not in place.parts]
    slow = place.joinpath(*[LONG] * nested)
    (slow / "cpu.shares").write_text("2")
    (slow / "cpu.cfs_quota_us").write_text("1000")
    cgroups.kill(group.container)
    assert (slow / "cpu.shares").read_text() == "1024\n"
    assert (slow / "cpu.cfs_quota_us").read_text() == "-1\n"
    assert process.wait(timeout=30) == -9
    cgroups.end(group.container)


def test_cgroups_deeper_than_a_path_are_ended_and_removed(group: Group, cgroups: Cgroups) -> None:
    group.run(SLEEP, nested=DEEPER_THAN_A_PATH)
    group.run(FORK, nested=3)
    for place in group.places:
        (place / "beside").mkdir()
    cgroups.end(group.container)


def test_a_thread_elsewhere_is_found(group: Group, cgroups: Cgroups) -> None:
    """v1 lets a thread be in another cgroup than its process: the first one is in none of ours then."""
    threads = "import threading,time; threading.Thread(target=time.sleep, args=(600,)).start(); time.sleep(600)"
    process = subprocess.Popen(["/usr/bin/env", "python3", "-c", threads])
    try:
        tasks = Path(f"/proc/{process.pid}/task")
        while len(list(tasks.iterdir())) < 2:
            assert process.poll() is None
        second = max(int(task.name) for task in tasks.iterdir())
        for place in group.places:
            if (place / "tasks").exists():
                with contextlib.suppress(OSError):
                    (place / "tasks").write_text(str(second))
        cgroups.end(group.container)
        process.wait(timeout=30)  # reaped by who ended it
    finally:
        process.kill()
        process.wait()


def test_a_cgroup_is_ended_where_it_is_with_all_below_it(group: Group, cgroups: Cgroups) -> None:
    group.run(f"{SLEEP} & {SLEEP}", nested=2)
    cgroups.end_path(f"{name(group.container)}/{LONG}")
    assert cgroups.exists(name(group.container))
    assert not cgroups.exists(f"{name(group.container)}/{LONG}")
    cgroups.end(group.container)


@pytest.mark.parametrize("way", ["/{0}/../{0}/a", "/./{0}/a", "/../fs/cgroup/{0}/a", "/nobody/{0}", ""])
def test_a_path_that_goes_elsewhere_leads_nowhere(group: Group, cgroups: Cgroups, way: str) -> None:
    for place in group.places:
        (place / "a").mkdir()
    path = way.format(name(group.container).strip("/"))
    assert not cgroups.exists(path)
    cgroups.end_path(path)
    assert cgroups.exists(f"{name(group.container)}/a")
    cgroups.end(group.container)


def test_only_empty_ones_that_were_not_there_before_are_removed(group: Group, cgroups: Cgroups) -> None:
    above = name(group.container)
    for place in group.places:
        (place / "a" / "b").mkdir(parents=True)
    group.places[0].joinpath("a", "other").mkdir()
    cgroups.remove_empty(f"{above}/a/b", above)
    assert not cgroups.exists(f"{above}/a/b")
    assert group.places[0].joinpath("a", "other").exists()
    assert not group.places[1].joinpath("a").exists()
    assert cgroups.exists(above)
    cgroups.end(group.container)
