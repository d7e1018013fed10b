"""ClusterRoles collect the rules of those that their selectors choose."""

from __future__ import annotations

import pytest

from podward.access.aggregation import rules_by_role, selects
from podward.access.objects import AggregationRule, LabelSelector, PolicyRule, Requirement, Role, RoleObject
from podward.api.core import ObjectMeta


def role(name: str, *verbs: str, labels: dict[str, str] | None = None, collects: str = "") -> RoleObject:
    """A role with one rule for each verb, that collects the roles of a label if it says one."""
    rules = tuple(PolicyRule(verbs=(verb,), api_groups=("",), resources=("pods",)) for verb in verbs)
    selector = LabelSelector(match_labels={collects: "true"})
    aggregation = AggregationRule(cluster_role_selectors=(selector,)) if collects else None
    return RoleObject(Role(ObjectMeta(name=name, labels={**(labels or {})}), rules, aggregation))


def verbs(*roles: RoleObject) -> dict[str, list[str]]:
    found = rules_by_role({one.name: one for one in roles})
    return {name: ["".join(rule.policy.verbs or ()) for rule in rules] for name, rules in found.items()}


def test_rules_are_collected_by_name_and_each_once() -> None:
    assert verbs(
        role("all", collects="x"),
        role("b", "list", "get", labels={"x": "true"}),
        role("a", "get", labels={"x": "true"}),
        role("c", "delete", labels={"x": "false"}),
        role("d", "watch"),
    )["all"] == ["get", "list"]


def test_what_a_collecting_role_says_itself_is_overwritten() -> None:
    assert verbs(role("all", "delete", collects="x"))["all"] == []


def test_a_collected_role_may_collect() -> None:
    found = verbs(
        role("admin", collects="x"),
        role("edit", labels={"x": "true"}, collects="y"),
        role("view", "get", labels={"y": "true"}),
    )
    assert (found["admin"], found["edit"]) == (["get"], ["get"])


def test_roles_that_collect_each_other_come_to_rest() -> None:
    found = verbs(
        role("a", "get", labels={"x": "true"}, collects="y"),
        role("b", "list", labels={"y": "true"}, collects="x"),
        role("c", "watch", labels={"x": "true"}),
    )
    assert (found["a"], found["b"]) == (["watch"], ["watch"])


@pytest.mark.parametrize(
    ("requirement", "labels", "chosen"),
    [
        (Requirement("a", "In", ("1", "2")), {"a": "2"}, True),
        (Requirement("a", "In", ("1", "2")), {}, False),
        (Requirement("a", "NotIn", ("1",)), {"a": "1"}, False),
        (Requirement("a", "NotIn", ("1",)), {}, True),
        (Requirement("a", "Exists"), {"a": ""}, True),
        (Requirement("a", "Exists"), {"b": ""}, False),
        (Requirement("a", "DoesNotExist"), {"b": ""}, True),
        (Requirement("a", "DoesNotExist"), {"a": ""}, False),
    ],
)
def test_requirements_on_labels(requirement: Requirement, labels: dict[str, str | None], *, chosen: bool) -> None:
    assert selects(LabelSelector(match_expressions=(requirement,)), labels) is chosen
    both = LabelSelector(match_labels={"z": "1"}, match_expressions=(requirement,))
    assert not selects(both, labels)
    assert selects(both, {**labels, "z": "1"}) is chosen


def test_an_empty_selector_chooses_everything() -> None:
    assert selects(LabelSelector(), {})
