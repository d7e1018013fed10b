"""Ending everything in the cgroups of a Pod that nobody looks after any more.

A container's cgroup has the same path in every hierarchy and a name that begins with the Pod's id, so it finds all of
its processes, in whatever state the OCI runtime was when its caller died, and whichever runtime it was (cgroups(7)).
"""

from __future__ import annotations

import os
import signal
import time

from podward.errors import NodeError

PATIENCE = 5.0
"""Seconds that killed processes may take to leave their cgroup."""


def name(container: str) -> str:
    """The path, below each hierarchy, of the cgroup of a container with this id."""
    return f"/podward-{container}"


def end(pod: str) -> None:
    """Kill what is in the cgroups of this Pod's containers and remove them; none is fine.

    Ask where the host's hierarchies are in sight, before our own mount namespace hides one. Raises NodeError where a
    process does not go.
    """
    prefix = name(f"{pod}-").removeprefix("/")
    groups = [
        f"{hierarchy}/{entry}"
        for hierarchy in _hierarchies()
        for entry in _directories(hierarchy)
        if entry.startswith(prefix)
    ]
    deadline = time.monotonic() + PATIENCE
    while pids := {pid for group in groups for pid in _members(group)}:
        if time.monotonic() > deadline:
            listed = ", ".join(map(str, sorted(pids)))
            raise NodeError(f"processes of an abandoned Pod do not end: {listed}", where=groups[0])
        for pid in pids:
            _kill(pid)
        time.sleep(0.005)
    for group in groups:
        _remove(group)


def _hierarchies() -> list[str]:
    found = []
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            fields = line.split(" ", 3)
            if len(fields) == 4 and fields[2] in ("cgroup", "cgroup2"):
                found.append(fields[1])
    return found


def _directories(group: str) -> list[str]:
    try:
        with os.scandir(group) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []


def _members(group: str) -> set[int]:
    """The processes of a cgroup and of those below, which a privileged container may have made; frozen ones thawed."""
    pids: set[int] = set()
    for inner in _directories(group):
        pids |= _members(f"{group}/{inner}")
    _write(f"{group}/freezer.state", b"THAWED")
    _write(f"{group}/cgroup.freeze", b"0")
    try:
        with open(f"{group}/cgroup.procs", encoding="ascii") as file:
            pids |= {int(line) for line in file if line.strip() != "0"}
    except OSError:
        return pids
    return pids


def _write(file: str, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return  # this hierarchy has no freezer
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _remove(group: str) -> None:
    for inner in _directories(group):
        _remove(f"{group}/{inner}")
    try:
        os.rmdir(group)
    except FileNotFoundError:
        return
