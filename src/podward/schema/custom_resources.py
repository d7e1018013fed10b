"""The resources that a CustomResourceDefinition defines, one for each version that is served.

Specification: k8s.io/apiextensions-apiserver pkg/apiserver customresource_discovery_controller.go and
customresource_handler.go: nothing is served before the definition is established; names are the accepted ones. While
the definition is being deleted nothing new is taken. Versions are in the order of `version_rank`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.api.resource import GroupVersion, Resource, Subresource
from podward.documents.raw_fields import member, objects
from podward.schema.openapi.custom import CustomResource

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_LAST_VERBS = ("delete", "deletecollection", "get", "list", "watch")
_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_STAGES = {None: 0, "beta": 1, "alpha": 2}


def served_by(definition: JsonObject) -> tuple[CustomResource, ...]:
    """What a definition has the server serve, the preferred version first; nothing before it is established."""
    if not has_condition(definition, "Established"):
        return ()
    spec, names = member(definition, "spec"), member(member(definition, "status"), "acceptedNames")
    group, kind = str(spec.get("group")), str(names.get("kind"))
    versions = objects(spec, "versions")
    stored = next((str(version.get("name")) for version in versions if version.get("storage")), "")
    verbs = _LAST_VERBS if has_condition(definition, "Terminating") else _VERBS
    found: list[CustomResource] = []
    for version in sorted(versions, key=lambda each: version_rank(str(each.get("name")))):
        if version.get("served") is not True:
            continue
        name = str(version.get("name"))
        resource = Resource(
            group,
            name,
            kind,
            str(names.get("plural")),
            str(names.get("singular") or ""),
            spec.get("scope") == "Namespaced",
            str(names.get("listKind") or f"{kind}List"),
            GroupVersion(group, stored),
            _texts(names, "shortNames"),
            _texts(names, "categories"),
            verbs,
            _subresources(version, group, name, kind),
            _deprecation(version, f"{group}/{name} {kind}"),
        )
        schema = member(version, "schema").get("openAPIV3Schema")
        found.append(CustomResource(resource, schema if isinstance(schema, dict) else None))
    return tuple(found)


def has_condition(definition: JsonObject, kind: str) -> bool:
    """Whether a definition's condition of this type is true."""
    conditions = objects(member(definition, "status"), "conditions")
    return any(each.get("type") == kind and each.get("status") == "True" for each in conditions)


def version_rank(version: str) -> tuple[int, int, int, str]:
    """By what versions are ordered: stable ones first, then beta, alpha and all others; new ones before old ones."""
    found = _VERSION.fullmatch(version)
    if found is None:
        return (3, 0, 0, version)
    major, stage, minor = found.groups()
    return (_STAGES[stage], -int(major), -int(minor or 0), "")


def _subresources(version: JsonObject, group: str, name: str, kind: str) -> tuple[Subresource, ...]:
    parts, found = member(version, "subresources"), list[Subresource]()
    if parts.get("status") is not None:
        found.append(Subresource("status", kind, group, name))
    if parts.get("scale") is not None:
        found.append(Subresource("scale", "Scale", "autoscaling", "v1"))
    return tuple(found)


def _deprecation(version: JsonObject, what: str) -> str:
    if version.get("deprecated") is not True:
        return ""
    return str(version.get("deprecationWarning") or f"{what} is deprecated")


def _texts(holder: JsonObject, name: str) -> tuple[str, ...]:
    listed = holder.get(name)
    return tuple([text for text in listed if isinstance(text, str)]) if isinstance(listed, list) else ()
