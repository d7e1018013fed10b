"""The SELinux label."""

from __future__ import annotations

import pytest

from podward.api.cri import LinuxContainerSecurityContext, NamespaceOption, SELinuxOption
from podward.decision import Decision
from podward.policy.runtime import selinux
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

LEVEL = SELinuxOption(level="s0:c123,c456")


def decided(
    context: LinuxContainerSecurityContext, lsm: str, of_pod: SELinuxOption | None = None, runtime: str = "containerd"
) -> Decision:
    return selinux.decide(context, of_pod, lsm, RuntimeProfile(load(runtime), Decision()))


def values(decision: Decision) -> dict[str, object]:
    assert not decision.violations
    return {str(a.path.segments[-1]): a.value for a in decision.assignments}


def test_without_selinux_a_label_is_carried_as_a_note() -> None:
    (assignment,) = decided(LinuxContainerSecurityContext(selinux_options=LEVEL), "").assignments
    assert assignment.path == selinux.ANNOTATION
    assert assignment.value == "system_u:system_r:container_t:s0:c123,c456"
    assert assignment.reason == "carried, not enforceable on this kernel"


def test_without_selinux_and_without_a_label_there_is_nothing() -> None:
    assert decided(LinuxContainerSecurityContext(selinux_options=SELinuxOption()), "") == Decision()


def test_under_selinux_a_container_has_a_label_of_its_own() -> None:
    assert values(decided(LinuxContainerSecurityContext(), "selinux")) == {
        "selinuxLabel": "system_u:system_r:container_t:s0",
        "mountLabel": "system_u:object_r:container_file_t:s0",
    }


def test_the_pod_s_label_counts_where_the_container_has_none() -> None:
    label = values(decided(LinuxContainerSecurityContext(), "selinux", SELinuxOption(type="spc_t")))["selinuxLabel"]
    assert label == "system_u:system_r:spc_t:s0"
    own = LinuxContainerSecurityContext(selinux_options=LEVEL)
    label = values(decided(own, "selinux", SELinuxOption(type="spc_t")))["selinuxLabel"]
    assert label == "system_u:system_r:container_t:s0:c123,c456"


def test_privileged_has_no_label() -> None:
    context = LinuxContainerSecurityContext(privileged=True, selinux_options=LEVEL)
    assert values(decided(context, "selinux")) == {"selinuxLabel": ""}


@pytest.mark.parametrize(("runtime", "labelled"), [("cri-o", False), ("containerd", True)])
def test_cri_o_does_not_label_what_shares_the_host_s_pids(runtime: str, *, labelled: bool) -> None:
    context = LinuxContainerSecurityContext(namespace_options=NamespaceOption(pid="NODE"))
    assert bool(values(decided(context, "selinux", runtime=runtime))["selinuxLabel"]) == labelled


@pytest.mark.parametrize("lsm", ["", "selinux"])
def test_a_level_that_is_not_well_formed_is_refused(lsm: str) -> None:
    decision = decided(LinuxContainerSecurityContext(selinux_options=SELinuxOption(level="top")), lsm)
    assert decision.violations[0].reason == "the format of 'level' \"top\" is not correct"
    assert not decision.assignments


@pytest.mark.parametrize("level", ["", "s0", "s0-s1", "s0:c1", "s0:c1,c2", "s0-s0:c0.c1023", "s0:c1,c5.c9"])
def test_levels_that_are_well_formed(level: str) -> None:
    assert selinux.well_formed(level)


@pytest.mark.parametrize("level", ["s", "s10", "s0:", "s0:c12345", "s0:c1,", "s0-", "0", "s0:c1.c2.c3", "s0 ", "s٣"])
def test_levels_that_are_not(level: str) -> None:
    assert not selinux.well_formed(level)
