"""The seccomp filter, as each runtime makes it for one container."""

from __future__ import annotations

import pytest

from podward.api.cri import LinuxContainerSecurityContext, SecurityProfile
from podward.api.oci import Seccomp, SeccompRule
from podward.decision import Decision
from podward.policy.runtime import seccomp
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile
from podward.policy.runtime.seccomp_profile import parse
from podward.policy.runtime.seccomp_table import Condition, Machine, Profile, Rule, kernel_version, resolve

ALL = ("containerd", "cri-o", "docker")
EPERM, ENOSYS = 1, 38
PLAIN = Machine(frozenset(), "amd64", (6, 18))


def default(runtime: str, *capabilities: str, arch: str = "amd64", kernel: tuple[int, int] = (6, 18)) -> Seccomp:
    return resolve(seccomp.default_profile(runtime), Machine(frozenset(capabilities), arch, kernel))


def allowed(profile: Seccomp) -> set[str]:
    """The calls that are let through whatever their arguments."""
    return {
        name for rule in profile.syscalls if rule.action == "SCMP_ACT_ALLOW" and not rule.args for name in rule.names
    }


def decided(runtime: str, message: LinuxContainerSecurityContext, localhost: Profile | None = None) -> Decision:
    return seccomp.decide(message, localhost, PLAIN, RuntimeProfile(load(runtime), Decision()))


DANGEROUS = {"unshare", "bpf", "kexec_load", "init_module", "open_by_handle_at", "settimeofday", "perf_event_open"}


@pytest.mark.parametrize("runtime", ALL)
def test_ordinary_calls_are_let_through_and_dangerous_ones_are_not(runtime: str) -> None:
    calls = allowed(default(runtime))
    assert {"read", "openat", "execve", "futex", "getrandom", "fchmodat2"} <= calls
    assert not calls & DANGEROUS


@pytest.mark.parametrize(("runtime", "through"), [("containerd", False), ("docker", False), ("cri-o", True)])
def test_cri_o_leaves_some_calls_to_the_kernel_s_own_checks(runtime: str, *, through: bool) -> None:
    for call in ("mount", "reboot", "setns", "clone3"):
        assert (call in allowed(default(runtime))) == through


@pytest.mark.parametrize(
    ("capability", "call", "runtimes"),
    [
        ("CAP_SYS_ADMIN", "unshare", ALL),
        ("CAP_SYS_ADMIN", "bpf", ALL),
        ("CAP_SYS_MODULE", "init_module", ALL),
        ("CAP_DAC_READ_SEARCH", "open_by_handle_at", ALL),
        ("CAP_SYS_TIME", "settimeofday", ALL),
        ("CAP_SYS_ADMIN", "mount", ("containerd", "docker")),
        ("CAP_SYS_BOOT", "reboot", ("containerd", "docker")),
        ("CAP_BPF", "bpf", ("containerd", "docker")),
    ],
)
def test_a_capability_opens_its_calls(capability: str, call: str, runtimes: tuple[str, ...]) -> None:
    for runtime in runtimes:
        assert call not in allowed(default(runtime))
        assert call in allowed(default(runtime, capability))


@pytest.mark.parametrize(("runtime", "errno"), [("containerd", EPERM), ("docker", EPERM), ("cri-o", ENOSYS)])
def test_what_no_rule_names_fails_with_the_runtime_s_own_error(runtime: str, errno: int) -> None:
    profile = default(runtime)
    assert profile.default_action == "SCMP_ACT_ERRNO"
    assert (profile.default_errno_ret or EPERM) == errno


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_clone3_fails_with_enosys_so_that_libraries_fall_back_to_clone(runtime: str) -> None:
    (rule,) = [rule for rule in default(runtime).syscalls if "clone3" in rule.names]
    assert (rule.action, rule.errno_ret) == ("SCMP_ACT_ERRNO", ENOSYS)
    assert "clone3" in allowed(default(runtime, "CAP_SYS_ADMIN"))


