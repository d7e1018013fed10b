"""Whether a rule of RBAC covers what somebody wants to do.

Specification: Kubernetes, RuleAllows of the RBAC authorizer and pkg/apis/rbac/v1/evaluation_helpers. `*` stands
for any verb, group, resource or URL. A subresource is asked for as `pods/log`; a rule's `*/log` covers that of any
resource, `pods` alone does not. No resourceNames mean any name; otherwise a request without a name is not covered.
A URL that ends in `*` covers all that begin with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podward.access.objects import PolicyRule
    from podward.api.authorization import Attributes

_ANY = "*"


def covers(rule: PolicyRule, wanted: Attributes) -> bool:
    """Whether the rule allows it."""
    if wanted.path:
        return _listed(wanted.verb, rule.verbs) and any(
            is_url(url, wanted.path) for url in rule.non_resource_urls or ()
        )
    if rule.resource_names and wanted.name not in rule.resource_names:
        return False
    return _listed(wanted.verb, rule.verbs) and _listed(wanted.group, rule.api_groups) and _is_resource(rule, wanted)


def _listed(word: str, known: tuple[str, ...] | None) -> bool:
    return known is not None and (word in known or _ANY in known)


def _is_resource(rule: PolicyRule, wanted: Attributes) -> bool:
    if not wanted.subresource:
        return _listed(wanted.resource, rule.resources)
    return _listed(f"{wanted.resource}/{wanted.subresource}", rule.resources) or f"*/{wanted.subresource}" in (
        rule.resources or ()
    )


def is_url(known: str, url: str) -> bool:
    """Whether a rule's word for paths means this path."""
    return known in {_ANY, url} or (known.endswith("*") and url.startswith(known.rstrip("*")))
