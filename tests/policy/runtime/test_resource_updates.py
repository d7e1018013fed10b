"""Resources of a container that is there: what is not asked for stays, and the OCI runtime is told the rest."""

from __future__ import annotations

import msgspec

from podward.api.cri import LinuxContainerResources
from podward.decision import Decision
from podward.policy.runtime import resource_updates
from podward.policy.runtime.defaults import load
from podward.policy.runtime.linux import Controllers
from podward.policy.runtime.runtime_profile import RuntimeProfile

HAD = LinuxContainerResources(cpu_shares=512, cpu_quota=10000, cpu_period=100000, unified={"a": "1", "b": "2"})


def test_what_is_not_asked_for_stays() -> None:
    asked = LinuxContainerResources(cpu_quota=-1, memory_limit_in_bytes=1 << 20, unified={"b": "3"})
    assert resource_updates.merged(HAD, asked) == LinuxContainerResources(
        cpu_shares=512,
        cpu_quota=-1,
        cpu_period=100000,
        memory_limit_in_bytes=1 << 20,
        unified={"a": "1", "b": "3"},
    )
    assert resource_updates.merged(HAD, LinuxContainerResources()) == HAD


def test_the_oci_runtime_is_told_the_changes_alone() -> None:
    asked = LinuxContainerResources(cpu_shares=2, memory_limit_in_bytes=1 << 20, cpuset_cpus="0")
    runtime = RuntimeProfile(load("containerd"), Decision())
    resources = resource_updates.resources_of(resource_updates.decide(asked, runtime, Controllers(swap=True)))
    assert msgspec.json.decode(msgspec.json.encode(resources)) == {
        "cpu": {"shares": 2, "cpus": "0"},
        "memory": {"limit": 1 << 20, "swap": 1 << 20},
    }


def test_nothing_asked_is_nothing_told() -> None:
    runtime = RuntimeProfile(load("containerd"), Decision())
    decided = resource_updates.decide(LinuxContainerResources(oom_score_adj=5), runtime, Controllers())
    assert msgspec.json.encode(resource_updates.resources_of(decided)) == b"{}"
