"""Which restart policy counts for a container that has ended: its own, or its Pod's.

Specification (Kubernetes, ContainerShouldRestart and FindMatchingContainerRestartRule of pkg/api/v1/pod, in our words):
a container with a `restartPolicy` of its own is asked for its `restartPolicyRules` first, in their order: the first one
that is about its exit code restarts it. If there is none its own policy counts. A container without a policy has its
Pod's, and no rules. `RestartAllContainers` restarts the container, and with it all others of the Pod.

Not done by `podward run`: there the others are left alone, and it says so.
"""

from __future__ import annotations

from podward.api.core import Container, RestartRule

ALWAYS = "Always"
ALL = "RestartAllContainers"
_ACTIONS = ("Restart", ALL)


def own_policy(container: Container, exit_code: int) -> str:
    """The policy that counts after an end with this code; empty where it is the Pod's."""
    own = container.restart_policy or ""
    rule = _matching(container, exit_code) if own else None
    return ALWAYS if rule is not None and rule.action in _ACTIONS else own


def restarts(policy: str, *, failed: bool) -> bool:
    """Whether a container of this policy is started again; none is as Always."""
    return policy not in {"Never", "OnFailure"} or (policy == "OnFailure" and failed)


def should_restart(container: Container, policy_of_pod: str | None, exit_code: int) -> bool:
    """Whether the container is started again after an end with this code."""
    policy = own_policy(container, exit_code) or policy_of_pod or ALWAYS
    return restarts(policy, failed=exit_code != 0)


def restarts_all(container: Container, exit_code: int) -> bool:
    """Whether the Pod's containers all begin anew after an end with this code."""
    rule = _matching(container, exit_code)
    return rule is not None and rule.action == ALL


def may_restart_all(container: Container) -> bool:
    """Whether the container has a rule by which the Pod's containers all begin anew."""
    return any(rule.action == ALL for rule in container.restart_policy_rules or ())


def _matching(container: Container, exit_code: int) -> RestartRule | None:
    for rule in container.restart_policy_rules or ():
        asked = rule.exit_codes
        if asked is None or asked.operator not in {"In", "NotIn"}:
            continue
        if (exit_code in (asked.values or ())) is (asked.operator == "In"):
            return rule
    return None


def not_done(container: Container) -> str:
    """What is said of a container with a rule that would restart all others with it; empty for any other one."""
    if not may_restart_all(container):
        return ""
    return "restartPolicyRules: RestartAllContainers restarts this container alone here"
