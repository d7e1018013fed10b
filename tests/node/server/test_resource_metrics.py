"""/metrics/resource: which families there are, and what stands in them."""

from __future__ import annotations

from podward.api.cri import PodSandboxMetadata
from podward.api.cri_stats import (
    ContainerAttributes,
    ContainerStats,
    CpuUsage,
    LinuxPodSandboxStats,
    MemoryUsage,
    PodSandboxAttributes,
    PodSandboxStats,
    SwapUsage,
)
from podward.api.json_value import JsonObject
from podward.node.server import resource_metrics

LABELS = {
    "io.kubernetes.container.name": "c",
    "io.kubernetes.pod.name": "p",
    "io.kubernetes.pod.namespace": "ns",
}
AT = 1_700_000_000_000_000_000
POD: JsonObject = {
    "status": {
        "containerStatuses": [
            {"containerID": "podward://run", "state": {"running": {"startedAt": "2023-11-14T22:13:20Z"}}}
        ]
    }
}
RUN = ContainerStats(
    ContainerAttributes("run", labels=LABELS),
    CpuUsage(AT, 2_500_000_000),
    MemoryUsage(AT, 4096),
    swap=SwapUsage(AT, 10, 7),
)
SANDBOX = PodSandboxStats(
    PodSandboxAttributes("s", PodSandboxMetadata("p", "u", "ns")),
    LinuxPodSandboxStats(CpuUsage(AT, 3_000_000_000), MemoryUsage(AT, 8192), containers=(RUN,)),
)


def test_without_pods_there_are_the_figures_of_the_node() -> None:
    names = [line.split()[2] for line in resource_metrics.of([], []) if line.startswith("# TYPE")]
    assert names == [
        "node_cpu_usage_seconds_total",
        "node_memory_working_set_bytes",
        "node_swap_usage_bytes",
        "resource_scrape_error",
    ]


def test_a_container_is_told_with_the_time_at_which_it_began() -> None:
    lines = list(resource_metrics.of([SANDBOX], [POD]))
    of_container, of_pod = '{container="c",namespace="ns",pod="p"}', '{namespace="ns",pod="p"}'
    told = [line for line in lines if "{" in line]
    assert told == [
        f"container_cpu_usage_seconds_total{of_container} 2.5 1700000000000",
        f"container_memory_working_set_bytes{of_container} 4096 1700000000000",
        f"container_start_time_seconds{of_container} 1700000000.0",
        f"container_swap_limit_bytes{of_container} 17 1700000000000",
        f"container_swap_usage_bytes{of_container} 7 1700000000000",
        f"pod_cpu_usage_seconds_total{of_pod} 3.0 1700000000000",
        f"pod_memory_working_set_bytes{of_pod} 8192 1700000000000",
        f"pod_swap_usage_bytes{of_pod} 7 1700000000000",
    ]
    assert (
        "# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds" in lines
    )
