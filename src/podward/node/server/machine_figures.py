"""What the machine uses, as a node tells it: read from /proc and of a file system when it is asked for."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

from podward.api.json_value import Json, JsonObject

NANO = 10**9
_KIB = 1024
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOPBACK = "lo"
_VIRTUAL = ("veth", "docker", "cni", "ifb")
"""Beginnings of the names of devices that are no way to elsewhere."""


def moment(nanoseconds: int) -> str:
    """A time as JSON has it."""
    return datetime.fromtimestamp(nanoseconds // NANO, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_cpu() -> int:
    """The time that the machine's processors were busy, in nanoseconds."""
    words = _lines("/proc/stat")[0].split()[1:]
    user, nice, system, _idle, _waiting, irq, soft, steal = map(int, words[:8])
    return (user + nice + system + irq + soft + steal) * NANO // _TICKS


def node_memory() -> dict[str, int]:
    """What the machine says of its memory, in bytes."""
    pairs = (line.split(":") for line in _lines("/proc/meminfo"))
    return {name: int(rest.split()[0]) * _KIB for name, rest in pairs}


def boot() -> int:
    """When the machine was started, in seconds since 1970."""
    return next((int(line.split()[1]) for line in _lines("/proc/stat") if line.startswith("btime")), 0)


class MachineFigures:
    """The figures of this machine, whose Pods write to the file system of a directory."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._at = time.monotonic_ns()
        self._used = node_cpu()
        self._rate = 0

    def summary(self) -> JsonObject:
        """The machine, as a summary has it."""
        now, used, memory = moment(time.time_ns()), node_cpu(), node_memory()
        faults = dict(line.split() for line in _lines("/proc/vmstat"))
        disk: JsonObject = {"time": now, **self.disk()}
        swap, free = memory.get("SwapTotal", 0), memory.get("SwapFree", 0)
        return {
            "startTime": moment(boot() * NANO),
            "cpu": {"time": now, "usageNanoCores": self._rate_now(used), "usageCoreNanoSeconds": used},
            "memory": {
                "time": now,
                "availableBytes": memory["MemAvailable"],
                "usageBytes": memory["MemTotal"] - memory["MemFree"],
                "workingSetBytes": memory["MemTotal"] - memory["MemAvailable"],
                "rssBytes": memory.get("AnonPages", 0),
                "pageFaults": int(faults.get("pgfault", 0)),
                "majorPageFaults": int(faults.get("pgmajfault", 0)),
            },
            "network": {"time": now, **_network()},
            "fs": disk,
            "runtime": {"imageFs": disk, "containerFs": disk},
            "rlimit": {"time": now, **_processes()},
            "swap": {"time": now, "swapAvailableBytes": free, "swapUsageBytes": swap - free},
        }

    def disk(self) -> JsonObject:
        """What there is on the file system, and what of it is used."""
        found = os.statvfs(self._directory)
        return {
            "availableBytes": found.f_bavail * found.f_frsize,
            "capacityBytes": found.f_blocks * found.f_frsize,
            "usedBytes": (found.f_blocks - found.f_bfree) * found.f_frsize,
            "inodesFree": found.f_ffree,
            "inodes": found.f_files,
            "inodesUsed": found.f_files - found.f_ffree,
        }

    def _rate_now(self, used: int) -> int:
        """Nanoseconds of processors in a second, since they were asked for the last time."""
        at = time.monotonic_ns()
        if at - self._at > NANO:
            self._rate = max(0, used - self._used) * NANO // (at - self._at)
            self._at, self._used = at, used
        return self._rate


def _network() -> JsonObject:
    """The devices, and before them the one by which others are reached."""
    way = next((words[0] for line in _lines("/proc/net/route")[1:] if (words := line.split())[1] == "0" * 8), "")
    rows: list[Json] = []
    own: JsonObject = {}
    for line in _lines("/proc/net/dev")[2:]:
        name, _, said = line.partition(":")
        name, counts = name.strip(), [int(word) for word in said.split()]
        if name == _LOOPBACK or name.startswith(_VIRTUAL):
            continue
        row: JsonObject = {
            "name": name,
            "rxBytes": counts[0],
            "rxErrors": counts[2],
            "txBytes": counts[8],
            "txErrors": counts[10],
        }
        rows.append(row)
        own = row if name == way else own
    return {**own, "interfaces": rows}


def _processes() -> JsonObject:
    most = min(int(_lines(f"/proc/sys/kernel/{name}")[0]) for name in ("pid_max", "threads-max"))
    return {"maxpid": most, "curproc": int(_lines("/proc/loadavg")[0].split()[3].partition("/")[2])}


def _lines(file: str) -> list[str]:
    with open(file, encoding="utf-8", errors="replace") as opened:  # devices have the names that somebody gave them
        return opened.read().splitlines()
