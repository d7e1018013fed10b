"""What the API server refuses in RBAC's objects.

Specification: Kubernetes, pkg/apis/rbac/validation, after defaulting: a roleRef without apiGroup means RBAC's, and
so does a User or a Group without one. Names may be any segment of a URL's path. Whether who writes it holds the rights
that are given is not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.objects import GROUP, Binding, PolicyRule, Requirement, Role, RoleRef, Subject
from podward.decision import Decision, merge
from podward.path import Path, path
from podward.schema.scc.metadata import key_faults
from podward.schema.validation.field import forbidden, invalid, invalid_object, required, unsupported
from podward.schema.validation.internal import go_json
from podward.schema.validation.names import subdomain

if TYPE_CHECKING:
    from podward.api.core import ObjectMeta

_SUBJECT_KINDS = ("ServiceAccount", "User", "Group")


def of_role(role: Role, *, namespaced: bool) -> Decision:
    """What is refused in a Role (`namespaced`) or a ClusterRole."""
    rules = [_rule(rule, path("rules", index), namespaced=namespaced) for index, rule in enumerate(role.rules or ())]
    selectors = role.aggregation_rule.cluster_role_selectors or () if role.aggregation_rule else ()
    at = path("aggregationRule", "clusterRoleSelectors")
    if role.aggregation_rule is not None and not selectors:
        rules.append(required(at, "at least one clusterRoleSelector required if aggregationRule is non-nil"))
    requirements = [
        _requirement(requirement, at / index / "matchExpressions" / place)
        for index, selector in enumerate(selectors)
        for place, requirement in enumerate(selector.match_expressions or ())
    ]
    return merge(_name(role.metadata), *rules, *requirements)


def of_binding(binding: Binding, *, namespaced: bool) -> Decision:
    """What is refused in a RoleBinding (`namespaced`) or a ClusterRoleBinding."""
    subjects = [
        _subject(subject, path("subjects", index), namespaced=namespaced)
        for index, subject in enumerate(binding.subjects or ())
    ]
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    return merge(_name(binding.metadata), _role_ref(binding.role_ref, kinds, path("roleRef")), *subjects)


def _name(metadata: ObjectMeta) -> Decision:
    at = path("metadata", "name")
    return _segment(metadata.name, at) if metadata.name else required(at, "name or generateName is required")


def _segment(name: str, at: Path) -> Decision:
    if name in {".", ".."}:
        return invalid(at, name, f"may not be '{name}'")
    return merge(*(invalid(at, name, f"may not contain '{char}'") for char in "/%" if char in name))


def _rule(rule: PolicyRule, at: Path, *, namespaced: bool) -> Decision:
    found = [] if rule.verbs else [required(at / "verbs", "verbs must contain at least one value")]
    if rule.non_resource_urls:
        urls, place = rule.non_resource_urls, at / "nonResourceURLs"
        details = ["namespaced rules cannot apply to non-resource URLs"] if namespaced else []
        if rule.api_groups or rule.resources or rule.resource_names:
            details.append("rules cannot apply to both regular resources and non-resource URLs")
        return merge(*found, *(invalid_object(place, urls, go_json(list(urls)), detail) for detail in details))
    if not rule.api_groups:
        found.append(required(at / "apiGroups", "resource rules must supply at least one api group"))
    if not rule.resources:
        found.append(required(at / "resources", "resource rules must supply at least one resource"))
    return merge(*found)


def _requirement(requirement: Requirement, at: Path) -> Decision:
    operator, values = requirement.operator or "", requirement.values or ()
    found = Decision()
    if operator in {"In", "NotIn"}:
        if not values:
            found += required(at / "values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            found += forbidden(at / "values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    else:
        found += invalid(at / "operator", operator, "not a valid selector operator")
    return merge(
        found, *(invalid(at / "key", requirement.key or "", fault) for fault in key_faults(requirement.key or ""))
    )


def _role_ref(reference: RoleRef, kinds: tuple[str, ...], at: Path) -> Decision:
    found = Decision()
    if reference.api_group and reference.api_group != GROUP:
        found += unsupported(at / "apiGroup", reference.api_group, (GROUP,))
    if reference.kind not in kinds:
        found += unsupported(at / "kind", reference.kind or "", kinds)
    return found + (_segment(reference.name, at / "name") if reference.name else required(at / "name"))


def _subject(subject: Subject, at: Path, *, namespaced: bool) -> Decision:
    name, group = subject.name or "", subject.api_group or ""
    found = Decision() if name else required(at / "name")
    if subject.kind == "ServiceAccount":
        if name:
            found += subdomain(name, at / "name")
        if group:
            found += unsupported(at / "apiGroup", group, ("",))
        if not namespaced and not subject.namespace:
            found += required(at / "namespace")
    elif subject.kind in {"User", "Group"}:
        if not name:
            found += invalid(at / "name", name, f"{subject.kind.lower()} name cannot be empty")
        if group and group != GROUP:
            found += unsupported(at / "apiGroup", group, (GROUP,))
    else:
        found += unsupported(at / "kind", subject.kind or "", _SUBJECT_KINDS)
    return found
