"""privileged: no container may be privileged, because that switches off nearly every protection.

Specification (k8s.io/pod-security-admission, in our words), level baseline:

- since 1.0: no container sets securityContext.privileged to true
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title

ID = "privileged"


def _privileged(facts: PssFacts) -> CheckResult | None:
    bad = [container for container in facts.containers if container.context.privileged]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (container.context_path("privileged"), True, f"{container_title(container)} is privileged.")
        for container in bad
    ]
    return failed(ID, "privileged", f"{container_list(bad)} must not set securityContext.privileged=true", violations)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove privileged; add the capabilities that are needed instead.",
        tuple(Change(violation.path, None) for violation in result.decision.violations),
    )


CHECK = Check(ID, Level.BASELINE, (Revision(0, _privileged),), _remedy)
