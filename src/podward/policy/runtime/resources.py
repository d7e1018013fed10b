"""The cgroup's limits for memory and processor time, and its path.

Specification, in our words (containerd 2.2 `WithResources`, CRI-O 1.33, cri-dockerd 0.3): the CRI's values; zero is no
limit and left out. Docker refuses a memory limit below 6 MiB. Limits of swap, huge pages and processors, which the
message has no place for, are left out.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig, LinuxContainerResources
from podward.decision import Assignment, Decision, assign, refuse
from podward.path import Path, path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("linux", "resources")
LIMIT = PLACE / "memory" / "limit"
DOCKERS_LEAST = 6 << 20


def decide(config: ContainerConfig, cgroups_path: str, runtime: RuntimeProfile) -> Decision:
    """`linux.cgroupsPath`, and what is limited of `linux.resources.cpu` and `memory`."""
    asked = config.resources
    limits = tuple(
        Assignment(place, value, "as the kubelet asks", runtime.of("resources", name))
        for place, value, name in _rows(asked)
        if value
    )
    decision = assign(path("linux", "cgroupsPath"), cgroups_path, "below the Pod's cgroup", runtime.source)
    decision += Decision(limits)
    if runtime.name == "docker" and 0 < asked.memory_limit_in_bytes < DOCKERS_LEAST:
        decision += refuse(LIMIT, asked.memory_limit_in_bytes, "Minimum memory limit allowed is 6MB", runtime.source)
    return decision


def _rows(asked: LinuxContainerResources) -> tuple[tuple[Path, int, str], ...]:
    cpu = PLACE / "cpu"
    return (
        (LIMIT, asked.memory_limit_in_bytes, "memoryLimitInBytes"),
        (cpu / "shares", asked.cpu_shares, "cpuShares"),
        (cpu / "quota", asked.cpu_quota, "cpuQuota"),
        (cpu / "period", asked.cpu_period, "cpuPeriod"),
    )
