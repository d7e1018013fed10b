"""Projects: namespaces as those see them who are in them, and how somebody is given one.

Specification: openshift/openshift-apiserver, pkg/project: a project has the metadata, the finalizers and the status of
its namespace. Through it only the display name and the description may be changed. A new one has two letters at least.
Not every name may be requested; who requests one becomes its `admin`.

The finalizer `openshift.io/origin`, which new projects have there, is left out: nothing here would let them go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.names import NameRule
from podward.schema.validation.field import NOTHING, ROOT, Place, invalid

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

GROUP = "project.openshift.io"
DISPLAY_NAME, DESCRIPTION = "openshift.io/display-name", "openshift.io/description"
REQUESTER = "openshift.io/requester"
_FREE = frozenset((DISPLAY_NAME, DESCRIPTION))
_RESERVED = ("openshift", "kubernetes", "kube")
_FIXED = "field is immutable, try updating the namespace"
_META = Place(ROOT, "metadata")


def project_of(namespace: JsonObject) -> JsonObject:
    """The namespace as a project."""
    status = member(namespace, "status")
    shown: JsonObject = {name: status[name] for name in ("phase", "conditions") if status.get(name)}
    finalizers = member(namespace, "spec").get("finalizers")
    return {
        "kind": "Project",
        "apiVersion": f"{GROUP}/v1",
        "metadata": namespace.get("metadata"),
        "spec": {"finalizers": finalizers} if finalizers else {},
        "status": shown,
    }


def changed(namespace: JsonObject, project: JsonObject) -> JsonObject:
    """The namespace as somebody has changed its project."""
    return {**namespace, "metadata": project.get("metadata")}


def namespace_of(project: JsonObject) -> JsonObject:
    """The namespace that is made for a new project."""
    metadata: JsonObject = {
        name: value for name, value in member(project, "metadata").items() if name in {"name", "labels", "annotations"}
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def namespace_of_request(request: JsonObject, requester: str) -> JsonObject:
    """The namespace that is made for whoever asks for a project."""
    annotations: JsonObject = {
        DESCRIPTION: str(request.get("description") or ""),
        DISPLAY_NAME: str(request.get("displayName") or ""),
        REQUESTER: requester,
    }
    name = member(request, "metadata").get("name")
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "annotations": annotations}}


def admin_of(namespace: str, user: str) -> JsonObject:
    """The binding that makes a user the admin of a namespace."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "admin", "namespace": namespace},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }


def why_reserved(name: str) -> str:
    """Why nobody may ask for a project of this name; empty where they may."""
    for reserved in _RESERVED:
        if name == reserved:
            return f"cannot request a project with the name {quote(reserved)}"
    for reserved in _RESERVED:
        if name.startswith(f"{reserved}-"):
            return f"cannot request a project starting with {quote(f'{reserved}-')}"
    return ""


# --- what is refused --------------------------------------------------------------------------------------------------


def _name_faults(name: str) -> tuple[str, ...]:
    faults = tuple(names.segment_faults(name))
    if faults:
        return faults
    return tuple(names.LABEL.whole(name)) if len(name.encode()) > 1 else ("must be at least 2 characters long",)


_new_metadata = object_meta.new(NameRule(_name_faults, names.LABEL.beginning), namespaced=False)


def refused_new(obj: JsonObject) -> Decision:
    """What is wrong with a project, or with a request of one."""
    shown = member(member(obj, "metadata"), "annotations").get(DISPLAY_NAME)
    odd = NOTHING
    if isinstance(shown, str) and ("\n" in shown or "\t" in shown):
        odd = invalid(_META / "annotations" / Key(DISPLAY_NAME), shown, "may not contain a new line or tab")
    return merge(_new_metadata(obj), odd)


def refused_change(obj: JsonObject, old: JsonObject) -> Decision:
    """What is wrong with a changed project."""
    found = [object_meta.changed(obj, old), refused_new(obj)]
    found += _differences(obj, old, "annotations", _FREE)
    found += _differences(obj, old, "labels", frozenset())
    return merge(*found)


def _differences(obj: JsonObject, old: JsonObject, name: str, free: frozenset[str]) -> Iterator[Decision]:
    now, before = member(member(obj, "metadata"), name), member(member(old, "metadata"), name)
    for key in (*now, *(key for key in before if key not in now)):
        if key not in free and now.get(key) != before.get(key):
            value: Json = now[key] if key in now else before[key]
            yield invalid(_META / name / Key(key), str(value), _FIXED)
