"""RBAC's objects: from documents, strictly, or an error that says where; and from a server's store, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access import validation
from podward.access.objects import ROLE_KINDS, Binding, BindingObject, Role, RoleObject
from podward.errors import InputError
from podward.schema.view import typed_view
from podward.schema.workload import DEFAULT_NAMESPACE

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.decision import Decision
    from podward.schema.objects import Item


def read(item: Item) -> RoleObject | BindingObject:
    """The role or binding that `item` is; `podward.schema.strict` must have found nothing in its document.

    Raises InputError, naming every field with its line, for what the API server would not store.
    """
    namespace = _namespace(item.kind, item.namespace)
    if item.kind in ROLE_KINDS:
        role = typed_view(item.raw, Role, item.kind)
        _require(item, validation.of_role(role, namespaced=bool(namespace)))
        return RoleObject(role, namespace, item)
    binding = typed_view(item.raw, Binding, item.kind)
    _require(item, validation.of_binding(binding, namespaced=bool(namespace)))
    return BindingObject(binding, namespace, item)


def stored(kind: str, raw: JsonObject) -> RoleObject | BindingObject:
    """The role or binding that an API server has stored as `raw`: it is valid, and in no file."""
    if kind in ROLE_KINDS:
        role = typed_view(raw, Role, kind)
        return RoleObject(role, _namespace(kind, role.metadata.namespace))
    binding = typed_view(raw, Binding, kind)
    return BindingObject(binding, _namespace(kind, binding.metadata.namespace))


def _namespace(kind: str, written: str | None) -> str:
    """The namespace of a Role or RoleBinding, `default` where it says none; empty for the cluster's own kinds."""
    return "" if kind.startswith("Cluster") else written or DEFAULT_NAMESPACE


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
