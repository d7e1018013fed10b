"""What the two checks of procMount share: the rule itself.

A container's procMount, where it is set, is exactly `Default`; empty is not. Containers are named in their order,
values once each and sorted.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import CheckResult, Facts, PssRemedy, found
from podward.policy.pss.wording import containers, joined, owner


def masked(facts: Facts, check: str) -> CheckResult | None:
    """The result of `check` for a Pod in which a container asks for another /proc than the masked one."""
    bad = [
        (spot, spot.context.proc_mount)
        for spot in facts.spots
        if spot.context.proc_mount is not None and spot.context.proc_mount != "Default"
    ]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [
        (spot.set_at("procMount"), kind, f'{owner(spot)} asks for a /proc that is not masked: procMount is "{kind}".')
        for spot, kind in bad
    ]
    who = containers([spot for spot, _ in bad])
    detail = f"{who} must not set securityContext.procMount to {joined(sorted({kind for _, kind in bad}))}"
    return found(check, "procMount", detail, faults)


def cure(facts: Facts, result: CheckResult) -> PssRemedy:
    """Leave procMount out."""
    del facts
    return PssRemedy(
        "Remove procMount: /proc is masked by default.",
        tuple(Change(fault.path, None) for fault in result.decision.violations),
    )
