"""RBAC's objects as typed views: rbac.authorization.k8s.io/v1 of Kubernetes."""

from __future__ import annotations

from msgspec import field

from podward.api.core import ObjectMeta
from podward.api.structure import View

GROUP = "rbac.authorization.k8s.io"
ROLE_KINDS = ("Role", "ClusterRole")
BINDING_KINDS = ("RoleBinding", "ClusterRoleBinding")
KINDS = (*ROLE_KINDS, *BINDING_KINDS)


class PolicyRule(View, frozen=True):
    """rbac/v1 PolicyRule: verbs on resources, or on URLs that are no resources."""

    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    resource_names: tuple[str, ...] | None = None
    non_resource_urls: tuple[str, ...] | None = field(default=None, name="nonResourceURLs")


class Requirement(View, frozen=True):
    """meta/v1 LabelSelectorRequirement."""

    key: str | None = None
    operator: str | None = None
    values: tuple[str, ...] | None = None


class LabelSelector(View, frozen=True):
    """meta/v1 LabelSelector; an empty one selects everything."""

    match_labels: dict[str, str | None] | None = None
    match_expressions: tuple[Requirement, ...] | None = None


class AggregationRule(View, frozen=True):
    """rbac/v1 AggregationRule: whose rules a ClusterRole collects."""

    cluster_role_selectors: tuple[LabelSelector, ...] | None = None


class Role(View, frozen=True):
    """rbac/v1 Role and ClusterRole; only the latter has an aggregationRule."""

    metadata: ObjectMeta = ObjectMeta()
    rules: tuple[PolicyRule, ...] | None = None
    aggregation_rule: AggregationRule | None = None


class RoleRef(View, frozen=True):
    """rbac/v1 RoleRef."""

    api_group: str | None = None
    kind: str | None = None
    name: str | None = None


class Subject(View, frozen=True):
    """rbac/v1 Subject: a User, a Group or a ServiceAccount."""

    kind: str | None = None
    api_group: str | None = None
    name: str | None = None
    namespace: str | None = None


class Binding(View, frozen=True):
    """rbac/v1 RoleBinding and ClusterRoleBinding."""

    metadata: ObjectMeta = ObjectMeta()
    subjects: tuple[Subject, ...] | None = None
    role_ref: RoleRef = RoleRef()
