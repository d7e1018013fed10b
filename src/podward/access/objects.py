"""RBAC's objects: rbac.authorization.k8s.io/v1 of Kubernetes as typed views, and each with where it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.api.core import ObjectMeta
from podward.api.structure import View
from podward.decision import Origin, Source

if TYPE_CHECKING:
    from podward.path import Path
    from podward.schema.objects import Item

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


class RbacObject(Struct, frozen=True):
    """What all four kinds have in common: `namespace` is empty for the cluster's own kinds.

    `item` is the object in its file; None for one that no file has, such as a server's.
    """

    view: Role | Binding
    namespace: str = ""
    item: Item | None = None

    @property
    def kind(self) -> str:
        """The object's kind: the cluster's own where it is in no namespace."""
        kind = "Role" if isinstance(self.view, Role) else "RoleBinding"
        return kind if self.namespace else f"Cluster{kind}"

    @property
    def name(self) -> str:
        """The object's name."""
        return self.view.metadata.name or ""

    def source(self, place: Path) -> Source:
        """A field of the object as what decided: its line where a file has one, otherwise the object itself."""
        item = self.item
        if item is None:
            name = f"{self.namespace}/{self.name}" if self.namespace else self.name
            return Source(Origin.POLICY, f"{self.kind} {name}", place)
        line = item.document.line_of(item.at + place)
        if line is None:
            return Source(Origin.POLICY, f"{item.document.name}, {item.kind} {item.name}")
        return Source(Origin.POLICY, item.document.name, item.at + place, line)


class RoleObject(RbacObject, frozen=True):
    """A Role or a ClusterRole."""

    view: Role


class BindingObject(RbacObject, frozen=True):
    """A RoleBinding or a ClusterRoleBinding."""

    view: Binding
