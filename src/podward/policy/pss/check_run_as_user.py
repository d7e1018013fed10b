"""runAsUser: neither the Pod nor a container may request to run as root.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.23: neither the Pod nor a container sets runAsUser to 0; unset is allowed
- since 1.35: a Pod with hostUsers false passes

The detail says runAsUser=0, without securityContext before it.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import (
    Check,
    CheckResult,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_title, setter_list

ID = "runAsUser"
_GROUP = "runAsGroup"


def _not_zero(facts: PssFacts) -> CheckResult | None:
    pod_bad = facts.context.run_as_user == 0
    bad = [container for container in facts.containers if container.context.run_as_user == 0]
    if not (pod_bad or bad):
        return None
    violations: list[FieldViolation] = []
    if pod_bad:
        violations.append((pod_context_path(ID), 0, "The Pod asks for its containers to run as root."))
    violations += [
        (container.context_path(ID), 0, f"{container_title(container)} asks to run as root.") for container in bad
    ]
    return failed(ID, "runAsUser=0", f"{setter_list(bad, pod=pod_bad)} must not set runAsUser=0", violations)


def _without_user_namespace(facts: PssFacts) -> CheckResult | None:
    return None if facts.in_user_namespace else _not_zero(facts)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    """Remove runAsUser, and a runAsGroup of 0 next to it: runtimes refuse a group without a user."""
    changes = [Change(violation.path, None) for violation in result.decision.violations]
    if facts.context.run_as_user == 0 and facts.context.run_as_group == 0:
        changes.append(Change(pod_context_path(_GROUP), None))
    changes += [
        Change(container.context_path(_GROUP), None)
        for container in facts.containers
        if container.context.run_as_user == 0 and container.context.run_as_group == 0
    ]
    return PssRemedy("Remove runAsUser: 0; the image's user then decides.", tuple(changes))


CHECK = Check(ID, Level.RESTRICTED, (Revision(23, _not_zero), Revision(35, _without_user_namespace)), _remedy)
