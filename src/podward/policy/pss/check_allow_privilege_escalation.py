"""allowPrivilegeEscalation: every container must say that its processes can't gain privileges.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.8: each container sets securityContext.allowPrivilegeEscalation to false; unset is not enough
- since 1.25: not asked of a Pod with os.name windows
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.windows import NOT_EXEMPT_YET
from podward.policy.pss.wording import containers, owner

ID = "allowPrivilegeEscalation"


def _every_container(facts: Facts) -> CheckResult | None:
    bad = [spot for spot in facts.spots if spot.context.allow_privilege_escalation is not False]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (
            spot.set_at("allowPrivilegeEscalation"),
            spot.context.allow_privilege_escalation,
            f"{owner(spot)} lets its processes gain privileges: allowPrivilegeEscalation is not false.",
        )
        for spot in bad
    ]
    detail = f"{containers(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return found(ID, "allowPrivilegeEscalation != false", detail, faults)


def _linux(facts: Facts) -> CheckResult | None:
    return None if facts.windows else _every_container(facts)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    if facts.windows:
        return NOT_EXEMPT_YET
    return PssRemedy(
        "Set allowPrivilegeEscalation to false.",
        tuple(Change(fault.path, value=False) for fault in result.decision.violations),
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(8, _every_container), Revision(25, _linux)), _cure)
