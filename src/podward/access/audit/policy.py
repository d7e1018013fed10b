"""An audit policy: how much the audit log tells of a request.

Specification: Kubernetes, k8s.io/apiserver, pkg/audit/policy and pkg/apis/audit/v1 Policy. The first rule that matches
decides; what no rule matches is not told at all. A rule matches where each of its lists does; an empty list matches
everything. A rule with namespaces or resources is for resources alone, one with nonResourceURLs for other paths alone.
A stage is left out if the policy or the rule leaves it out.
"""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from podward.access.matching import is_url
from podward.api.authorization import Attributes

_ANY = "*"


class Level(IntEnum):
    """How much is told."""

    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3


LEVELS = {
    "None": Level.NONE,
    "Metadata": Level.METADATA,
    "Request": Level.REQUEST,
    "RequestResponse": Level.REQUEST_RESPONSE,
}
"""The levels by the names that they have in policies and events."""
RECEIVED, STARTED, COMPLETE, PANIC = "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"
STAGES = (RECEIVED, STARTED, COMPLETE, PANIC)
"""When an event is told."""


class GroupResources(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Resources of a group. `pods` are Pods, `pods/log` their logs, `pods/*` both, `*/scale` all scales, `*` all."""

    group: str | None = ""
    resources: tuple[str, ...] | None = ()
    resource_names: tuple[str, ...] | None = ()


class Rule(Struct, frozen=True):
    """One rule, in the form that a file has, but for what it leaves out: that is empty."""

    level: Level
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    resources: tuple[GroupResources, ...] = ()
    namespaces: frozenset[str] = frozenset()
    urls: tuple[str, ...] = ()
    omitted: frozenset[str] = frozenset()
    omits_managed_fields: bool = False


class Told(Struct, frozen=True):
    """How much is told of a request: at which level, at which stages not, and whether without managedFields."""

    level: Level = Level.NONE
    omitted: frozenset[str] = frozenset()
    omits_managed_fields: bool = False


class Policy(Struct, frozen=True):
    """The rules in their order; those of a file have its `omitStages` and `omitManagedFields` in them."""

    rules: tuple[Rule, ...]

    def told(self, wanted: Attributes) -> Told:
        """How much is told of this request."""
        for rule in self.rules:
            if _matches(rule, wanted):
                return Told(rule.level, rule.omitted, rule.omits_managed_fields)
        return _NOTHING


_NOTHING = Told()


def _matches(rule: Rule, wanted: Attributes) -> bool:
    if rule.users and wanted.user.username not in rule.users:
        return False
    if rule.groups and rule.groups.isdisjoint(wanted.user.groups):
        return False
    if rule.verbs and wanted.verb not in rule.verbs:
        return False
    if rule.namespaces or rule.resources:
        return not wanted.path and _is_resource(rule, wanted)
    if rule.urls:
        return bool(wanted.path) and any(is_url(url, wanted.path) for url in rule.urls)
    return True


def _is_resource(rule: Rule, wanted: Attributes) -> bool:
    if rule.namespaces and wanted.namespace not in rule.namespaces:
        return False
    return not rule.resources or any(_has(each, wanted) for each in rule.resources)


def _has(group: GroupResources, wanted: Attributes) -> bool:
    if (group.group or "") not in {wanted.group, _ANY}:
        return False
    if not group.resources:
        return True
    if group.resource_names and wanted.name not in group.resource_names:
        return False
    return any(_is_named(known, wanted) for known in group.resources)


def _is_named(known: str, wanted: Attributes) -> bool:
    """Whether a rule's word for a resource means the wanted one; that of a subresource has its name behind a slash."""
    whole = f"{wanted.resource}/{wanted.subresource}" if wanted.subresource else wanted.resource
    if known in {whole, _ANY}:
        return True
    if wanted.subresource and known == f"*/{wanted.subresource}":
        return True
    return known.endswith("/*") and known[:-2] == wanted.resource
