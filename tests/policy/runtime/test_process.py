"""The smaller fields of the spec's `process`: args, cwd, terminal, noNewPrivileges, rlimits, oomScoreAdj."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.capability import CAP_SYS_RESOURCE, FULL
from podward.api.cri import (
    ContainerConfig,
    KeyValue,
    LinuxContainerConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
)
from podward.api.image import Image, ImageConfig, UnknownImage
from podward.api.node import Node
from podward.decision import Decision, Origin, Unknown
from podward.policy.runtime import env, process
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")


def profile(runtime: str) -> RuntimeProfile:
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
    config = ContainerConfig(command=command, args=arguments)
    assert values(process.decide_args(config, image(entrypoint=("entry",), cmd=("cmd",)), profile(runtime))) == [
        expected
    ]


@pytest.mark.parametrize("runtime", ALL)
def test_no_command_at_all_is_refused(runtime: str) -> None:
    decision = process.decide_args(ContainerConfig(), image(), profile(runtime))
    assert decision.violations[0].reason == "no command specified"


def test_the_command_s_source_is_the_image_where_it_decides() -> None:
    source = process.decide_args(ContainerConfig(), image(cmd=("x",)), profile("containerd")).assignments[0].source
    assert (source.origin, str(source.path)) == (Origin.IMAGE, "config.Cmd")


@pytest.mark.parametrize(
    ("asked", "of_image", "expected"), [("/pod", "/image", "/pod"), ("", "/image", "/image"), ("", "", "/")]
)
def test_the_working_directory(asked: str, of_image: str, expected: str) -> None:
    config = ContainerConfig(working_dir=asked)
    assert values(process.decide_cwd(config, image(working_dir=of_image), profile("containerd"))) == [expected]


@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges_is_as_asked_even_if_privileged(*, wanted: bool) -> None:
    context = LinuxContainerSecurityContext(no_new_privs=wanted, privileged=True)
    config = ContainerConfig(tty=True, linux=LinuxContainerConfig(security_context=context))
    assert values(process.decide_flags(config, profile("containerd"))) == [True, wanted]


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
    config = ContainerConfig(linux=LinuxContainerConfig(LinuxContainerResources(oom_score_adj=wanted)))
    (assignment,) = process.decide_oom_score(config, Node(machine), inherited, profile("containerd")).assignments
    assert assignment.value == expected
    assert (assignment.source.origin is Origin.NODE) == (expected != wanted)
    assert ("without CAP_SYS_RESOURCE" in assignment.reason) == (expected != wanted)


@pytest.mark.parametrize("runtime", ALL)
def test_no_resource_limits_are_set(runtime: str) -> None:
    assert values(process.decide_rlimits(profile(runtime))) == [()]


# --- without the image ------------------------------------------------------------------------------------------------

HIDDEN = Unknown("image i is not here", "bring it")
MISSING = UnknownImage("i", HIDDEN)


@pytest.mark.parametrize("runtime", ALL)
def test_a_command_needs_no_image_and_args_alone_do(runtime: str) -> None:
    commanded = ContainerConfig(command=("own",), args=("arg",))
    assert values(process.decide_args(commanded, MISSING, profile(runtime))) == [("own", "arg")]
    for config in (ContainerConfig(args=("arg",)), ContainerConfig()):
        (made,) = process.decide_args(config, MISSING, profile(runtime)).assignments
        assert (made.value, made.source.origin, made.source.name) == (HIDDEN, Origin.IMAGE, "i")


@pytest.mark.parametrize("runtime", ALL)
def test_the_pod_s_own_variables_are_known_and_all_others_are_not(runtime: str) -> None:
    config = ContainerConfig(envs=(KeyValue("A", "1"), KeyValue("PATH", "/own"), KeyValue("A", "2")))
    assert values(env.decide(config, MISSING, "host", profile(runtime))) == ["A=2", "PATH=/own", HIDDEN]


@pytest.mark.parametrize("runtime", ALL)
def test_a_working_directory_that_the_pod_names_needs_no_image(runtime: str) -> None:
    asked = ContainerConfig(working_dir="/own")
    assert values(process.decide_cwd(asked, MISSING, profile(runtime))) == ["/own"]
    assert values(process.decide_cwd(ContainerConfig(), MISSING, profile(runtime))) == [HIDDEN]
