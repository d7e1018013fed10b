"""The metrics of containers and Pods: cAdvisor's names, which are what dashboards and alerts ask for.

Specification (cAdvisor, metrics/prometheus.go; the kubelet's `/metrics/cadvisor` over CRI): the labels of every metric
begin with those of `LABELS`. Values are whole numbers in the protocol, so seconds lose what is behind the point. One
table says what a metric is called, what it means and what it counts; the network is the Pod's, all else a container's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from msgspec import Struct

from podward.api.cri_stats import ContainerMetrics, Metric, MetricDescriptor, PodSandboxMetrics
from podward.runtime.service.cgroup_figures import CgroupFigures, Pressure, Traffic
from podward.runtime.service.layer_sizes import LayerSize
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.stats import Interface

LABELS = ("id", "name", "image", "namespace", "pod", "container")
_POD = "POD"
"""What cAdvisor calls the container of the Pod's own figures."""
_SECOND = 1_000_000_000
_MOST_PROCESSES = 256
"""Of how many processes of a container open files are looked at."""
_COUNTER, _GAUGE = "COUNTER", "GAUGE"


class Sample(Struct, frozen=True):
    """What is known of a container when its metrics are asked for."""

    record: ContainerRecord
    figures: CgroupFigures
    layer: LayerSize
    descriptors: int = 0
    sockets: int = 0
    open_files_limit: int = 0
    now: int = 0


def sample(record: ContainerRecord, figures: CgroupFigures, layer: LayerSize) -> Sample:
    """Look at what the cgroup does not count."""
    descriptors = sockets = 0
    for pid in figures.processes[:_MOST_PROCESSES]:
        all_of_it, of_sockets = _open_files(pid)
        descriptors, sockets = descriptors + all_of_it, sockets + of_sockets
    limit = _open_files_limit(record.process.pid) if record.process.pid in figures.processes else 0
    return Sample(record, figures, layer, descriptors, sockets, limit, time.time_ns())


Values = Iterator[tuple[int, tuple[str, ...]]]
"""Values with what distinguishes them, in the order of the labels."""


class _Row(Struct, frozen=True):
    name: str
    help: str
    type: str
    value: Callable[[Sample], int] | None = None
    labels: tuple[str, ...] = ()
    values: Callable[[Sample], Values] | None = None
    """Where there are several."""


def _by_device(value: Callable[[Traffic], int]) -> Callable[[Sample], Values]:
    return lambda s: ((value(each), (f"/dev/{each.major}:{each.minor}",)) for each in s.figures.traffic)


def _device_usage(found: Sample) -> Values:
    for each in found.figures.traffic:
        place = (f"/dev/{each.major}:{each.minor}", str(each.major), str(each.minor))
        yield each.read_bytes, (*place, "Read")
        yield each.written_bytes, (*place, "Write")


def _memory_failures(found: Sample) -> Values:
    memory = found.figures.memory
    for scope in ("container", "hierarchy"):
        yield memory.faults, ("pgfault", scope)
        yield memory.major_faults, ("pgmajfault", scope)


def _stalled(kind: str, part: int) -> Callable[[Sample], Values]:
    """Seconds that some (0) or all (1) tasks waited, where the kernel counts them."""

    def values(found: Sample) -> Values:
        pressures: tuple[Pressure, Pressure] | None = found.figures.pressures.get(kind)
        if pressures is not None:
            yield pressures[part].total // 1_000_000, ()

    return values


