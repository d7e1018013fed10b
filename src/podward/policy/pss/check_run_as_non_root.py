"""runAsNonRoot: containers must be held to run as another user than root.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.0: the Pod's runAsNonRoot is not false; each container's is true or, if unset, the Pod's is true
- since 1.35: not asked of a Pod with hostUsers false

A false on the Pod is at fault even where every container says true. Where somebody says false, the detail is about
them alone, and containers that say nothing are not named; here their fault is listed all the same.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.decision import Value
from podward.path import Path
from podward.policy.pss.check import Check, CheckResult, ContainerRef, Facts, PssRemedy, Revision, found, on_pod
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import containers, owner, setters

ID = "runAsNonRoot"
_REASON = "runAsNonRoot != true"


def _saying_false(facts: Facts) -> list[ContainerRef]:
    return [spot for spot in facts.spots if spot.context.run_as_non_root is False]


def _silent(facts: Facts) -> list[ContainerRef]:
    """Containers that say nothing, where the Pod does not say true for them."""
    if facts.context.run_as_non_root:
        return []
    return [spot for spot in facts.spots if spot.context.run_as_non_root is None]


def _every_container(facts: Facts) -> CheckResult | None:
    pod_false = facts.context.run_as_non_root is False
    explicit, implicit = _saying_false(facts), _silent(facts)
    if not (pod_false or explicit or implicit):
        return None
    faults: list[tuple[Path, Value, str]] = []
    if pod_false:
        faults.append((on_pod(ID), False, "The Pod lets its containers run as root: runAsNonRoot is false."))
    faults += [(spot.set_at(ID), False, f"{owner(spot)} may run as root: runAsNonRoot is false.") for spot in explicit]
    if implicit and not pod_false:
        verb = "says" if len(implicit) == 1 else "say"
        faults.append((on_pod(ID), None, f"Neither the Pod nor {containers(implicit)} {verb} runAsNonRoot."))
    if pod_false or explicit:
        detail = f"{setters(explicit, pod=pod_false)} must not set securityContext.runAsNonRoot=false"
    else:
        detail = f"pod or {containers(implicit)} must set securityContext.runAsNonRoot=true"
    return found(ID, _REASON, detail, faults)


def _on_the_host(facts: Facts) -> CheckResult | None:
    return None if facts.in_user_namespace else _every_container(facts)


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del result
    explicit, implicit = _saying_false(facts), _silent(facts)
    on_the_pod = facts.context.run_as_non_root is False or (implicit and not explicit)
    changes = [Change(on_pod(ID), value=True)] if on_the_pod else []
    own = explicit if on_the_pod else [spot for spot in facts.spots if spot in explicit or spot in implicit]
    changes += [Change(spot.set_at(ID), value=True) for spot in own]
    where = ("the Pod and on its containers" if own else "the Pod") if on_the_pod else "each container"
    return PssRemedy(
        f"Set runAsNonRoot to true on {where}; the image's user must be a number that is not 0.", tuple(changes)
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(0, _every_container), Revision(35, _on_the_host)), _cure)
