"""The capability sets, as each runtime makes them."""

from __future__ import annotations

import pytest

from podward.api.capability import BITS, CAP_SYS_RESOURCE, FULL, NAMES
from podward.api.cri import Capability, LinuxContainerSecurityContext
from podward.decision import Decision
from podward.policy.runtime import capabilities
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
NINE = {"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "SETGID", "SETUID", "SETPCAP", "NET_BIND_SERVICE", "KILL"}
FOURTEEN = NINE | {"NET_RAW", "MKNOD", "SETFCAP", "SYS_CHROOT", "AUDIT_WRITE"}
DEFAULTS = {"containerd": FOURTEEN, "cri-o": NINE, "docker": FOURTEEN}


def decided(
    runtime: str,
    add: tuple[str, ...] = (),
    drop: tuple[str, ...] = (),
    *,
    machine: int = FULL,
    privileged: bool = False,
) -> Decision:
    message = LinuxContainerSecurityContext(capabilities=Capability(add=add, drop=drop), privileged=privileged)
    profile = RuntimeProfile(load(runtime), Decision())
    return capabilities.decide(message, machine, own_userns=False, runtime=profile)


def given(decision: Decision) -> set[str]:
    assert not decision.violations, decision.violations
    return {name.removeprefix("CAP_") for name in capabilities.bounding_of(decision)}


@pytest.mark.parametrize("runtime", ALL)
def test_the_default_set(runtime: str) -> None:
    assert given(decided(runtime)) == DEFAULTS[runtime]


@pytest.mark.parametrize("runtime", ALL)
def test_three_sets_are_the_same_in_the_kernel_s_order_and_two_are_empty(runtime: str) -> None:
    sets = {str(a.path.segments[-1]): a.value for a in decided(runtime, add=("NET_ADMIN",)).assignments}
    bounding = capabilities.bounding_of(decided(runtime, add=("NET_ADMIN",)))
    assert sets == {
        "bounding": bounding,
        "effective": bounding,
        "permitted": bounding,
        "inheritable": (),
        "ambient": (),
    }
    assert list(bounding) == sorted(bounding, key=NAMES.index)
    assert "CAP_NET_ADMIN" in bounding


@pytest.mark.parametrize("runtime", ALL)
def test_names_are_added_and_dropped_in_any_case(runtime: str) -> None:
    expected = (DEFAULTS[runtime] | {"SYS_TIME"}) - {"CHOWN"}
    assert given(decided(runtime, add=("sys_time",), drop=("Chown",))) == expected


@pytest.mark.parametrize("runtime", ALL)
def test_all_dropped_leaves_what_is_added(runtime: str) -> None:
    assert given(decided(runtime, drop=("ALL",))) == set()
    assert given(decided(runtime, add=("NET_BIND_SERVICE",), drop=("all",))) == {"NET_BIND_SERVICE"}


@pytest.mark.parametrize("runtime", ALL)
def test_all_added_less_what_is_dropped(runtime: str) -> None:
    everything = {name.removeprefix("CAP_") for name in NAMES}
    assert given(decided(runtime, add=("ALL",))) == everything
    assert given(decided(runtime, add=("ALL",), drop=("SYS_ADMIN",))) == everything - {"SYS_ADMIN"}


@pytest.mark.parametrize(("runtime", "wins"), [("containerd", "drop"), ("cri-o", "drop"), ("docker", "add")])
def test_a_name_in_both_lists(runtime: str, wins: str) -> None:
    assert ("NET_ADMIN" in given(decided(runtime, add=("NET_ADMIN",), drop=("NET_ADMIN",)))) == (wins == "add")


@pytest.mark.parametrize(("runtime", "whole"), [("containerd", False), ("cri-o", False), ("docker", True)])
def test_all_in_both_lists(runtime: str, *, whole: bool) -> None:
    assert bool(given(decided(runtime, add=("ALL",), drop=("ALL",)))) == whole


def test_containerd_does_not_know_names_with_their_prefix() -> None:
    decision = decided("containerd", add=("CAP_NET_ADMIN",))
    assert not decision.refused
    assert given(decision) == given(decided("containerd"))


@pytest.mark.parametrize("runtime", ["cri-o", "docker"])
def test_others_take_names_with_their_prefix(runtime: str) -> None:
    assert "NET_ADMIN" in given(decided(runtime, add=("CAP_NET_ADMIN",)))


def test_only_docker_takes_a_prefixed_name_in_lower_case() -> None:
    assert "NET_ADMIN" in given(decided("docker", add=("cap_net_admin",)))
    assert decided("cri-o", add=("cap_net_admin",)).violations


@pytest.mark.parametrize(
    ("runtime", "sentence"),
    [("cri-o", 'unknown capability "CAP_FLY" to add'), ("docker", 'unknown capability: "CAP_FLY"')],
)
def test_an_unknown_name_that_is_added_is_refused(runtime: str, sentence: str) -> None:
    assert decided(runtime, add=("FLY",)).violations[0].reason == sentence


@pytest.mark.parametrize(("runtime", "refused"), [("containerd", False), ("cri-o", True), ("docker", True)])
def test_an_unknown_name_that_is_dropped(runtime: str, *, refused: bool) -> None:
    assert decided(runtime, drop=("FLY",)).refused == refused


@pytest.mark.parametrize("runtime", ALL)
def test_what_the_machine_lacks_is_left_out_and_said(runtime: str) -> None:
    decision = decided(runtime, add=("ALL",), machine=FULL & ~CAP_SYS_RESOURCE)
    assert "SYS_RESOURCE" not in given(decision)
    assert "without CAP_SYS_RESOURCE: root on this machine does not have it" in decision.assignments[0].reason


@pytest.mark.parametrize("runtime", ALL)
def test_an_own_user_namespace_has_the_whole_set(runtime: str) -> None:
    message = LinuxContainerSecurityContext(capabilities=Capability(add=("ALL",)))
    profile = RuntimeProfile(load(runtime), Decision())
    decision = capabilities.decide(message, BITS["CAP_KILL"], own_userns=True, runtime=profile)
    assert len(given(decision)) == len(NAMES)
    assert "without" not in decision.assignments[0].reason


def test_docker_refuses_a_capability_that_the_machine_lacks() -> None:
    decision = decided("docker", add=("SYS_RESOURCE",), machine=FULL & ~CAP_SYS_RESOURCE)
    assert decision.violations[0].reason.startswith("capability not supported by your kernel")
    assert not decided("containerd", add=("SYS_RESOURCE",), machine=FULL & ~CAP_SYS_RESOURCE).refused


@pytest.mark.parametrize("runtime", ALL)
def test_privileged_is_everything_that_the_machine_has_whatever_is_dropped(runtime: str) -> None:
    machine = FULL & ~CAP_SYS_RESOURCE
    decision = decided(runtime, drop=("ALL",), machine=machine, privileged=True)
    assert given(decision) == {name.removeprefix("CAP_") for name in NAMES} - {"SYS_RESOURCE"}
    ambient = next(a.value for a in decision.assignments if a.path.segments[-1] == "ambient")
    assert bool(ambient) == (runtime == "cri-o")


@pytest.mark.parametrize("runtime", ALL)
def test_ambient_capabilities_are_read_by_none(runtime: str) -> None:
    message = LinuxContainerSecurityContext(capabilities=Capability(add_ambient=("NET_RAW",)))
    decision = capabilities.decide(message, FULL, own_userns=False, runtime=RuntimeProfile(load(runtime), Decision()))
    assert [a.value for a in decision.assignments][3:] == [(), ()]
