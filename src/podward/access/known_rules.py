"""What an authorizer can list of what somebody may do: the answer to a SelfSubjectRulesReview.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/union RulesFor: the rules of all authorizers in turn;
incomplete if those of one of them are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.objects import PolicyRule

if TYPE_CHECKING:
    from collections.abc import Iterable


class KnownRules(Struct, frozen=True):
    """Rules, what could not be found out, and whether there may be more."""

    rules: tuple[PolicyRule, ...] = ()
    errors: tuple[str, ...] = ()
    incomplete: bool = False


NONE = KnownRules()
"""Of an authorizer that allows nothing."""
ALL = KnownRules(
    (
        PolicyRule(verbs=("*",), api_groups=("*",), resources=("*",)),
        PolicyRule(verbs=("*",), non_resource_urls=("*",)),
    )
)
"""Of one that allows everything."""


def together(each: Iterable[KnownRules]) -> KnownRules:
    """The rules of several authorizers."""
    found = tuple(each)
    return KnownRules(
        tuple(rule for one in found for rule in one.rules),
        tuple(error for one in found for error in one.errors),
        any(one.incomplete for one in found),
    )
