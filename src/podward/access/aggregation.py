"""ClusterRoles that collect the rules of others.

Specification: Kubernetes, pkg/controller/clusterroleaggregation. The rules of a ClusterRole with an
aggregationRule are those of the ClusterRoles that its selectors choose by their labels, itself left out: selector by
selector, by name, each rule once. What it says in `rules` itself is overwritten. A role that is chosen may collect
others in turn; what is here is where the controller comes to rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from podward.access.objects import LabelSelector, PolicyRule, Requirement, RoleObject


class Rule(Struct, frozen=True):
    """A rule, and where it stands: in which role, at which index of its `rules`."""

    policy: PolicyRule
    role: RoleObject
    index: int


def rules_by_role(roles: Mapping[str, RoleObject]) -> dict[str, tuple[Rule, ...]]:
    """Of each ClusterRole, by its name, the rules that it has in the end."""
    collecting = {name: _chosen(name, roles) for name, role in roles.items() if role.view.aggregation_rule is not None}
    found = {name: () if name in collecting else own_rules(role) for name, role in roles.items()}
    while True:
        after = {name: _collected(chosen, found) for name, chosen in collecting.items()}
        if all(len(after[name]) == len(found[name]) for name in after):  # rules are only ever added
            return found
        found |= after


def own_rules(role: RoleObject) -> tuple[Rule, ...]:
    """The rules that the role itself is written with."""
    return tuple(Rule(policy, role, index) for index, policy in enumerate(role.view.rules or ()))


def selects(selector: LabelSelector, labels: Mapping[str, str | None]) -> bool:
    """Whether an object with these labels is chosen."""
    wanted = selector.match_labels or {}
    if any(name not in labels or (labels[name] or "") != (value or "") for name, value in wanted.items()):
        return False
    return all(_meets(requirement, labels) for requirement in selector.match_expressions or ())


def _chosen(owner: str, roles: Mapping[str, RoleObject]) -> tuple[str, ...]:
    rule = roles[owner].view.aggregation_rule
    selectors = rule.cluster_role_selectors or () if rule is not None else ()
    return tuple(
        name
        for selector in selectors
        for name in sorted(roles)
        if name != owner and selects(selector, roles[name].view.metadata.labels or {})
    )


def _collected(chosen: tuple[str, ...], found: Mapping[str, tuple[Rule, ...]]) -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for name in chosen:
        for rule in found[name]:
            if all(rule.policy != other.policy for other in rules):
                rules.append(rule)
    return tuple(rules)


def _meets(requirement: Requirement, labels: Mapping[str, str | None]) -> bool:
    key = requirement.key or ""
    if requirement.operator == "Exists":
        return key in labels
    if requirement.operator == "DoesNotExist":
        return key not in labels
    listed = key in labels and (labels[key] or "") in (requirement.values or ())
    return listed if requirement.operator == "In" else not listed
