"""privileged: no container may be privileged, which switches nearly every protection off.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: no container sets securityContext.privileged to true
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import containers, owner

ID = "privileged"


def _privileged(facts: Facts) -> CheckResult | None:
    bad = [spot for spot in facts.spots if spot.context.privileged]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (spot.set_at("privileged"), True, f"{owner(spot)} is privileged.") for spot in bad
    ]
    return found(ID, "privileged", f"{containers(bad)} must not set securityContext.privileged=true", faults)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove privileged; add the capabilities that are needed instead.",
        tuple(Change(fault.path, None) for fault in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _privileged),), _cure)