@pytest.mark.parametrize("runtime", ALL)
@pytest.mark.parametrize(
    ("arch", "architectures", "own"),
    [
        ("amd64", ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"), "arch_prctl"),
        ("arm64", ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"), "set_tls"),
    ],
)
def test_architectures(runtime: str, arch: str, architectures: tuple[str, ...], own: str) -> None:
    profile = default(runtime, arch=arch)
    assert profile.architectures == architectures
    assert own in allowed(profile)


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_a_new_enough_kernel_allows_ptrace(runtime: str) -> None:
    assert "ptrace" in allowed(default(runtime, kernel=(4, 8)))
    assert "ptrace" not in allowed(default(runtime, kernel=(4, 7)))
    assert "ptrace" in allowed(default(runtime, "CAP_SYS_PTRACE", kernel=(4, 7)))


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (LinuxContainerSecurityContext(), "no seccomp profile is asked for"),
        (LinuxContainerSecurityContext(seccomp=SecurityProfile("Unconfined")), "Unconfined: no seccomp filter"),
        (
            LinuxContainerSecurityContext(privileged=True, seccomp=SecurityProfile("RuntimeDefault")),
            "privileged: no seccomp filter",
        ),
    ],
)
@pytest.mark.parametrize("runtime", ALL)
def test_no_filter(runtime: str, message: LinuxContainerSecurityContext, reason: str) -> None:
    (assignment,) = decided(runtime, message).assignments
    assert (assignment.value, assignment.reason) == (None, reason)


@pytest.mark.parametrize("runtime", ALL)
def test_a_localhost_profile_that_is_missing_refuses_the_container(runtime: str) -> None:
    decision = decided(runtime, LinuxContainerSecurityContext(seccomp=SecurityProfile("Localhost", "/p/gone.json")))
    assert not decision.assignments
    assert '"/p/gone.json"' in decision.violations[0].reason


def test_an_unknown_kind_of_profile_is_refused() -> None:
    decision = decided("containerd", LinuxContainerSecurityContext(seccomp=SecurityProfile("Magic")))
    assert decision.violations[0].reason == "seccomp unknown ProfileType"


FILE = b"""{"defaultAction": "SCMP_ACT_ALLOW",
"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
"syscalls": [
 {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
 {"name": "chown", "action": "SCMP_ACT_ERRNO"},
 {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
 {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "includes": {"caps": ["CAP_BPF"]}}]}"""


@pytest.mark.parametrize(
    ("runtime", "architectures", "calls"),
    [
        ("containerd", (), ["chmod", "mount", "bpf"]),
        ("cri-o", ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"), ["chmod", "chown", "mount"]),
        ("docker", ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"), ["chmod", "chown", "mount"]),
    ],
)
def test_only_containerd_does_not_see_the_conditions_of_a_file(
    runtime: str, architectures: tuple[str, ...], calls: list[str]
) -> None:
    message = LinuxContainerSecurityContext(seccomp=SecurityProfile("Localhost", "/p.json"))
    (assignment,) = decided(runtime, message, parse(FILE, "/p.json")).assignments
    assert isinstance(assignment.value, Seccomp)
    assert assignment.value.architectures == architectures
    assert [name for rule in assignment.value.syscalls for name in rule.names] == calls
    assert assignment.value.syscalls[0] == SeccompRule(("chmod",), "SCMP_ACT_ERRNO", 13)


@pytest.mark.parametrize(
    ("when", "machine", "kept"),
    [
        (Condition(capabilities=("A", "B")), Machine(frozenset({"A"})), False),
        (Condition(capabilities=("A", "B")), Machine(frozenset({"A", "B"})), True),
        (Condition(without_capabilities=("A", "B")), Machine(frozenset({"B"})), False),
        (Condition(without_capabilities=("A",)), Machine(frozenset()), True),
        (Condition(arches=("arm", "arm64")), Machine(frozenset(), "arm64"), True),
        (Condition(arches=("arm",)), Machine(frozenset(), "amd64"), False),
        (Condition(without_arches=("s390x",)), Machine(frozenset(), "s390x"), False),
        (Condition(from_kernel=(4, 8)), Machine(frozenset(), kernel=(5, 0)), True),
        (Condition(from_kernel=(4, 8)), Machine(frozenset(), kernel=(3, 99)), False),
        (Condition(before_kernel=(4, 8)), Machine(frozenset(), kernel=(4, 8)), False),
        (Condition(capabilities=("A",), without_arches=("arm",)), Machine(frozenset({"A"}), "arm"), False),
    ],
)
def test_conditions(when: Condition, machine: Machine, *, kept: bool) -> None:
    profile = Profile("SCMP_ACT_KILL", rules=(Rule("read write", when=when),))
    assert [rule.names for rule in resolve(profile, machine).syscalls] == ([("read", "write")] if kept else [])


@pytest.mark.parametrize(
    ("release", "version"),
    [("6.18.44-amd64", (6, 18)), ("4.8", (4, 8)), ("5.10-rc1", (5, 10)), ("", (0, 0)), ("newest", (0, 0))],
)
def test_kernel_version(release: str, version: tuple[int, int]) -> None:
    assert kernel_version(release) == version
