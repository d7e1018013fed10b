"""The standards: which checks a level has at a version, and what a Pod has against it there.

Specification (k8s.io/pod-security-admission, policy/registry.go, in our words):
- baseline has the baseline checks of the version; restricted has its own and those baseline checks that none of its
  own overrides at this version; privileged has none.
- A version above the newest revision of any check counts as that one; `latest` is it.
- The order: baseline checks, then restricted ones, each sorted by id as bytes.

Which checks there are at a level and version is worked out once and kept.
"""

from __future__ import annotations

from functools import cache

from podward.api.core import Pod
from podward.policy.pss import (
    check_allow_privilege_escalation,
    check_app_armor_profile,
    check_capabilities_baseline,
    check_capabilities_restricted,
    check_host_namespaces,
    check_host_path_volumes,
    check_host_ports,
    check_host_probes_and_host_lifecycle,
    check_privileged,
    check_proc_mount,
    check_proc_mount_restricted,
    check_restricted_volumes,
    check_run_as_non_root,
    check_run_as_user,
    check_se_linux_options,
    check_seccomp_profile_baseline,
    check_seccomp_profile_restricted,
    check_sysctls,
    check_windows_host_process,
)
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Rule, facts_of
from podward.policy.pss.standard import Level, Version

CHECKS: tuple[Check, ...] = (
    check_app_armor_profile.CHECK,
    check_capabilities_baseline.CHECK,
    check_host_namespaces.CHECK,
    check_host_path_volumes.CHECK,
    check_host_ports.CHECK,
    check_host_probes_and_host_lifecycle.CHECK,
    check_privileged.CHECK,
    check_proc_mount.CHECK,
    check_se_linux_options.CHECK,
    check_seccomp_profile_baseline.CHECK,
    check_sysctls.CHECK,
    check_windows_host_process.CHECK,
    check_allow_privilege_escalation.CHECK,
    check_capabilities_restricted.CHECK,
    check_proc_mount_restricted.CHECK,
    check_restricted_volumes.CHECK,
    check_run_as_non_root.CHECK,
    check_run_as_user.CHECK,
    check_seccomp_profile_restricted.CHECK,
)
"""Every check, in the order in which they are asked."""

NEWEST = max(check.revisions[-1].since for check in CHECKS)
"""The minor version of the newest revision of any check."""

_BY_ID = {check.id: check for check in CHECKS}


def evaluate(level: Level, version: Version, pod: Pod) -> tuple[CheckResult, ...]:
    """What the checks of this level and version have against the Pod, in their order; empty: nothing."""
    return evaluate_facts(level, version, facts_of(pod)) if level is not Level.PRIVILEGED else ()


def evaluate_facts(level: Level, version: Version, facts: Facts) -> tuple[CheckResult, ...]:
    """The same for facts that are asked about several times."""
    results = [rule(facts) for rule in _rules(level, effective_minor(version))]
    return tuple([result for result in results if result is not None]) if any(results) else ()


def effective_minor(version: Version) -> int:
    """The minor version whose checks are meant: none is newer than `NEWEST`."""
    return NEWEST if version.minor is None or version.minor > NEWEST else version.minor


def checks_of(level: Level, version: Version) -> tuple[Check, ...]:
    """The checks that this level has at this version, in their order."""
    return _checks(level, effective_minor(version))


def remedy(facts: Facts, result: CheckResult) -> PssRemedy:
    """The smallest change of the Pod that satisfies the check which gave this result about it."""
    return _BY_ID[result.check].cure(facts, result)


@cache
def _checks(level: Level, minor: int) -> tuple[Check, ...]:
    if level is Level.PRIVILEGED:
        return ()
    held = [(check, revision) for check in CHECKS if (revision := check.revision(minor)) is not None]
    if level is Level.BASELINE:
        return tuple(check for check, _ in held if check.level is Level.BASELINE)
    overridden = {name for _, revision in held for name in revision.overrides}
    return tuple(check for check, _ in held if check.id not in overridden)


@cache
def _rules(level: Level, minor: int) -> tuple[Rule, ...]:
    revisions = [check.revision(minor) for check in _checks(level, minor)]
    return tuple(revision.rule for revision in revisions if revision is not None)
