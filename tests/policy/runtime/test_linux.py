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
from podward.api.cri import Device as CRIDevice
from podward.api.cri import HugepageLimit as CRIHugepageLimit
from podward.api.oci import Device, DeviceRule, HugepageLimit
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


def test_no_quota_is_what_a_new_cgroup_has() -> None:
    """A kubelet with exclusive CPUs asks for -1, which crun up to 1.8 writes as a number that cgroup v1 refuses."""
    asked = LinuxContainerResources(cpu_quota=-1, cpu_period=100000, cpuset_cpus="1")
    decision = linux.decide_resources(ContainerConfig(linux=LinuxContainerConfig(asked)), "", profile("containerd"))
    assert "linux.resources.cpu.quota" not in {str(each.path) for each in decision.assignments}


def limits(runtime: str, controllers: linux.Controllers, asked: LinuxContainerResources) -> dict[str, Any]:
    decision = linux.decide_limits(asked, profile(runtime), controllers)
    return {str(a.path).removeprefix("linux.resources."): a.value for a in decision.assignments}


EVERY_CONTROLLER = linux.Controllers(swap=True, huge_pages=True)


def test_all_that_the_message_limits_is_limited() -> None:
    asked = LinuxContainerResources(
        cpuset_cpus="0-1",
        cpuset_mems="0",
        hugepage_limits=(CRIHugepageLimit("2MB", 4096), CRIHugepageLimit("1GB", 0)),
        unified={"memory.high": "1", "pids.max": "7"},
    )
    assert limits("containerd", EVERY_CONTROLLER, asked) == {
        "cpu.cpus": "0-1",
        "cpu.mems": "0",
        "hugepageLimits": (HugepageLimit("2MB", 4096), HugepageLimit("1GB", 0)),
        "unified[memory.high]": "1",
        "unified[pids.max]": "7",
    }


@pytest.mark.parametrize(
    ("runtime", "memory", "swap", "expected"),
    [
        ("containerd", 100, 0, 100),
        ("cri-o", 100, 0, 100),
        ("docker", 100, 0, 200),
        ("containerd", 100, 150, 150),
        ("containerd", 0, 150, 150),
        ("containerd", 100, -1, -1),
        ("containerd", 0, 0, None),
    ],
)
def test_a_memory_limit_is_one_of_swap_too(runtime: str, memory: int, swap: int, expected: int | None) -> None:
    asked = LinuxContainerResources(memory_limit_in_bytes=memory, memory_swap_limit_in_bytes=swap)
    assert limits(runtime, EVERY_CONTROLLER, asked).get("memory.swap") == expected
    assert "memory.swap" not in limits(runtime, linux.Controllers(), asked)


def test_huge_pages_are_limited_where_the_machine_can() -> None:
    asked = LinuxContainerResources(hugepage_limits=(CRIHugepageLimit("2MB", 1),))
    assert limits("containerd", linux.Controllers(), asked) == {}


@pytest.mark.parametrize(
    ("parent", "runtime", "expected"),
    [
        ("/kubepods/pod1", "containerd", "/kubepods/pod1/c"),
        ("kubepods.slice/kubepods-pod1.slice", "containerd", "kubepods-pod1.slice:cri-containerd:c"),
        ("kubepods-pod1.slice", "cri-o", "kubepods-pod1.slice:crio:c"),
        ("", "containerd", "/c"),
    ],
)
def test_a_cgroup_is_below_the_pods(parent: str, runtime: str, expected: str) -> None:
    assert linux.cgroups_path(parent, "c", runtime) == expected


FUSE = Device("/dev/fuse", "c", 10, 229, 0o666, 0, 0)
ASKED = CRIDevice("/dev/fuse", "/dev/fuse", "rw")


@pytest.mark.parametrize("runtime", ALL)
def test_a_device_comes_with_its_rule(runtime: str) -> None:
    decision = linux.decide_devices(LinuxContainerSecurityContext(), (), profile(runtime), ((ASKED, (FUSE,)),))
    node, rules = values(decision)
    assert node == FUSE
    assert rules == (*load(runtime).device_rules, DeviceRule(True, "c", 10, 229, "rw"))


def test_a_privileged_container_has_each_node_once() -> None:
    null = Device("/dev/null", "c", 1, 3)
    privileged = LinuxContainerSecurityContext(privileged=True)
    decision = linux.decide_devices(privileged, (null, FUSE), profile("containerd"), ((ASKED, (FUSE,)),))
    assert values(decision) == [FUSE, null, (DeviceRule(True, access="rwm"),)]


def test_a_device_that_is_not_there_is_refused() -> None:
    decision = linux.decide_devices(LinuxContainerSecurityContext(), (), profile("containerd"), ((ASKED, ()),))
    assert [v.reason for v in decision.violations] == [
        '"/dev/fuse" is no device of this machine: name one that is there'
    ]


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
