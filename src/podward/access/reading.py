"""RBAC's objects from documents, strictly: what the API server would store, or an error that says where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access import validation
from podward.access.aggregation import RoleObject
from podward.access.objects import KINDS, ROLE_KINDS, Binding, Role
from podward.errors import InputError
from podward.schema.view import typed_view
from podward.schema.workload import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from podward.decision import Decision
    from podward.schema.objects import Item


class BindingObject(Struct, frozen=True):
    """A RoleBinding or a ClusterRoleBinding and where it is written."""

    item: Item
    view: Binding

    @property
    def namespace(self) -> str:
        """The RoleBinding's namespace; empty for a ClusterRoleBinding."""
        return namespace_of(self.item)


def namespace_of(item: Item) -> str:
    """The namespace of a Role or RoleBinding, `default` where it says none; empty for the cluster's own kinds."""
    return "" if item.kind.startswith("Cluster") else item.namespace or DEFAULT_NAMESPACE


def is_rbac(item: Item) -> bool:
    """Whether `read` takes this kind."""
    return item.kind in KINDS


def read(item: Item) -> RoleObject | BindingObject:
    """The role or binding that `item` is; `podward.schema.strict` must have found nothing in its document.

    Raises InputError, naming every field with its line, for what the API server would not store.
    """
    namespaced = not item.kind.startswith("Cluster")
    if item.kind in ROLE_KINDS:
        role = typed_view(item.raw, Role, item.kind)
        _require(item, validation.of_role(role, namespaced=namespaced))
        return RoleObject(item, role)
    binding = typed_view(item.raw, Binding, item.kind)
    _require(item, validation.of_binding(binding, namespaced=namespaced))
    return BindingObject(item, binding)


def _require(item: Item, decision: Decision) -> None:
    violations = decision.violations
    if not violations:
        return
    what = f'{item.kind} "{item.name}" is invalid'
    if len(violations) == 1:
        what += f": {violations[0].path}: {violations[0].reason}"
    else:
        what += "".join(f"\n  {item.where(v.path)}: {v.path}: {v.reason}" for v in violations)
    raise InputError(what, where=item.where(violations[0].path))
