"""CRI v1 messages: what the verbs of stats and metrics are asked, and what they answer.

Only the CRI service needs them. Every class has the name of its message in `runtime.v1`.
"""

from __future__ import annotations

from podward.api.cri import Message
from podward.api.cri_stats import ContainerStats, MetricDescriptor, PodSandboxMetrics, PodSandboxStats
from podward.api.cri_status import ContainerStatsFilter, PodSandboxStatsFilter


class ContainerStatsRequest(Message, frozen=True):
    """What ContainerStats is asked."""

    container_id: str = ""


class ContainerStatsResponse(Message, frozen=True):
    """What ContainerStats answers."""

    stats: ContainerStats | None = None


class ListContainerStatsRequest(Message, frozen=True):
    """What ListContainerStats is asked."""

    filter: ContainerStatsFilter | None = None


class ListContainerStatsResponse(Message, frozen=True):
    """What ListContainerStats answers."""

    stats: tuple[ContainerStats, ...] = ()


class StreamContainerStatsRequest(Message, frozen=True):
    """What StreamContainerStats is asked."""

    filter: ContainerStatsFilter | None = None


class StreamContainerStatsResponse(Message, frozen=True):
    """What StreamContainerStats answers."""

    container_stats: tuple[ContainerStats, ...] = ()


class PodSandboxStatsRequest(Message, frozen=True):
    """What PodSandboxStats is asked."""

    pod_sandbox_id: str = ""


class PodSandboxStatsResponse(Message, frozen=True):
    """What PodSandboxStats answers."""

    stats: PodSandboxStats | None = None


class ListPodSandboxStatsRequest(Message, frozen=True):
    """What ListPodSandboxStats is asked."""

    filter: PodSandboxStatsFilter | None = None


class ListPodSandboxStatsResponse(Message, frozen=True):
    """What ListPodSandboxStats answers."""

    stats: tuple[PodSandboxStats, ...] = ()


class StreamPodSandboxStatsRequest(Message, frozen=True):
    """What StreamPodSandboxStats is asked."""

    filter: PodSandboxStatsFilter | None = None


class StreamPodSandboxStatsResponse(Message, frozen=True):
    """What StreamPodSandboxStats answers."""

    pod_sandbox_stats: tuple[PodSandboxStats, ...] = ()


class ListMetricDescriptorsRequest(Message, frozen=True):
    """What ListMetricDescriptors is asked."""


class ListMetricDescriptorsResponse(Message, frozen=True):
    """What ListMetricDescriptors answers."""

    descriptors: tuple[MetricDescriptor, ...] = ()


class ListPodSandboxMetricsRequest(Message, frozen=True):
    """What ListPodSandboxMetrics is asked."""


class ListPodSandboxMetricsResponse(Message, frozen=True):
    """What ListPodSandboxMetrics answers."""

    pod_metrics: tuple[PodSandboxMetrics, ...] = ()


class StreamPodSandboxMetricsRequest(Message, frozen=True):
    """What StreamPodSandboxMetrics is asked."""


class StreamPodSandboxMetricsResponse(Message, frozen=True):
    """What StreamPodSandboxMetrics answers."""

    pod_sandbox_metrics: tuple[PodSandboxMetrics, ...] = ()
