"""Whether rules cover other rules: what somebody may do, and what he wants to give away.

Specification: Kubernetes, k8s.io/component-helpers, auth/rbac/validation, and pkg/registry/rbac/validation for the
compact form. What is wanted is broken down into rules of one group, one resource, one verb and at most one name; each
of these must be covered by a single rule. A rule without names covers every name, never the other way about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.objects import PolicyRule
from podward.api.gotext import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ALL = "*"
_LARGEST = 100_000
"""So many small rules are looked at; a role that asks for more is not covered."""


def missing(owned: Sequence[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """The smallest rules of `wanted` that `owned` do not cover."""
    found: list[PolicyRule] = []
    for number, rule in enumerate(_broken_down(wanted)):
        if number >= _LARGEST:
            return [*found, rule]
        if not any(_covers(own, rule) for own in owned):
            found.append(rule)
    return found


def described(rules: Iterable[PolicyRule]) -> list[str]:
    """The rules in the words of messages, those that differ by verb in one, in alphabetical order."""
    verbs: dict[tuple[PolicyRule, ...], list[str]] = {}
    for rule in rules:
        bare = PolicyRule(None, rule.api_groups, rule.resources, rule.resource_names, rule.non_resource_urls)
        key = (rule,) if rule.non_resource_urls else (bare,)
        verbs.setdefault(key, []).extend(rule.verbs or ())
    return sorted({_described(key[0], listed) for key, listed in verbs.items()})


def _broken_down(rules: Iterable[PolicyRule]) -> Iterator[PolicyRule]:
    for rule in rules:
        names = [(name,) for name in rule.resource_names] if rule.resource_names else [None]
        for group in rule.api_groups or ():
            for resource in rule.resources or ():
                for verb in rule.verbs or ():
                    for name in names:
                        yield PolicyRule((verb,), (group,), (resource,), name)
        for url in rule.non_resource_urls or ():
            for verb in rule.verbs or ():
                yield PolicyRule((verb,), non_resource_urls=(url,))


def _covers(own: PolicyRule, small: PolicyRule) -> bool:
    (verb,) = small.verbs or ("",)
    if not _has(own.verbs, verb):
        return False
    if small.non_resource_urls:
        return any(_covers_url(url, small.non_resource_urls[0]) for url in own.non_resource_urls or ())
    (group,), (resource,) = small.api_groups or ("",), small.resources or ("",)
    names = own.resource_names or ()
    if names and (not small.resource_names or small.resource_names[0] not in names):
        return False
    return _has(own.api_groups, group) and _covers_resource(own.resources or (), resource)


def _has(known: tuple[str, ...] | None, word: str) -> bool:
    return known is not None and (_ALL in known or word in known)


def _covers_resource(known: tuple[str, ...], resource: str) -> bool:
    if _ALL in known or resource in known:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in known


def _covers_url(known: str, url: str) -> bool:
    return known == url or (known.endswith("*") and url.startswith(known.rstrip("*")))


def _described(rule: PolicyRule, verbs: Sequence[str]) -> str:
    parts = (
        ("APIGroups", rule.api_groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.non_resource_urls),
        ("ResourceNames", rule.resource_names),
        ("Verbs", verbs),
    )
    return "{" + ", ".join(f"{name}:{quoted(words)}" for name, words in parts if words) + "}"


def quoted(words: Iterable[str]) -> str:
    """A list of strings as Go's `%q` prints it."""
    return f"[{' '.join(map(quote, words))}]"
