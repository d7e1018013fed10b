"""The standards: which checks a level has at a version, and which of them a Pod fails.

Specification (k8s.io/pod-security-admission, policy/registry.go, in our words):
- privileged has no checks. baseline has the baseline checks of the version. restricted has its own checks and those
  baseline checks that none of its own overrides at this version.
- `latest`, and any version above the newest revision of all checks, means that newest revision's version.
- Checks run in the order baseline, then restricted, each sorted by id as bytes.

The checks of each level and version are determined once and cached.
"""

from __future__ import annotations

from functools import cache

from podward.api.core import Pod
from podward.policy.pss import (
    check_allow_privilege_escalation,
    check_app_armor_profile,
    check_capabilities,
    check_host_namespaces,
    check_host_path_volumes,
    check_host_ports,
    check_host_probes_and_host_lifecycle,
    check_privileged,
    check_proc_mount,
    check_restricted_volumes,
    check_run_as_non_root,
    check_run_as_user,
    check_se_linux_options,
    check_seccomp_profile,
    check_sysctls,
    check_windows_host_process,
)
from podward.policy.pss.check import Check, CheckResult, PssFacts, PssRemedy, Rule, facts_of
from podward.policy.pss.standard import STRICTNESS, Level, Standard, Version

CHECKS: tuple[Check, ...] = (
    check_app_armor_profile.CHECK,
    check_capabilities.BASELINE,
    check_host_namespaces.CHECK,
    check_host_path_volumes.CHECK,
    check_host_ports.CHECK,
    check_host_probes_and_host_lifecycle.CHECK,
    check_privileged.CHECK,
    check_proc_mount.BASELINE,
    check_se_linux_options.CHECK,
    check_seccomp_profile.BASELINE,
    check_sysctls.CHECK,
    check_windows_host_process.CHECK,
    check_allow_privilege_escalation.CHECK,
    check_capabilities.RESTRICTED,
    check_proc_mount.RESTRICTED,
    check_restricted_volumes.CHECK,
    check_run_as_non_root.CHECK,
    check_run_as_user.CHECK,
    check_seccomp_profile.RESTRICTED,
)
"""All checks, in the order in which they run."""

NEWEST = max(check.revisions[-1].since for check in CHECKS)
"""The minor version of the newest revision of any check."""

_BY_ID = {check.id: check for check in CHECKS}


def evaluate(level: Level, version: Version, pod: Pod) -> tuple[CheckResult, ...]:
    """The results of the checks of this level and version that the Pod fails, in the checks' order."""
    return evaluate_facts(level, version, facts_of(pod)) if level is not Level.PRIVILEGED else ()


def evaluate_facts(level: Level, version: Version, facts: PssFacts) -> tuple[CheckResult, ...]:
    """As `evaluate`, for a caller that evaluates the same facts several times."""
    results = [rule(facts) for rule in _rules(level, effective_minor(version))]
    return tuple([result for result in results if result is not None]) if any(results) else ()


def demands_less(standard: Standard, other: Standard) -> bool:
    """Whether the other standard has a check that this one lacks: its level is lower, or its version is older."""
    if STRICTNESS[standard.level] < STRICTNESS[other.level]:
        return True
    minor, newer = effective_minor(standard.version), effective_minor(other.version)
    have = {check.id for check in _checks(other.level, minor)}
    return any(check.id not in have for check in _checks(other.level, newer))


def effective_minor(version: Version) -> int:
    """The minor version whose checks apply: at most `NEWEST`."""
    return NEWEST if version.minor is None or version.minor > NEWEST else version.minor


def checks_of(level: Level, version: Version) -> tuple[Check, ...]:
    """The checks of this level at this version, in their order."""
    return _checks(level, effective_minor(version))


def remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    """The smallest change of the Pod that satisfies the check with this result."""
    return _BY_ID[result.check].remedy(facts, result)


@cache
def _checks(level: Level, minor: int) -> tuple[Check, ...]:
    if level is Level.PRIVILEGED:
        return ()
    known = [(check, revision) for check in CHECKS if (revision := check.revision(minor)) is not None]
    if level is Level.BASELINE:
        return tuple(check for check, _ in known if check.level is Level.BASELINE)
    overridden = {name for _, revision in known for name in revision.overrides}
    return tuple(check for check, _ in known if check.id not in overridden)


@cache
def _rules(level: Level, minor: int) -> tuple[Rule, ...]:
    revisions = [check.revision(minor) for check in _checks(level, minor)]
    return tuple(revision.rule for revision in revisions if revision is not None)
