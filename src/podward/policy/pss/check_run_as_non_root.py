"""runAsNonRoot: containers must not be able to run as root.

Specification (k8s.io/pod-security-admission, in our words), level restricted:

- since 1.0: the Pod's runAsNonRoot is not false; each container's is true or, if it is unset, the Pod's is true
- since 1.35: a Pod with hostUsers false passes

A Pod with runAsNonRoot false fails even if every container sets true. If anybody sets false, the detail names only
them, and not the containers that set nothing. Our violations list both.
"""

from __future__ import annotations

from podward.api.explanation import Change
from podward.policy.pss.check import (
    Check,
    CheckResult,
    ContainerRef,
    FieldViolation,
    PssFacts,
    PssRemedy,
    Revision,
    failed,
    pod_context_path,
)
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import container_list, container_title, setter_list

ID = "runAsNonRoot"
_REASON = "runAsNonRoot != true"


def _setting_false(facts: PssFacts) -> list[ContainerRef]:
    return [container for container in facts.containers if container.context.run_as_non_root is False]


def _setting_nothing(facts: PssFacts) -> list[ContainerRef]:
    """The containers without runAsNonRoot, if the Pod does not set it to true either."""
    if facts.context.run_as_non_root:
        return []
    return [container for container in facts.containers if container.context.run_as_non_root is None]


def _every_container(facts: PssFacts) -> CheckResult | None:
    pod_false = facts.context.run_as_non_root is False
    explicit, implicit = _setting_false(facts), _setting_nothing(facts)
    if not (pod_false or explicit or implicit):
        return None
    violations: list[FieldViolation] = []
    if pod_false:
        violations.append(
            (pod_context_path(ID), False, "The Pod lets its containers run as root: runAsNonRoot is false.")
        )
    violations += [
        (container.context_path(ID), False, f"{container_title(container)} may run as root: runAsNonRoot is false.")
        for container in explicit
    ]
    if implicit and not pod_false:
        verb = "says" if len(implicit) == 1 else "say"
        violations.append(
            (pod_context_path(ID), None, f"Neither the Pod nor {container_list(implicit)} {verb} runAsNonRoot.")
        )
    if pod_false or explicit:
        detail = f"{setter_list(explicit, pod=pod_false)} must not set securityContext.runAsNonRoot=false"
    else:
        detail = f"pod or {container_list(implicit)} must set securityContext.runAsNonRoot=true"
    return failed(ID, _REASON, detail, violations)


def _without_user_namespace(facts: PssFacts) -> CheckResult | None:
    return None if facts.in_user_namespace else _every_container(facts)


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del result
    explicit, implicit = _setting_false(facts), _setting_nothing(facts)
    set_on_pod = facts.context.run_as_non_root is False or (implicit and not explicit)
    changes = [Change(pod_context_path(ID), value=True)] if set_on_pod else []
    wrong = {id(container) for container in (*explicit, *implicit)}
    failing = [container for container in facts.containers if id(container) in wrong]
    own = explicit if set_on_pod else failing
    changes += [Change(container.context_path(ID), value=True) for container in own]
    where = ("the Pod and on its containers" if own else "the Pod") if set_on_pod else "each container"
    return PssRemedy(
        f"Set runAsNonRoot to true on {where}; the image's user must be a number that is not 0.", tuple(changes)
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(0, _every_container), Revision(35, _without_user_namespace)), _remedy)