_CONTAINER: tuple[_Row, ...] = (
    _Row("container_cpu_user_seconds_total", "User CPU time, in seconds.", _COUNTER,
         lambda s: s.figures.cpu.user // _SECOND),
    _Row("container_cpu_system_seconds_total", "System CPU time, in seconds.", _COUNTER,
         lambda s: s.figures.cpu.system // _SECOND),
    _Row("container_cpu_usage_seconds_total", "CPU time, in seconds.", _COUNTER, labels=("cpu",),
         values=lambda s: iter(((s.figures.cpu.usage // _SECOND, ("total",)),))),
    _Row("container_cpu_cfs_periods_total", "Periods of the CPU quota that have passed.", _COUNTER,
         lambda s: s.figures.cpu.periods),
    _Row("container_cpu_cfs_throttled_periods_total", "Periods in which the CPU quota was used up.", _COUNTER,
         lambda s: s.figures.cpu.throttled_periods),
    _Row("container_cpu_cfs_throttled_seconds_total", "Time spent waiting for the next period, in seconds.", _COUNTER,
         lambda s: s.figures.cpu.throttled // _SECOND),
    _Row("container_fs_inodes_free", "Inodes that are free where the container writes.", _GAUGE,
         lambda s: s.layer.inodes_free),
    _Row("container_fs_inodes_total", "Inodes there are where the container writes.", _GAUGE,
         lambda s: s.layer.inodes_total),
    _Row("container_fs_limit_bytes", "Bytes that fit where the container writes.", _GAUGE, lambda s: s.layer.limit),
    _Row("container_fs_usage_bytes", "Bytes that the container has written to its root.", _GAUGE,
         lambda s: s.layer.used),
    _Row("container_fs_reads_bytes_total", "Bytes read from a device.", _COUNTER, labels=("device",),
         values=_by_device(lambda t: t.read_bytes)),
    _Row("container_fs_reads_total", "Reads from a device.", _COUNTER, labels=("device",),
         values=_by_device(lambda t: t.reads)),
    _Row("container_fs_writes_bytes_total", "Bytes written to a device.", _COUNTER, labels=("device",),
         values=_by_device(lambda t: t.written_bytes)),
    _Row("container_fs_writes_total", "Writes to a device.", _COUNTER, labels=("device",),
         values=_by_device(lambda t: t.writes)),
    _Row("container_blkio_device_usage_total", "Bytes to and from a device.", _COUNTER,
         labels=("device", "major", "minor", "operation"), values=_device_usage),
    _Row("container_memory_cache", "Bytes of page cache.", _GAUGE, lambda s: s.figures.memory.cache),
    _Row("container_memory_rss", "Bytes of anonymous memory.", _GAUGE, lambda s: s.figures.memory.rss),
    _Row("container_memory_kernel_usage", "Bytes of kernel memory.", _GAUGE, lambda s: s.figures.memory.kernel),
    _Row("container_memory_mapped_file", "Bytes of files mapped to memory.", _GAUGE,
         lambda s: s.figures.memory.mapped_file),
    _Row("container_memory_swap", "Bytes of swap.", _GAUGE, lambda s: s.figures.memory.swap),
    _Row("container_memory_failcnt", "How often memory reached its limit.", _COUNTER,
         lambda s: s.figures.memory.hits_of_limit),
    _Row("container_memory_usage_bytes", "Bytes of memory, with the page cache.", _GAUGE,
         lambda s: s.figures.memory.usage),
    _Row("container_memory_max_usage_bytes", "The most bytes of memory so far.", _GAUGE,
         lambda s: s.figures.memory.peak),
    _Row("container_memory_working_set_bytes", "Bytes of memory without inactive files.", _GAUGE,
         lambda s: s.figures.memory.working_set),
    _Row("container_memory_failures_total", "Page faults.", _COUNTER, labels=("failure_type", "scope"),
         values=_memory_failures),
    _Row("container_oom_events_total", "Processes that were killed for want of memory.", _COUNTER,
         lambda s: s.figures.memory.oom_kills),
    _Row("container_processes", "Processes.", _GAUGE, lambda s: len(s.figures.processes)),
    _Row("container_file_descriptors", "Open files.", _GAUGE, lambda s: s.descriptors),
    _Row("container_sockets", "Open sockets.", _GAUGE, lambda s: s.sockets),
    _Row("container_threads", "Threads.", _GAUGE, lambda s: s.figures.threads),
    _Row("container_threads_max", "Threads there may be; 0: no limit.", _GAUGE, lambda s: s.figures.threads_limit),
    _Row("container_ulimits_soft", "A soft limit of the first process; 0: none.", _GAUGE, labels=("ulimit",),
         values=lambda s: iter(((s.open_files_limit, ("max_open_files",)),))),
    _Row("container_last_seen", "When these figures were taken, in seconds since 1970.", _GAUGE,
         lambda s: s.now // _SECOND),
    _Row("container_start_time_seconds", "When the container was started, in seconds since 1970.", _GAUGE,
         lambda s: (s.record.started_at or s.record.created_at) // _SECOND),
    _Row("container_spec_memory_limit_bytes", "The limit of memory; 0: none.", _GAUGE,
         lambda s: s.figures.memory.limit),
    _Row("container_spec_memory_swap_limit_bytes", "The limit of swap; 0: none.", _GAUGE,
         lambda s: s.figures.memory.swap_limit),
    _Row("container_spec_memory_reservation_limit_bytes", "Memory that is kept for the container.", _GAUGE,
         lambda s: s.figures.memory.reservation),
    _Row("container_spec_cpu_period", "The period of the CPU quota, in microseconds.", _GAUGE,
         lambda s: s.figures.cpu.period),
    _Row("container_spec_cpu_quota", "The CPU quota, in microseconds of each period; 0: none.", _GAUGE,
         lambda s: s.figures.cpu.quota),
    _Row("container_spec_cpu_shares", "CPU shares.", _GAUGE, lambda s: s.figures.cpu.shares),
    _Row("container_pressure_cpu_stalled_seconds_total", "Time in which no task had a CPU.", _COUNTER,
         values=_stalled("cpu", 1)),
    _Row("container_pressure_cpu_waiting_seconds_total", "Time in which a task waited for a CPU.", _COUNTER,
         values=_stalled("cpu", 0)),
    _Row("container_pressure_memory_stalled_seconds_total", "Time in which no task had memory.", _COUNTER,
         values=_stalled("memory", 1)),
    _Row("container_pressure_memory_waiting_seconds_total", "Time in which a task waited for memory.", _COUNTER,
         values=_stalled("memory", 0)),
    _Row("container_pressure_io_stalled_seconds_total", "Time in which all tasks waited for devices.", _COUNTER,
         values=_stalled("io", 1)),
    _Row("container_pressure_io_waiting_seconds_total", "Time in which a task waited for devices.", _COUNTER,
         values=_stalled("io", 0)),
)  # fmt: skip

_NETWORK: tuple[tuple[str, str, Callable[[Interface], int]], ...] = (
    ("container_network_receive_bytes_total", "Bytes received.", lambda i: i.rx_bytes),
    ("container_network_receive_packets_total", "Packets received.", lambda i: i.rx_packets),
    ("container_network_receive_errors_total", "Errors while receiving.", lambda i: i.rx_errors),
    ("container_network_receive_packets_dropped_total", "Packets dropped while receiving.", lambda i: i.rx_dropped),
    ("container_network_transmit_bytes_total", "Bytes sent.", lambda i: i.tx_bytes),
    ("container_network_transmit_packets_total", "Packets sent.", lambda i: i.tx_packets),
    ("container_network_transmit_errors_total", "Errors while sending.", lambda i: i.tx_errors),
    ("container_network_transmit_packets_dropped_total", "Packets dropped while sending.", lambda i: i.tx_dropped),
)


def descriptors() -> tuple[MetricDescriptor, ...]:
    """What `container_metrics` and `sandbox_metrics` give: their names do not change while the service runs."""
    of_containers = (MetricDescriptor(row.name, row.help, (*LABELS, *row.labels)) for row in _CONTAINER)
    of_network = (MetricDescriptor(name, meaning, (*LABELS, "interface")) for name, meaning, _ in _NETWORK)
    return (*of_containers, *of_network)


def sandbox_metrics(
    record: SandboxRecord, interfaces: tuple[Interface, ...], samples: tuple[Sample, ...]
) -> PodSandboxMetrics:
    """A sandbox's metrics, with those of its containers."""
    metadata = record.config.metadata
    labels = (record.id, metadata.name, "", metadata.namespace, metadata.name, _POD)
    network = tuple(
        Metric(name, 0, _COUNTER, (*labels, each.name), value(each))
        for name, _, value in _NETWORK
        for each in interfaces
    )
    return PodSandboxMetrics(record.id, network, tuple(_container_metrics(record, each) for each in samples))


def _container_metrics(sandbox: SandboxRecord, found: Sample) -> ContainerMetrics:
    config, pod = found.record.config, sandbox.config.metadata
    image = config.image.user_specified_image or config.image.image
    labels = (found.record.id, config.metadata.name, image, pod.namespace, pod.name, config.metadata.name)
    return ContainerMetrics(
        found.record.id,
        tuple(
            Metric(row.name, 0, row.type, (*labels, *more), value)
            for row in _CONTAINER
            for value, more in _values(row, found)
        ),
    )


def _values(row: _Row, found: Sample) -> Values:
    if row.values is not None:
        yield from row.values(found)
    elif row.value is not None:
        yield row.value(found), ()


def _open_files(pid: int) -> tuple[int, int]:
    """How many files a process has open, and how many of them are sockets."""
    count = sockets = 0
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            for entry in entries:
                count += 1
                if count <= 1024:  # a container may open a million
                    sockets += os.readlink(entry.path).startswith("socket:")
    except OSError:
        pass  # it has ended
    return count, sockets


def _open_files_limit(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/limits", encoding="ascii", errors="replace") as file:
            soft = next((line.split()[3] for line in file if line.startswith("Max open files")), "")
    except OSError:
        return 0
    return int(soft) if soft.isdigit() else 0
