"""The AppArmor profile."""

from __future__ import annotations

import pytest

from podward.api.cri import LinuxContainerSecurityContext, SecurityProfile
from podward.decision import Decision
from podward.policy.runtime import apparmor
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
LOCAL = SecurityProfile("Localhost", "k8s-deny-write")
DEFAULT = {"containerd": "cri-containerd.apparmor.d", "cri-o": "crio-default", "docker": "docker-default"}


def decided(runtime: str, context: LinuxContainerSecurityContext, lsm: str = "apparmor") -> Decision:
    return apparmor.decide(context, lsm, RuntimeProfile(load(runtime), Decision()))


def profile(runtime: str, context: LinuxContainerSecurityContext) -> object:
    decision = decided(runtime, context)
    assert not decision.violations
    return decision.assignments[0].value


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize("lsm", ["", "selinux"])
def test_a_profile_of_the_node_without_apparmor_is_refused(runtime: str, lsm: str) -> None:
    for context in (
        LinuxContainerSecurityContext(apparmor=LOCAL),
        LinuxContainerSecurityContext(apparmor_profile="localhost/k8s-deny-write"),
    ):
        decision = decided(runtime, context, lsm)
        assert not decision.assignments
        assert decision.violations[0].reason == "Cannot enforce AppArmor: AppArmor is not enabled on the host"
        assert decision.violations[0].value == "k8s-deny-write"


@pytest.mark.parametrize("runtime", ALL)
def test_without_apparmor_there_is_no_default(runtime: str) -> None:
    assert decided(runtime, LinuxContainerSecurityContext(), "") == Decision()


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    "context",
    [
        LinuxContainerSecurityContext(),
        LinuxContainerSecurityContext(apparmor=SecurityProfile("RuntimeDefault")),
        LinuxContainerSecurityContext(apparmor_profile="runtime/default"),
    ],
)
def test_the_runtime_s_default(runtime: str, context: LinuxContainerSecurityContext) -> None:
    assert profile(runtime, context) == DEFAULT[runtime]


@pytest.mark.parametrize("runtime", ALL)
def test_a_profile_of_the_node(runtime: str) -> None:
    assert profile(runtime, LinuxContainerSecurityContext(apparmor=LOCAL)) == "k8s-deny-write"


@pytest.mark.parametrize(("runtime", "name"), [("containerd", ""), ("cri-o", "unconfined"), ("docker", "unconfined")])
def test_unconfined(runtime: str, name: str) -> None:
    assert profile(runtime, LinuxContainerSecurityContext(apparmor=SecurityProfile("Unconfined"))) == name


@pytest.mark.parametrize(
    ("runtime", "default", "local"),
    [("containerd", "", "k8s-deny-write"), ("cri-o", "", ""), ("docker", "unconfined", "k8s-deny-write")],
)
def test_privileged(runtime: str, default: str, local: str) -> None:
    assert profile(runtime, LinuxContainerSecurityContext(privileged=True)) == default
    assert profile(runtime, LinuxContainerSecurityContext(privileged=True, apparmor=LOCAL)) == local


@pytest.mark.parametrize("kind", [SecurityProfile("Magic"), SecurityProfile("Localhost", "")])
def test_an_unknown_or_nameless_profile_is_refused(kind: SecurityProfile) -> None:
    assert decided("containerd", LinuxContainerSecurityContext(apparmor=kind)).refused


@pytest.mark.parametrize("runtime", ALL)
def test_a_profile_that_the_kernel_does_not_have_is_refused(runtime: str) -> None:
    context = LinuxContainerSecurityContext(apparmor=LOCAL)
    made = RuntimeProfile(load(runtime), Decision())
    refused = apparmor.decide(context, "apparmor", made, frozenset({"another"}))
    assert refused.violations[0].reason == "apparmor profile not found k8s-deny-write"
    assert not apparmor.decide(context, "apparmor", made, frozenset({"k8s-deny-write"})).violations
    assert not apparmor.decide(context, "apparmor", made, None).violations  # nobody knows
    assert not apparmor.decide(LinuxContainerSecurityContext(), "apparmor", made, frozenset()).violations
