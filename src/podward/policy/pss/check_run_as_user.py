"""runAsUser: nobody may ask to be root.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.23: neither the Pod nor a container sets runAsUser to 0; unset is fine
- since 1.35: not asked of a Pod with hostUsers false

The detail says runAsUser=0, without securityContext before it.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found, on_pod
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import owner, setters

ID = "runAsUser"
_GROUP = "runAsGroup"


def _not_zero(facts: Facts) -> CheckResult | None:
    pod_bad = facts.context.run_as_user == 0
    bad = [spot for spot in facts.spots if spot.context.run_as_user == 0]
    if not (pod_bad or bad):
        return None
    faults: list[tuple[Path, Value, str]] = []
    if pod_bad:
        faults.append((on_pod(ID), 0, "The Pod asks for its containers to run as root."))
    faults += [(spot.set_at(ID), 0, f"{owner(spot)} asks to run as root.") for spot in bad]
    return found(ID, "runAsUser=0", f"{setters(bad, pod=pod_bad)} must not set runAsUser=0", faults)


def _on_the_host(facts: Facts) -> CheckResult | None:
    return None if facts.in_user_namespace else _not_zero(facts)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    """Root's group beside it goes as well: runtimes refuse a group where no user is named."""
    changes = [Change(fault.path, None) for fault in result.decision.violations]
    if facts.context.run_as_user == 0 and facts.context.run_as_group == 0:
        changes.append(Change(on_pod(_GROUP), None))
    changes += [
        Change(spot.set_at(_GROUP), None)
        for spot in facts.spots
        if spot.context.run_as_user == 0 and spot.context.run_as_group == 0
    ]
    return PssRemedy("Remove runAsUser: 0; the image's user then decides.", tuple(changes))


CHECK = Check(ID, Level.RESTRICTED, (Revision(23, _not_zero), Revision(35, _on_the_host)), _cure)
