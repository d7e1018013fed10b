"""allowPrivilegeEscalation: every container must keep its processes from gaining privileges.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.8: each container sets securityContext.allowPrivilegeEscalation to false; unset is not enough
- since 1.25: a Pod with os.name windows passes
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import (
    WINDOWS_NEEDS_V1_25,
    Check,
    CheckResult,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title

ID = "allowPrivilegeEscalation"


def _every_container(facts: PssFacts) -> CheckResult | None:
    bad = [container for container in facts.containers if container.context.allow_privilege_escalation is not False]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (
            container.context_path("allowPrivilegeEscalation"),
            container.context.allow_privilege_escalation,
            f"{container_title(container)} lets its processes gain privileges: allowPrivilegeEscalation is not false.",
        )
        for container in bad
    ]
    detail = f"{container_list(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return failed(ID, "allowPrivilegeEscalation != false", detail, violations)


def _linux(facts: PssFacts) -> CheckResult | None:
    return None if facts.windows else _every_container(facts)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    if facts.windows:
        return WINDOWS_NEEDS_V1_25
    return PssRemedy(
        "Set allowPrivilegeEscalation to false.",
        tuple(Change(violation.path, value=False) for violation in result.decision.violations),
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(8, _every_container), Revision(25, _linux)), _remedy)
