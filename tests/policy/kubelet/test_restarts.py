"""Which restart policy counts for a container that has ended."""

import pytest

from podward.api.core import Container, RestartExitCodes, RestartRule
from podward.policy.kubelet import restarts


def rule(operator: str, *codes: int, action: str = "Restart") -> RestartRule:
    return RestartRule(action, RestartExitCodes(operator, codes))


@pytest.mark.parametrize(
    ("own", "rules", "code", "counts"),
    [
        (None, (), 1, ""),
        ("Never", (), 1, "Never"),
        ("Never", (rule("In", 42),), 42, "Always"),
        ("Never", (rule("In", 42),), 1, "Never"),
        ("OnFailure", (rule("NotIn", 42),), 0, "Always"),
        ("OnFailure", (rule("NotIn", 42),), 42, "OnFailure"),
        ("Never", (rule("In", 1), rule("In", 42)), 42, "Always"),
        ("Never", (rule("In", 42, action="RestartAllContainers"),), 42, "Always"),
        ("Never", (RestartRule("Restart"),), 1, "Never"),
        (None, (rule("In", 42),), 42, ""),
    ],
)
def test_rules_go_before_the_containers_policy_and_that_before_the_pods(
    own: str | None, rules: tuple[RestartRule, ...], code: int, counts: str
) -> None:
    container = Container("c", restart_policy=own, restart_policy_rules=rules)
    assert restarts.own_policy(container, code) == counts


def test_what_is_not_done_is_said() -> None:
    every = Container("c", restart_policy_rules=(rule("In", 1, action="RestartAllContainers"),))
    assert "RestartAllContainers" in restarts.not_done(every)
    assert restarts.not_done(Container("c", restart_policy_rules=(rule("In", 1),))) == ""
