"""procMount and procMount_restricted: /proc stays masked, at baseline unless the Pod has its own user namespace.

Specification (k8s.io/pod-security-admission, in our words):

procMount, level baseline:

- since 1.0: each container's procMount, if it is set, is exactly `Default`; empty is not allowed
- since 1.35: a Pod with hostUsers false passes; at restricted, procMount_restricted replaces this check

procMount_restricted, level restricted, overrides procMount:

- since 1.35: each container's procMount, if it is set, is exactly `Default`

The detail names containers in their order, and each value once, sorted.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title, quoted_list

BASELINE_ID = "procMount"
RESTRICTED_ID = "procMount_restricted"


def _masked(facts: PssFacts, check: str) -> CheckResult | None:
    """The result of `check` if a container requests an unmasked /proc."""
    bad = [
        (container, container.context.proc_mount)
        for container in facts.containers
        if container.context.proc_mount is not None and container.context.proc_mount != "Default"
    ]
    if not bad:
        return None
    violations: list[FieldViolation] = [
        (
            container.context_path("procMount"),
            kind,
            f'{container_title(container)} asks for a /proc that is not masked: procMount is "{kind}".',
        )
        for container, kind in bad
    ]
    who = container_list([container for container, _ in bad])
    kinds = quoted_list(sorted({kind for _, kind in bad}))
    return failed(check, "procMount", f"{who} must not set securityContext.procMount to {kinds}", violations)


def _baseline(facts: PssFacts) -> CheckResult | None:
    return _masked(facts, BASELINE_ID)


def _baseline_without_user_namespace(facts: PssFacts) -> CheckResult | None:
    return None if facts.in_user_namespace else _masked(facts, BASELINE_ID)


def _restricted(facts: PssFacts) -> CheckResult | None:
    return _masked(facts, RESTRICTED_ID)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts
    return PssRemedy(
        "Remove procMount: /proc is masked by default.",
        tuple(Change(violation.path, None) for violation in result.decision.violations),
    )


BASELINE = Check(
    BASELINE_ID, Level.BASELINE, (Revision(0, _baseline), Revision(35, _baseline_without_user_namespace)), _remedy
)
RESTRICTED = Check(RESTRICTED_ID, Level.RESTRICTED, (Revision(35, _restricted, (BASELINE_ID,)),), _remedy)
