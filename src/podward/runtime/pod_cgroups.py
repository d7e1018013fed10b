"""The cgroup of a Pod, in which its sandboxes' and containers' are: made, limited, weighed, taken away.

Under cgroup v1 it is made in the hierarchies that limit something, cpu and memory, and pids where these are limited;
under v2 the controllers are handed down to it (cgroups(7)). What the machine has no file for is not limited.
"""

from __future__ import annotations

import contextlib
import os

from podward.api.cri import LinuxContainerResources
from podward.errors import NodeError
from podward.runtime.cgroups import Cgroups

HOME = "/sys/fs/cgroup"
_V1 = (("cpu", "cpu.shares"), ("cpu", "cpu.cfs_period_us"), ("cpu", "cpu.cfs_quota_us"))
_MEMORY_V1 = "memory.limit_in_bytes"
_CONTROLLERS = "+cpu +memory +pids"
_LEAST_SHARES, _MOST_SHARES = 2, 262144
_LEAST_WEIGHT, _MOST_WEIGHT = 1, 10_000
_NO_LIMIT = "-1"
_MOUNT_PIDS = "mount the cgroup controller pids there, or do without --pod-max-pids"


def ensure(path: str, wanted: LinuxContainerResources) -> None:
    """Have the cgroup there, with these limits. Raises NodeError where the kernel refuses."""
    if os.path.exists(f"{HOME}/cgroup.controllers"):
        _ensure_unified(path)
        _limit_unified(f"{HOME}{path}", wanted)
        return
    for controller in ("cpu", "memory"):
        if os.path.isdir(f"{HOME}/{controller}"):
            os.makedirs(f"{HOME}/{controller}{path}", exist_ok=True)
    values = (wanted.cpu_shares or 2, wanted.cpu_period or 100_000, wanted.cpu_quota or -1)
    for (controller, file), value in zip(_V1, values, strict=True):
        _write(f"{HOME}/{controller}{path}/{file}", str(value))
    _write(f"{HOME}/memory{path}/{_MEMORY_V1}", str(wanted.memory_limit_in_bytes or _NO_LIMIT))


def limit_processes(path: str, most: int) -> None:
    """Let the Pod have so many processes and threads, and no more. Raises NodeError where the kernel refuses."""
    directory = f"{HOME}{path}"
    if not os.path.exists(f"{HOME}/cgroup.controllers"):
        if not os.path.isdir(f"{HOME}/pids"):
            raise NodeError("nothing counts processes on this machine", where=f"{HOME}/pids", advice=_MOUNT_PIDS)
        directory = f"{HOME}/pids{path}"
        os.makedirs(directory, exist_ok=True)
    _write(f"{directory}/pids.max", str(most))


def weigh(above: str, *, by_those_below: bool) -> None:
    """Give this cgroup of Pods' cgroups the least share of CPU, or as much as those below it have together.

    What is there is counted: cgroups of several nodes on this machine are beside each other. Raises NodeError where the
    kernel refuses.
    """
    if os.path.exists(f"{HOME}/cgroup.controllers"):
        directory, file, least, most = f"{HOME}{above}", "cpu.weight", _LEAST_WEIGHT, _MOST_WEIGHT
    else:
        directory, file, least, most = f"{HOME}/cpu{above}", "cpu.shares", _LEAST_SHARES, _MOST_SHARES
    together = _sum_below(directory, file) if by_those_below else least
    _write(f"{directory}/{file}", str(min(max(together, least), most)))


def _sum_below(directory: str, file: str) -> int:
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(directory) as entries:
        for entry in entries:
            with contextlib.suppress(OSError, ValueError), open(f"{entry.path}/{file}", encoding="ascii") as opened:
                total += int(opened.read())
    return total


def memory_used(path: str) -> int:
    """The bytes of memory that everything in the cgroup uses; 0 where nobody counts."""
    for file in (f"{HOME}{path}/memory.current", f"{HOME}/memory{path}/memory.usage_in_bytes"):
        with contextlib.suppress(OSError, ValueError), open(file, encoding="ascii") as opened:
            return int(opened.read())
    return 0


def remove(path: str, cgroups: Cgroups) -> None:
    """End whatever is left in the cgroup, and take it away. Raises NodeError where something stays."""
    cgroups.end_path(path)


def _ensure_unified(path: str) -> None:
    here = HOME
    for step in (part for part in path.split("/") if part):
        _write(f"{here}/cgroup.subtree_control", _CONTROLLERS)
        here = f"{here}/{step}"
        os.makedirs(here, exist_ok=True)


def _limit_unified(directory: str, wanted: LinuxContainerResources) -> None:
    shares = wanted.cpu_shares or 2
    _write(f"{directory}/cpu.weight", str(1 + (shares - 2) * 9999 // 262142))
    quota = str(wanted.cpu_quota) if wanted.cpu_quota > 0 else "max"
    _write(f"{directory}/cpu.max", f"{quota} {wanted.cpu_period or 100_000}")
    _write(f"{directory}/memory.max", str(wanted.memory_limit_in_bytes or "max"))


def _write(file: str, content: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, content.encode())
        except OSError as error:
            raise NodeError(f"the Pod's cgroup cannot be given {content}: {error.strerror}", where=file) from error
        finally:
            os.close(descriptor)
