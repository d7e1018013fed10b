"""CRI v1 messages of figures: stats of containers, sandboxes and file systems, and metrics.

Only the CRI service needs them. Times are nanoseconds since 1970; a figure that nobody knows is None.
"""

from __future__ import annotations

from msgspec import field

from podward.api.cri import ContainerMetadata, Message, PodSandboxMetadata


class PsiData(Message, frozen=True):
    """Pressure stall figures: nanoseconds in all, and percents of the last 10, 60 and 300 seconds."""

    total: int = field(default=0, name="Total")
    avg10: float = field(default=0.0, name="Avg10")
    avg60: float = field(default=0.0, name="Avg60")
    avg300: float = field(default=0.0, name="Avg300")


class PsiStats(Message, frozen=True):
    """Pressure on all tasks and on some."""

    full: PsiData | None = field(default=None, name="Full")
    some: PsiData | None = field(default=None, name="Some")


class CpuUsage(Message, frozen=True):
    """CPU time so far, in nanoseconds, and nanoseconds a second lately."""

    timestamp: int = 0
    usage_core_nano_seconds: int | None = None
    usage_nano_cores: int | None = None
    psi: PsiStats | None = None


class MemoryUsage(Message, frozen=True):
    """Memory in bytes, and page faults so far. What is available is the limit less the working set."""

    timestamp: int = 0
    working_set_bytes: int | None = None
    available_bytes: int | None = None
    usage_bytes: int | None = None
    rss_bytes: int | None = None
    page_faults: int | None = None
    major_page_faults: int | None = None
    psi: PsiStats | None = None


class SwapUsage(Message, frozen=True):
    """Swap in bytes."""

    timestamp: int = 0
    swap_available_bytes: int | None = None
    swap_usage_bytes: int | None = None


class IoUsage(Message, frozen=True):
    """Pressure of input and output."""

    timestamp: int = 0
    psi: PsiStats | None = None


class FilesystemIdentifier(Message, frozen=True):
    """A file system by its mount point, or a directory in it."""

    mountpoint: str = ""


class FilesystemUsage(Message, frozen=True):
    """What is used of a file system; the time must not be 0."""

    timestamp: int = 0
    fs_id: FilesystemIdentifier | None = None
    used_bytes: int | None = None
    inodes_used: int | None = None


class ContainerAttributes(Message, frozen=True):
    """Whose stats these are."""

    id: str = ""
    metadata: ContainerMetadata = ContainerMetadata()
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class ContainerStats(Message, frozen=True):
    """The figures of a container."""

    attributes: ContainerAttributes | None = None
    cpu: CpuUsage | None = None
    memory: MemoryUsage | None = None
    writable_layer: FilesystemUsage | None = None
    swap: SwapUsage | None = None
    io: IoUsage | None = None


class NetworkInterfaceUsage(Message, frozen=True):
    """Traffic of an interface so far."""

    name: str = ""
    rx_bytes: int | None = None
    rx_errors: int | None = None
    tx_bytes: int | None = None
    tx_errors: int | None = None


class NetworkUsage(Message, frozen=True):
    """Traffic of a Pod."""

    timestamp: int = 0
    default_interface: NetworkInterfaceUsage | None = None
    interfaces: tuple[NetworkInterfaceUsage, ...] = ()


class ProcessUsage(Message, frozen=True):
    """How many processes a Pod has."""

    timestamp: int = 0
    process_count: int | None = None


class PodSandboxAttributes(Message, frozen=True):
    """Whose stats these are."""

    id: str = ""
    metadata: PodSandboxMetadata = PodSandboxMetadata()
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class LinuxPodSandboxStats(Message, frozen=True):
    """The figures of a Pod and of its containers."""

    cpu: CpuUsage | None = None
    memory: MemoryUsage | None = None
    network: NetworkUsage | None = None
    process: ProcessUsage | None = None
    containers: tuple[ContainerStats, ...] = ()
    io: IoUsage | None = None


class PodSandboxStats(Message, frozen=True):
    """The figures of a sandbox."""

    attributes: PodSandboxAttributes | None = None
    linux: LinuxPodSandboxStats | None = None


class MetricDescriptor(Message, frozen=True):
    """What a metric is called, and which labels it has."""

    name: str = ""
    help: str = ""
    label_keys: tuple[str, ...] = ()


class Metric(Message, frozen=True):
    """A value of a metric: COUNTER or GAUGE; labels in the order of their keys; time 0 is now."""

    name: str = ""
    timestamp: int = 0
    metric_type: str = "COUNTER"
    label_values: tuple[str, ...] = ()
    value: int | None = None


class ContainerMetrics(Message, frozen=True):
    """The metrics of a container."""

    container_id: str = ""
    metrics: tuple[Metric, ...] = ()


class PodSandboxMetrics(Message, frozen=True):
    """The metrics of a sandbox and of its containers."""

    pod_sandbox_id: str = ""
    metrics: tuple[Metric, ...] = ()
    container_metrics: tuple[ContainerMetrics, ...] = ()
