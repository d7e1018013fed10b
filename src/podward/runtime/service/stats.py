"""The figures of containers and sandboxes, as CRI's stats have them.

Figures are taken when they are asked for; what a container wrote to its root has the time when that was counted.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from podward.api.cri_stats import (
    ContainerAttributes,
    ContainerStats,
    CpuUsage,
    FilesystemIdentifier,
    FilesystemUsage,
    IoUsage,
    LinuxPodSandboxStats,
    MemoryUsage,
    NetworkInterfaceUsage,
    NetworkUsage,
    PodSandboxAttributes,
    PodSandboxStats,
    ProcessUsage,
    PsiData,
    PsiStats,
    SwapUsage,
)
from podward.runtime import syscalls
from podward.runtime.service.cgroup_figures import CgroupFigures, MemoryFigures, Pressure
from podward.runtime.service.layer_sizes import LayerSize
from podward.runtime.service.records import ContainerRecord, SandboxRecord

_LOOPBACK = "lo"


class CpuRates:
    """How fast CPU time goes by, from what was asked before: nanoseconds a second."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int, int | None]] = {}

    def of(self, identifier: str, at: int, usage: int) -> int | None:
        """The rate since the last time; None the first time. Within a second it is the last answer again."""
        then, before, rate = self._before.get(identifier, (0, 0, None))
        if then and at - then < 1_000_000_000:
            return rate
        rate = max(0, (usage - before) * 1_000_000_000 // (at - then)) if then else None
        self._before[identifier] = (at, usage, rate)
        return rate

    def keep_only(self, identifiers: Iterable[str]) -> None:
        """Forget what is gone."""
        wanted = set(identifiers)
        self._before = {identifier: known for identifier, known in self._before.items() if identifier in wanted}


# --- containers -------------------------------------------------------------------------------------------------------


def container_stats(
    record: ContainerRecord, figures: CgroupFigures, layer: tuple[str, LayerSize], rates: CpuRates
) -> ContainerStats:
    """A container's; `layer` is the directory of what it wrote, and its size."""
    config, now = record.config, time.time_ns()
    place, size = layer
    return ContainerStats(
        ContainerAttributes(record.id, config.metadata, config.labels, config.annotations),
        cpu_usage(record.id, figures, now, rates),
        memory_usage(figures, now),
        FilesystemUsage(size.counted_at or now, FilesystemIdentifier(place), size.used, size.inodes),
        SwapUsage(now, figures.memory.swap_limit or None, figures.memory.swap),
        IoUsage(now, _psi(figures, "io")) if "io" in figures.pressures else None,
    )


def cpu_usage(identifier: str, figures: CgroupFigures, now: int, rates: CpuRates) -> CpuUsage:
    """CPU time so far, and how fast it goes by."""
    usage = figures.cpu.usage
    return CpuUsage(now, usage, rates.of(identifier, now, usage), _psi(figures, "cpu"))


def memory_usage(figures: CgroupFigures, now: int) -> MemoryUsage:
    """Memory; what is available is known where there is a limit."""
    memory: MemoryFigures = figures.memory
    return MemoryUsage(
        now,
        memory.working_set,
        max(0, memory.limit - memory.working_set) if memory.limit else None,
        memory.usage,
        memory.rss,
        memory.faults,
        memory.major_faults,
        _psi(figures, "memory"),
    )


def _psi(figures: CgroupFigures, kind: str) -> PsiStats | None:
    if kind not in figures.pressures:
        return None
    some, full = figures.pressures[kind]
    return PsiStats(_psi_data(full), _psi_data(some))


def _psi_data(pressure: Pressure) -> PsiData:
    return PsiData(pressure.total * 1000, pressure.avg10, pressure.avg60, pressure.avg300)


# --- sandboxes --------------------------------------------------------------------------------------------------------


class Interface(Struct, frozen=True):
    """A line of /proc/PID/net/dev."""

    name: str
    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


def interfaces(namespace: str) -> tuple[Interface, ...]:
    """The interfaces in the network namespace of this path, without loopback; none where it is gone.

    The calling thread is in that namespace meanwhile, and no other thread of its process.
    """
    try:
        with _thread_in(namespace), open("/proc/thread-self/net/dev", encoding="ascii", errors="replace") as file:
            lines = file.read().splitlines()[2:]
    except OSError:
        return ()
    found = []
    for line in lines:
        name, _, rest = line.partition(":")
        values = [int(word) for word in rest.split()]
        if name.strip() != _LOOPBACK and len(values) >= 12:
            found.append(Interface(name.strip(), *values[:4], *values[8:12]))
    return tuple(found)


@contextlib.contextmanager
def _thread_in(namespace: str) -> Iterator[None]:
    ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        theirs = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            syscalls.setns(theirs, syscalls.CLONE_NEWNET)
        finally:
            os.close(theirs)
        try:
            yield
        finally:
            syscalls.setns(ours, syscalls.CLONE_NEWNET)
    finally:
        os.close(ours)


def sandbox_stats(  # noqa: PLR0913, PLR0917 - what is known of a sandbox comes from as many places
    record: SandboxRecord,
    whole: CgroupFigures,
    processes: int,
    interfaces: Sequence[Interface],
    containers: tuple[ContainerStats, ...],
    rates: CpuRates,
) -> PodSandboxStats:
    """A sandbox's; `whole` is what is counted for its cgroup and those of its containers, which are below."""
    config, now = record.config, time.time_ns()
    attributes = PodSandboxAttributes(record.id, config.metadata, config.labels, config.annotations)
    return PodSandboxStats(
        attributes,
        LinuxPodSandboxStats(
            cpu_usage(record.id, whole, now, rates),
            memory_usage(whole, now),
            _network(interfaces, now) if interfaces else None,
            ProcessUsage(now, processes),
            containers,
            IoUsage(now, _psi(whole, "io")) if "io" in whole.pressures else None,
        ),
    )


def _network(found: Sequence[Interface], now: int) -> NetworkUsage:
    usages = tuple(
        NetworkInterfaceUsage(each.name, each.rx_bytes, each.rx_errors, each.tx_bytes, each.tx_errors) for each in found
    )
    return NetworkUsage(now, usages[0] if usages else None, usages[1:])
