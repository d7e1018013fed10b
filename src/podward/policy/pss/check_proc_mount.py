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

from collections.abc import Iterable

from podward.api.core import PodSpec
from podward.api.explanation import Change
from podward.path import Path, path
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level, Standard
from podward.policy.pss.wording import container_list, container_title, quoted_list
from podward.schema.user_namespace import may_have_own

BASELINE_ID = "procMount"
RESTRICTED_ID = "procMount_restricted"
_RELAXED = 35
"""The minor version since which baseline has nothing against it in a user namespace."""


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
    return masking(tuple(violation.path for violation in result.decision.violations))


USER_NAMESPACE = PssRemedy(
    "Give the Pod a user namespace of its own (hostUsers: false): root in it is nobody on the node.",
    (Change(path("spec", "hostUsers"), value=False),),
)


def masking(places: tuple[Path, ...]) -> PssRemedy:
    """The remedy that takes procMount away at these places."""
    return PssRemedy("Remove procMount: /proc is masked by default.", tuple(Change(place, None) for place in places))


def kept_by_user_namespace(spec: PodSpec, standard: Standard, kinds: Iterable[object]) -> bool:
    """Whether `USER_NAMESPACE` satisfies the API server and this standard, and the containers keep their /proc."""
    if standard.level is Level.BASELINE:
        relaxed = standard.version.minor is None or standard.version.minor >= _RELAXED
    else:
        relaxed = standard.level is Level.PRIVILEGED
    return relaxed and may_have_own(spec) and all(kind == "Unmasked" for kind in kinds)


BASELINE = Check(
    BASELINE_ID, Level.BASELINE, (Revision(0, _baseline), Revision(_RELAXED, _baseline_without_user_namespace)), _remedy
)
RESTRICTED = Check(RESTRICTED_ID, Level.RESTRICTED, (Revision(_RELAXED, _restricted, (BASELINE_ID,)),), _remedy)
