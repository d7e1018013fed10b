"""The default roles and bindings as an API server stores them.

Specification: Kubernetes, plugin/pkg/auth/authorizer/rbac/bootstrappolicy: each has the label and the annotation of a
default one, by which a later start finds it and completes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.default_roles import cluster, controllers, namespaced
from podward.access.default_roles.table import roles_of
from podward.access.objects import GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json, JsonObject

AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_CONTROLLER = "system:controller:"
_SYSTEM = "kube-system"


def default_objects() -> list[JsonObject]:
    """ClusterRoles, ClusterRoleBindings, Roles and RoleBindings, in the order in which a server makes them."""
    return [*_cluster_roles(), *_cluster_bindings(), *_roles(), *_bindings()]


def _cluster_roles() -> Iterator[JsonObject]:
    for table in (cluster.TABLE, controllers.TABLE):
        for name, labels, fields in roles_of(table):
            yield _object("ClusterRole", name, "", fields, labels)


def _cluster_bindings() -> Iterator[JsonObject]:
    for name, subjects in namespaced.CLUSTER_BINDINGS.items():
        yield _binding("ClusterRole", name, name, "", subjects)
    for name, _, _ in roles_of(controllers.TABLE):
        yield _binding("ClusterRole", name, name, "", f"ServiceAccount {name.removeprefix(_CONTROLLER)}")


def _roles() -> Iterator[JsonObject]:
    for namespace, table in namespaced.ROLES.items():
        for name, labels, fields in roles_of(table):
            yield _object("Role", name, namespace, fields, labels)


def _bindings() -> Iterator[JsonObject]:
    for namespace, bindings in namespaced.BINDINGS.items():
        for name, subjects in bindings.items():
            yield _binding("Role", namespaced.ROLE_OF_BINDING.get(name, name), name, namespace, subjects)


def _object(kind: str, name: str, namespace: str, fields: JsonObject, labels: dict[str, Json]) -> JsonObject:
    metadata: JsonObject = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"kubernetes.io/bootstrapping": "rbac-defaults", **labels}
    metadata["annotations"] = {AUTO_UPDATE: "true"}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, **fields}


def _binding(role_kind: str, role: str, name: str, namespace: str, subjects: str) -> JsonObject:
    fields: JsonObject = {"subjects": [_subject(subject) for subject in subjects.split(", ")]} if subjects else {}
    fields["roleRef"] = {"apiGroup": GROUP, "kind": role_kind, "name": role}
    return _object(f"{role_kind}Binding", name, namespace, fields, {})


def _subject(written: str) -> JsonObject:
    kind, name = written.split(" ")
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": _SYSTEM}
    return {"kind": kind, "apiGroup": GROUP, "name": name}
