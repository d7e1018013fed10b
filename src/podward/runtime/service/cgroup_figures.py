"""What the kernel counts for a cgroup: the same figures from version 1, from version 2, and from a machine with both.

Specification (Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst): v1 has a hierarchy for each controller and counts
memory of a cgroup and of those below it in the `total_` lines of memory.stat; v2 counts everything so. The working set
is what is used without inactive file pages (cAdvisor, kubelet), never below 0. A limit that is none is 0 here.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

_LARGEST = 1 << 20
_NO_LIMIT = 1 << 60
"""v1 writes the largest number of whole pages where there is no limit."""


class Pressure(Struct, frozen=True):
    """A line of a pressure file: percents of the last 10, 60 and 300 seconds, and microseconds in all."""

    avg10: float = 0.0
    avg60: float = 0.0
    avg300: float = 0.0
    total: int = 0


class Traffic(Struct, frozen=True):
    """What was read from and written to a device: bytes, and how often."""

    major: int
    minor: int
    read_bytes: int = 0
    written_bytes: int = 0
    reads: int = 0
    writes: int = 0


class CpuFigures(Struct, frozen=True):
    """Nanoseconds of CPU time so far, and how often a quota ended; shares, period and quota as they are set."""

    usage: int = 0
    user: int = 0
    system: int = 0
    periods: int = 0
    throttled_periods: int = 0
    throttled: int = 0
    shares: int = 0
    period: int = 0
    quota: int = 0


class MemoryFigures(Struct, frozen=True):
    """Bytes, page faults, and how often a limit was hit and a process was killed for it."""

    usage: int = 0
    peak: int = 0
    working_set: int = 0
    rss: int = 0
    cache: int = 0
    mapped_file: int = 0
    kernel: int = 0
    swap: int = 0
    limit: int = 0
    swap_limit: int = 0
    reservation: int = 0
    hits_of_limit: int = 0
    faults: int = 0
    major_faults: int = 0
    oom_kills: int = 0


class CgroupFigures(Struct, frozen=True):
    """All of them. `pressures` has `cpu`, `memory` and `io` where the kernel counts them: (some, full)."""

    cpu: CpuFigures = CpuFigures()
    memory: MemoryFigures = MemoryFigures()
    threads: int = 0
    threads_limit: int = 0
    processes: tuple[int, ...] = ()
    traffic: tuple[Traffic, ...] = ()
    pressures: dict[str, tuple[Pressure, Pressure]] = {}


class Hierarchies:
    """Where the cgroups of each controller are on this machine."""

    def __init__(self, controllers: dict[str, str], unified: str) -> None:
        self._controllers = controllers
        self._unified = unified

    @classmethod
    def here(cls) -> Hierarchies:
        """Those that are mounted here and now."""
        controllers, unified = {}, ""
        for line in _lines("/proc/self/mounts"):
            _, place, kind, options, *_ = line.split(" ")
            if kind == "cgroup2":
                unified = place
            elif kind == "cgroup":
                controllers.update(dict.fromkeys(options.split(","), place))
        return cls(controllers, unified)

    def figures(self, cgroup: str) -> CgroupFigures:
        """What is counted for this cgroup; zeros where it is gone."""
        return CgroupFigures(
            self._cpu(cgroup),
            self._memory(cgroup),
            _number(f"{self._place('pids', cgroup)}/pids.current"),
            _number(f"{self._place('pids', cgroup)}/pids.max"),
            self.processes(cgroup),
            tuple(self._traffic(cgroup)),
            {kind: found for kind in ("cpu", "memory", "io") if (found := self._pressure(kind, cgroup))},
        )

    def processes(self, cgroup: str) -> tuple[int, ...]:
        """The pids in this cgroup."""
        return tuple(int(word) for word in _lines(f"{self._place('pids', cgroup)}/cgroup.procs") if word.isdigit())

    def _place(self, controller: str, cgroup: str) -> str:
        return f"{self._controllers.get(controller, self._unified)}{cgroup}"

    def _cpu(self, cgroup: str) -> CpuFigures:
        place = self._place("cpu", cgroup)
        stat = _table(f"{place}/cpu.stat")
        if "cpu" not in self._controllers:
            quota, period = (*_text(f"{place}/cpu.max").split(), "max", "0")[:2]
            return CpuFigures(
                stat.get("usage_usec", 0) * 1000, stat.get("user_usec", 0) * 1000, stat.get("system_usec", 0) * 1000,
                stat.get("nr_periods", 0), stat.get("nr_throttled", 0), stat.get("throttled_usec", 0) * 1000,
                _shares(_number(f"{place}/cpu.weight")), int(period), int(quota) if quota.isdigit() else 0,
            )  # fmt: skip
        account = self._place("cpuacct", cgroup)
        return CpuFigures(
            _number(f"{account}/cpuacct.usage"), _number(f"{account}/cpuacct.usage_user"),
            _number(f"{account}/cpuacct.usage_sys"), stat.get("nr_periods", 0), stat.get("nr_throttled", 0),
            stat.get("throttled_time", 0), _number(f"{place}/cpu.shares"), _number(f"{place}/cpu.cfs_period_us"),
            _number(f"{place}/cpu.cfs_quota_us"),
        )  # fmt: skip

    def _memory(self, cgroup: str) -> MemoryFigures:
        place = self._place("memory", cgroup)
        return _memory_v1(place) if "memory" in self._controllers else _memory_v2(place)

    def _traffic(self, cgroup: str) -> Iterator[Traffic]:
        place = self._place("blkio", cgroup)
        if "blkio" in self._controllers:
            return _traffic_v1(place)
        return _traffic_v2(place)

    def _pressure(self, kind: str, cgroup: str) -> tuple[Pressure, Pressure] | None:
        place = f"{self._place({'io': 'blkio'}.get(kind, kind), cgroup)}/{kind}.pressure"
        found = {line.split(" ", 1)[0]: _pressure(line) for line in _lines(place)}
        return (found.get("some", Pressure()), found.get("full", Pressure())) if found else None


def _memory_v1(place: str) -> MemoryFigures:
    stat, usage = _table(f"{place}/memory.stat"), _number(f"{place}/memory.usage_in_bytes")
    with_swap = _number(f"{place}/memory.memsw.limit_in_bytes")
    limit = _number(f"{place}/memory.limit_in_bytes")
    return MemoryFigures(
        usage,
        _number(f"{place}/memory.max_usage_in_bytes"),
        max(0, usage - stat.get("total_inactive_file", 0)),
        stat.get("total_rss", 0),
        stat.get("total_cache", 0),
        stat.get("total_mapped_file", 0),
        _number(f"{place}/memory.kmem.usage_in_bytes"),
        stat.get("total_swap", 0),
        limit,
        max(0, with_swap - limit),
        _number(f"{place}/memory.soft_limit_in_bytes"),
        _number(f"{place}/memory.failcnt"),
        stat.get("total_pgfault", 0),
        stat.get("total_pgmajfault", 0),
        _table(f"{place}/memory.oom_control").get("oom_kill", 0),
    )


def _memory_v2(place: str) -> MemoryFigures:
    stat, usage = _table(f"{place}/memory.stat"), _number(f"{place}/memory.current")
    events = _table(f"{place}/memory.events")
    return MemoryFigures(
        usage,
        _number(f"{place}/memory.peak"),
        max(0, usage - stat.get("inactive_file", 0)),
        stat.get("anon", 0),
        stat.get("file", 0),
        stat.get("file_mapped", 0),
        stat.get("kernel", 0),
        _number(f"{place}/memory.swap.current"),
        _number(f"{place}/memory.max"),
        _number(f"{place}/memory.swap.max"),
        _number(f"{place}/memory.low"),
        events.get("max", 0),
        stat.get("pgfault", 0),
        stat.get("pgmajfault", 0),
        events.get("oom_kill", 0),
    )


def _traffic_v1(place: str) -> Iterator[Traffic]:
    found: dict[tuple[int, int], dict[str, int]] = {}
    for file in ("io_service_bytes", "io_serviced"):
        for line in _lines(f"{place}/blkio.throttle.{file}_recursive"):
            device, _, rest = line.partition(" ")
            if ":" in device:
                word, _, value = rest.partition(" ")
                found.setdefault(_device(device), {})[f"{file} {word}"] = int(value)
    for (major, minor), values in found.items():
        yield Traffic(
            major,
            minor,
            values.get("io_service_bytes Read", 0),
            values.get("io_service_bytes Write", 0),
            values.get("io_serviced Read", 0),
            values.get("io_serviced Write", 0),
        )


def _traffic_v2(place: str) -> Iterator[Traffic]:
    for line in _lines(f"{place}/io.stat"):
        device, *words = line.split()
        values = {name: int(value) for name, _, value in (word.partition("=") for word in words) if value.isdigit()}
        names = ("rbytes", "wbytes", "rios", "wios")
        yield Traffic(*_device(device), *(values.get(name, 0) for name in names))


def _device(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(":")
    return int(major), int(minor)


def _pressure(line: str) -> Pressure:
    values = dict(word.split("=", 1) for word in line.split()[1:])
    return Pressure(float(values["avg10"]), float(values["avg60"]), float(values["avg300"]), int(values["total"]))


def _shares(weight: int) -> int:
    """v1's shares for v2's weight: opencontainers/cgroups' ConvertCPUSharesToCgroupV2Value, turned around."""
    return 2 + (weight - 1) * 262142 // 9999 if weight else 0


def _number(file: str) -> int:
    """A number; 0 where there is no file, and where it says that there is no limit."""
    text = _text(file).strip()
    number = int(text) if text.isdigit() else 0
    return 0 if number > _NO_LIMIT else number


def _table(file: str) -> dict[str, int]:
    rows = (line.partition(" ") for line in _lines(file))
    return {name: int(value) for name, _, value in rows if value.isdigit()}


def _lines(file: str) -> list[str]:
    return _text(file).splitlines()


def _text(file: str) -> str:
    try:
        with open(file, "rb") as opened:
            return opened.read(_LARGEST).decode("ascii", "replace")
    except OSError:
        return ""
