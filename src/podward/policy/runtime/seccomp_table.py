"""A seccomp profile with conditions, and what is left of it for one container.

Specification (moby/profiles `seccomp/seccomp_linux.go`, containers/common `pkg/seccomp/filter.go`, in our words): of
the map of architectures, the entry of the machine's native one is taken, followed by its sub-architectures. A rule is
left out if one of its excluded architectures is the machine's, if an excluded capability is in the bounding set, or
if the kernel is as new as the excluded version; and if its included architectures do not name the machine's, if an
included capability is not in the bounding set, or if the kernel is older than the included version.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import Seccomp, SeccompArg, SeccompRule

ALLOW, ERRNO = "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"
NATIVE = {
    "386": "SCMP_ARCH_X86",
    "amd64": "SCMP_ARCH_X86_64",
    "arm": "SCMP_ARCH_ARM",
    "arm64": "SCMP_ARCH_AARCH64",
    "loong64": "SCMP_ARCH_LOONGARCH64",
    "ppc64le": "SCMP_ARCH_PPC64LE",
    "riscv64": "SCMP_ARCH_RISCV64",
    "s390x": "SCMP_ARCH_S390X",
}
"""libseccomp's architectures by Go's names for the machine."""


class Condition(Struct, frozen=True, gc=False):
    """When a rule is part of the filter; architectures are Go's names, versions (major, minor)."""

    capabilities: tuple[str, ...] = ()
    without_capabilities: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    without_arches: tuple[str, ...] = ()
    from_kernel: tuple[int, int] | None = None
    before_kernel: tuple[int, int] | None = None


ALWAYS = Condition()


class Rule(Struct, frozen=True, gc=False):
    """One rule: `names` are system calls, separated by blanks. `alone` is a rule that was written with `name`."""

    names: str
    action: str = ALLOW
    errno: int | None = None
    args: tuple[SeccompArg, ...] = ()
    when: Condition = ALWAYS
    alone: bool = False


class Profile(Struct, frozen=True, gc=False):
    """A whole profile: either `architectures` or `arch_map` (native, its sub-architectures)."""

    default_action: str
    default_errno: int | None = None
    architectures: tuple[str, ...] = ()
    arch_map: tuple[tuple[str, tuple[str, ...]], ...] = ()
    flags: tuple[str, ...] = ()
    listener_path: str = ""
    listener_metadata: str = ""
    rules: tuple[Rule, ...] = ()


class Machine(Struct, frozen=True, gc=False):
    """What conditions look at: the container's bounding set, Go's name of the architecture, the kernel's version."""

    bounding: frozenset[str]
    arch: str = "amd64"
    kernel: tuple[int, int] = (0, 0)


def kernel_version(release: str) -> tuple[int, int]:
    """(6, 18) of "6.18.44-amd64"; (0, 0) of what has no version, so that no rule for newer kernels applies."""
    numbers = release.split(".", 2)
    digits = numbers[1].split("-")[0] if len(numbers) > 1 else ""
    if not (numbers[0].isdecimal() and digits.isdecimal()):
        return 0, 0
    return int(numbers[0]), int(digits)


def resolve(profile: Profile, machine: Machine) -> Seccomp:
    """The filter of one container: every condition looked at."""
    architectures = profile.architectures
    native = NATIVE.get(machine.arch)
    for arch, others in profile.arch_map:
        if arch == native:
            architectures = (arch, *others)
    return filtered(profile, architectures, tuple(rule for rule in profile.rules if _holds(rule.when, machine)))


def filtered(profile: Profile, architectures: tuple[str, ...], rules: tuple[Rule, ...]) -> Seccomp:
    """The runtime spec's form of these rules."""
    return Seccomp(
        default_action=profile.default_action,
        default_errno_ret=profile.default_errno,
        architectures=architectures,
        flags=profile.flags,
        listener_path=profile.listener_path,
        listener_metadata=profile.listener_metadata,
        syscalls=tuple(SeccompRule(tuple(rule.names.split()), rule.action, rule.errno, rule.args) for rule in rules),
    )


def _holds(when: Condition, machine: Machine) -> bool:
    if when is ALWAYS:
        return True
    excluded = (
        machine.arch in when.without_arches
        or any(name in machine.bounding for name in when.without_capabilities)
        or (when.before_kernel is not None and machine.kernel >= when.before_kernel)
    )
    included = (
        (not when.arches or machine.arch in when.arches)
        and all(name in machine.bounding for name in when.capabilities)
        and (when.from_kernel is None or machine.kernel >= when.from_kernel)
    )
    return included and not excluded
