"""A seccomp profile with conditions, and the filter that it gives for one container.

Specification (moby/profiles `seccomp/seccomp_linux.go`, containers/common `pkg/seccomp/filter.go`, in our words): the
filter's architectures are the machine's native one and its sub-architectures in the profile's `archMap`. A rule with
excludes is left out if they name the machine's architecture or a capability in the bounding set, or if the kernel is
at least as new as the excluded version. A rule with includes is left out if they do not name the machine's
architecture, if they name a capability that is not in the bounding set, or if the kernel is older than the included
version.
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
"""libseccomp's names of architectures, by Go's names."""


class Condition(Struct, frozen=True, gc=False):
    """The condition for a rule to be part of the filter.

    Architectures have Go's names; versions are (major, minor).
    """

    capabilities: tuple[str, ...] = ()
    without_capabilities: tuple[str, ...] = ()
    arches: tuple[str, ...] = ()
    without_arches: tuple[str, ...] = ()
    from_kernel: tuple[int, int] | None = None
    before_kernel: tuple[int, int] | None = None


ALWAYS = Condition()


class Rule(Struct, frozen=True, gc=False):
    """One rule: `names` are system calls, separated by blanks.

    `single_name` is whether the profile gave the system call as `name`, not as a list `names`.
    """

    names: str
    action: str = ALLOW
    errno: int | None = None
    args: tuple[SeccompArg, ...] = ()
    when: Condition = ALWAYS
    single_name: bool = False


class Profile(Struct, frozen=True, gc=False):
    """A whole profile: either `architectures` or `arch_map` (native architectures with their sub-architectures)."""

    default_action: str
    default_errno: int | None = None
    architectures: tuple[str, ...] = ()
    arch_map: tuple[tuple[str, tuple[str, ...]], ...] = ()
    flags: tuple[str, ...] = ()
    listener_path: str = ""
    listener_metadata: str = ""
    rules: tuple[Rule, ...] = ()


class Machine(Struct, frozen=True, gc=False):
    """The facts for conditions: the container's bounding set, Go's name of the architecture, the kernel's version."""

    bounding: frozenset[str]
    arch: str = "amd64"
    kernel: tuple[int, int] = (0, 0)


def kernel_version(release: str) -> tuple[int, int]:
    """The kernel's version, (6, 18) for "6.18.44-amd64".

    (0, 0) if the text is not a release, so that no rule for newer kernels applies.
    """
    numbers = release.split(".", 2)
    digits = numbers[1].split("-")[0] if len(numbers) > 1 else ""
    if not (numbers[0].isdecimal() and digits.isdecimal()):
        return 0, 0
    return int(numbers[0]), int(digits)


def resolve(profile: Profile, machine: Machine) -> Seccomp:
    """The filter for one container: the rules whose conditions hold."""
    architectures = profile.architectures
    native = NATIVE.get(machine.arch)
    for arch, others in profile.arch_map:
        if arch == native:
            architectures = (arch, *others)
    return to_spec(profile, architectures, tuple(rule for rule in profile.rules if _holds(rule.when, machine)))


def to_spec(profile: Profile, architectures: tuple[str, ...], rules: tuple[Rule, ...]) -> Seccomp:
    """The filter in the form of the runtime spec, with these rules."""
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
