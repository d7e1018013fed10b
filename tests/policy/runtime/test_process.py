"""The smaller rules about the process: its words, environment, directory, memory and paths."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.capability import CAP_SYS_RESOURCE, FULL
from podward.api.cri import (
    ContainerConfig,
    KeyValue,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    LinuxSandboxSecurityContext,
    PodSandboxConfig,
)
from podward.api.image import Image, ImageConfig, UnknownImage
from podward.api.node import Node
from podward.api.oci import Device, DeviceRule
from podward.decision import Decision, Origin, Unknown
from podward.policy.runtime import args, devices, env, oom_score, paths, privileged, process, resources, rlimits
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def imitated(runtime: str) -> RuntimeProfile:
    return RuntimeProfile(load(runtime), Decision())


def image(**config: object) -> Image:
    return Image("busybox", "id", config=msgspec.structs.replace(ImageConfig(), **config))


def values(decision: Decision) -> list[Any]:
    assert not decision.violations
    return [assignment.value for assignment in decision.assignments]


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        ((), (), ("entry", "cmd")),
        (("own",), (), ("own",)),
        ((), ("arg",), ("entry", "arg")),
        (("own",), ("arg",), ("own", "arg")),
    ],
)
def test_command_and_args_over_the_image_s(
    runtime: str, command: tuple[str, ...], arguments: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    config = ContainerConfig("c", "i", command=command, args=arguments)
    assert values(args.decide(config, image(entrypoint=("entry",), cmd=("cmd",)), imitated(runtime))) == [expected]


@pytest.mark.parametrize("runtime", ALL)
def test_no_command_at_all_is_refused(runtime: str) -> None:
    decision = args.decide(ContainerConfig("c", "i"), image(), imitated(runtime))
    assert decision.violations[0].reason == "no command specified"


def test_the_command_s_source_is_the_image_where_it_decides() -> None:
    source = args.decide(ContainerConfig("c", "i"), image(cmd=("x",)), imitated("containerd")).assignments[0].source
    assert (source.origin, str(source.path)) == (Origin.IMAGE, "config.Cmd")


def environment(runtime: str, of_image: tuple[str, ...] = (), *of_pod: KeyValue, tty: bool = False) -> list[Any]:
    config = ContainerConfig("c", "i", envs=of_pod, tty=tty)
    return values(env.decide(config, image(env=of_image), "host", imitated(runtime)))


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("containerd", [PATH, "TERM=xterm", "HOSTNAME=host"]),
        ("cri-o", [PATH, "TERM=xterm", "HOSTNAME=host"]),
        ("docker", [PATH, "HOSTNAME=host", "TERM=xterm"]),
    ],
)
def test_what_the_environment_begins_with(runtime: str, expected: list[str]) -> None:
    assert environment(runtime, tty=True) == expected
    without = [entry for entry in expected if runtime == "cri-o" or not entry.startswith("TERM=")]
    assert environment(runtime) == without


@pytest.mark.parametrize("runtime", ALL)
def test_the_last_value_of_a_variable_is_the_pod_s(runtime: str) -> None:
    entries = environment(runtime, ("PATH=/image", "A=image", "B=b"), KeyValue("A", "pod"), KeyValue("C", "x=y"))
    assert dict(entry.split("=", 1) for entry in entries) == {
        **({"TERM": "xterm"} if runtime == "cri-o" else {}),
        "PATH": "/image",
        "HOSTNAME": "host",
        "A": "pod",
        "B": "b",
        "C": "x=y",
    }
    assert entries[0] == "PATH=/image"


def test_containerd_keeps_the_image_s_value_before_the_pod_s() -> None:
    assert environment("containerd", ("A=image",), KeyValue("A", "pod"))[-2:] == ["A=image", "A=pod"]
    assert environment("docker", ("A=image",), KeyValue("A", "pod"))[-1:] == ["A=pod"]


def test_a_variable_of_the_image_without_a_value_takes_the_name_away() -> None:
    assert environment("containerd", ("PATH",)) == ["HOSTNAME=host"]
    assert environment("docker", ("PATH",)) == ["HOSTNAME=host"]
    assert environment("cri-o", ("PATH",))[0] == PATH


def test_no_host_name_is_no_variable() -> None:
    assert values(env.decide(ContainerConfig("c", "i"), image(), "", imitated("containerd"))) == [PATH]


@pytest.mark.parametrize(
    ("asked", "of_image", "expected"), [("/pod", "/image", "/pod"), ("", "/image", "/image"), ("", "", "/")]
)
def test_the_working_directory(asked: str, of_image: str, expected: str) -> None:
    config = ContainerConfig("c", "i", working_dir=asked)
    assert values(process.decide(config, image(working_dir=of_image), imitated("containerd")))[0] == expected


@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges_is_as_asked_even_if_privileged(*, wanted: bool) -> None:
    context = LinuxContainerSecurityContext(no_new_privs=wanted, privileged=True)
    config = ContainerConfig("c", "i", tty=True, security_context=context)
    assert values(process.decide(config, image(), imitated("containerd"))) == ["/", True, wanted]


@pytest.mark.parametrize(
    ("wanted", "inherited", "machine", "expected"),
    [
        (-997, 0, FULL, -997),
        (-997, 0, FULL & ~CAP_SYS_RESOURCE, 0),
        (-997, 200, FULL & ~CAP_SYS_RESOURCE, 200),
        (900, 0, FULL & ~CAP_SYS_RESOURCE, 900),
        (100, 200, FULL & ~CAP_SYS_RESOURCE, 200),
        (0, -500, FULL & ~CAP_SYS_RESOURCE, 0),
    ],
)
def test_a_score_that_the_kernel_refuses_is_clamped(wanted: int, inherited: int, machine: int, expected: int) -> None:
    config = ContainerConfig("c", "i", resources=LinuxContainerResources(oom_score_adj=wanted))
    (assignment,) = oom_score.decide(config, Node(machine), inherited, imitated("containerd")).assignments
    assert assignment.value == expected
    assert (assignment.source.origin is Origin.NODE) == (expected != wanted)
    assert ("without CAP_SYS_RESOURCE" in assignment.reason) == (expected != wanted)


def test_limits_of_the_cgroup_are_those_of_the_message() -> None:
    asked = LinuxContainerResources(cpu_shares=102, cpu_period=100000, memory_limit_in_bytes=1 << 20)
    decision = resources.decide(ContainerConfig("c", "i", resources=asked), "/pod/c", imitated("containerd"))
    assert {str(a.path): a.value for a in decision.assignments} == {
        "linux.cgroupsPath": "/pod/c",
        "linux.resources.memory.limit": 1 << 20,
        "linux.resources.cpu.shares": 102,
        "linux.resources.cpu.period": 100000,
    }


@pytest.mark.parametrize(("limit", "refused"), [((6 << 20) - 1, True), (6 << 20, False), (0, False)])
def test_docker_refuses_a_small_memory_limit(limit: int, *, refused: bool) -> None:
    config = ContainerConfig("c", "i", resources=LinuxContainerResources(memory_limit_in_bytes=limit))
    assert resources.decide(config, "", imitated("docker")).refused == refused
    assert not resources.decide(config, "", imitated("containerd")).refused


MASKED = LinuxContainerSecurityContext(masked_paths=("/proc/kcore", "/proc/own"), readonly_paths=("/proc/sys",))


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_paths_are_hidden_as_asked(runtime: str) -> None:
    assert values(paths.decide(MASKED, imitated(runtime))) == [("/proc/kcore", "/proc/own"), ("/proc/sys",)]


def test_cri_o_adds_its_own_masks_unless_none_are_asked_for() -> None:
    masked, readonly = values(paths.decide(MASKED, imitated("cri-o")))
    assert list(masked) == sorted(set(masked))
    assert {"/proc/own", "/proc/kcore", "/sys/firmware", "/sys/dev/block"} <= set(masked)
    assert readonly == ("/proc/sys",)
    assert values(paths.decide(LinuxContainerSecurityContext(), imitated("cri-o"))) == [(), ()]


@pytest.mark.parametrize("runtime", ALL)
def test_privileged_hides_nothing(runtime: str) -> None:
    context = LinuxContainerSecurityContext(privileged=True, masked_paths=("/a",), readonly_paths=("/b",))
    assert values(paths.decide(context, imitated(runtime))) == [(), ()]


FUSE = Device("/dev/fuse", "c", 10, 229)
EVERYTHING = DeviceRule(allow=True, access="rwm")


@pytest.mark.parametrize("runtime", ALL)
def test_devices_of_the_host_are_for_privileged_containers_only(runtime: str) -> None:
    (rules,) = values(devices.decide(LinuxContainerSecurityContext(), (FUSE,), imitated(runtime)))
    assert rules[0] == DeviceRule(allow=False, access="rwm")
    assert EVERYTHING not in rules
    with_privilege = devices.decide(LinuxContainerSecurityContext(privileged=True), (FUSE,), imitated(runtime))
    assert values(with_privilege) == [FUSE, (EVERYTHING,)]


@pytest.mark.parametrize(("runtime", "refused"), [("containerd", True), ("cri-o", True), ("docker", False)])
def test_a_privileged_container_needs_a_privileged_sandbox(runtime: str, *, refused: bool) -> None:
    context = LinuxContainerSecurityContext(privileged=True)
    plain = PodSandboxConfig("p", "ns", "uid")
    assert privileged.decide(context, plain, imitated(runtime)).refused == refused
    allowed = PodSandboxConfig("p", "ns", "uid", security_context=LinuxSandboxSecurityContext(privileged=True))
    assert not privileged.decide(context, allowed, imitated(runtime)).refused


@pytest.mark.parametrize("runtime", ALL)
def test_no_resource_limits_are_set(runtime: str) -> None:
    assert values(rlimits.decide(imitated(runtime))) == [()]


# --- without the image ------------------------------------------------------------------------------------------------

HIDDEN = Unknown("image i is not here", "bring it")
MISSING = UnknownImage("i", HIDDEN)


@pytest.mark.parametrize("runtime", ALL)
def test_a_command_needs_no_image_and_args_alone_do(runtime: str) -> None:
    commanded = ContainerConfig("c", "i", command=("own",), args=("arg",))
    assert values(args.decide(commanded, MISSING, imitated(runtime))) == [("own", "arg")]
    for config in (ContainerConfig("c", "i", args=("arg",)), ContainerConfig("c", "i")):
        (made,) = args.decide(config, MISSING, imitated(runtime)).assignments
        assert (made.value, made.source.origin, made.source.name) == (HIDDEN, Origin.IMAGE, "i")


@pytest.mark.parametrize("runtime", ALL)
def test_the_pod_s_own_variables_are_known_and_all_others_are_not(runtime: str) -> None:
    config = ContainerConfig("c", "i", envs=(KeyValue("A", "1"), KeyValue("PATH", "/own"), KeyValue("A", "2")))
    assert values(env.decide(config, MISSING, "host", imitated(runtime))) == ["A=2", "PATH=/own", HIDDEN]


@pytest.mark.parametrize("runtime", ALL)
def test_a_working_directory_that_the_pod_names_needs_no_image(runtime: str) -> None:
    asked = ContainerConfig("c", "i", working_dir="/own")
    assert values(process.decide(asked, MISSING, imitated(runtime)))[0] == "/own"
    assert values(process.decide(ContainerConfig("c", "i"), MISSING, imitated(runtime)))[0] == HIDDEN
