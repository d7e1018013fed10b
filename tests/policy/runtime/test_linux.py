"""The smaller fields of the spec's `linux`: masked paths, devices, the cgroup's limits."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.cri import (
    ContainerConfig,
    LinuxContainerConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
)
from podward.api.oci import Device, DeviceRule
from podward.decision import Decision
from podward.policy.runtime import linux
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")


def profile(runtime: str) -> RuntimeProfile:
    return RuntimeProfile(load(runtime), Decision())


def values(decision: Decision) -> list[Any]:
    assert not decision.violations
    return [assignment.value for assignment in decision.assignments]


def test_limits_of_the_cgroup_are_those_of_the_message() -> None:
    asked = LinuxContainerResources(cpu_shares=102, cpu_period=100000, memory_limit_in_bytes=1 << 20)
    decision = linux.decide_resources(
        ContainerConfig(linux=LinuxContainerConfig(asked)), "/pod/c", profile("containerd")
    )
    assert {str(a.path): a.value for a in decision.assignments} == {
        "linux.cgroupsPath": "/pod/c",
        "linux.resources.memory.limit": 1 << 20,
        "linux.resources.cpu.shares": 102,
        "linux.resources.cpu.period": 100000,
    }


@pytest.mark.parametrize(("limit", "refused"), [((6 << 20) - 1, True), (6 << 20, False), (0, False)])
def test_docker_refuses_a_small_memory_limit(limit: int, *, refused: bool) -> None:
    config = ContainerConfig(linux=LinuxContainerConfig(LinuxContainerResources(memory_limit_in_bytes=limit)))
    assert linux.decide_resources(config, "", profile("docker")).refused == refused
    assert not linux.decide_resources(config, "", profile("containerd")).refused


MASKED = LinuxContainerSecurityContext(masked_paths=("/proc/kcore", "/proc/own"), readonly_paths=("/proc/sys",))


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_paths_are_hidden_as_asked(runtime: str) -> None:
    assert values(linux.decide_masks(MASKED, profile(runtime))) == [("/proc/kcore", "/proc/own"), ("/proc/sys",)]


def test_cri_o_adds_its_own_masks_unless_none_are_asked_for() -> None:
    masked, readonly = values(linux.decide_masks(MASKED, profile("cri-o")))
    assert list(masked) == sorted(set(masked))
    assert {"/proc/own", "/proc/kcore", "/sys/firmware", "/sys/dev/block"} <= set(masked)
    assert readonly == ("/proc/sys",)
    assert values(linux.decide_masks(LinuxContainerSecurityContext(), profile("cri-o"))) == [(), ()]


@pytest.mark.parametrize("runtime", ALL)
def test_privileged_hides_nothing(runtime: str) -> None:
    context = LinuxContainerSecurityContext(privileged=True, masked_paths=("/a",), readonly_paths=("/b",))
    assert values(linux.decide_masks(context, profile(runtime))) == [(), ()]


FUSE = Device("/dev/fuse", "c", 10, 229)
EVERYTHING = DeviceRule(allow=True, access="rwm")


@pytest.mark.parametrize("runtime", ALL)
def test_devices_of_the_host_are_for_privileged_containers_only(runtime: str) -> None:
    (rules,) = values(linux.decide_devices(LinuxContainerSecurityContext(), (FUSE,), profile(runtime)))
    assert rules[0] == DeviceRule(allow=False, access="rwm")
    assert EVERYTHING not in rules
    with_privilege = linux.decide_devices(LinuxContainerSecurityContext(privileged=True), (FUSE,), profile(runtime))
    assert values(with_privilege) == [FUSE, (EVERYTHING,)]
