"""SecurityContextConstraints as the custom resource that they are in a cluster.

Specification: openshift/api security/v1, the definition securitycontextconstraints.security.openshift.io: its fields,
which of them may be null, its columns, and the default of `userNamespaceLevel`; its short name is that of
openshift-apiserver. What completes and refuses SCCs beyond
their schema are two admission plugins (`schema/scc`). Descriptions are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.schema.openshift.schemas import schema_of

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

GROUP, PLURAL, KIND = "security.openshift.io", "securitycontextconstraints", "SecurityContextConstraints"
NAME = f"{PLURAL}.{GROUP}"
_COLUMNS = (
    ("Priv", "allowPrivilegedContainer", "Determines if a container can request to be run as privileged"),
    ("Caps", "allowedCapabilities", "A list of capabilities that can be requested to add to the container"),
    ("SELinux", "seLinuxContext.type", "Strategy that will dictate what labels will be set in the SecurityContext"),
    ("RunAsUser", "runAsUser.type", "Strategy that will dictate what RunAsUser is used in the SecurityContext"),
    ("FSGroup", "fsGroup.type", "Strategy that will dictate what fs group is used by the SecurityContext"),
    (
        "SupGroup", "supplementalGroups.type",
        "Strategy that will dictate what supplemental groups are used by the SecurityContext",
    ),
    ("Priority", "priority", "Sort order of SCCs"),
    ("ReadOnlyRootFS", "readOnlyRootFilesystem", "Force containers to run with a read only root file system"),
    ("Volumes", "volumes", "White list of allowed volume plugins"),
)  # fmt: skip
_NEEDED = (
    "allowHostDirVolumePlugin", "allowHostIPC", "allowHostNetwork", "allowHostPID", "allowHostPorts",
    "allowPrivilegedContainer", "allowedCapabilities", "defaultAddCapabilities", "priority", "readOnlyRootFilesystem",
    "requiredDropCapabilities", "volumes",
)  # fmt: skip
_NULLABLE = frozenset(
    (
        "allowPrivilegeEscalation", "defaultAllowPrivilegeEscalation", "fsGroup", "priority", "runAsUser",
        "seLinuxContext", "supplementalGroups",
    )
)  # fmt: skip
_UNKNOWN = frozenset(("apiVersion", "kind", "metadata", "runAsGroup"))
"""What is every object's own; and a field that no admission looks at yet."""
_LEVELS: JsonObject = {
    "type": "string",
    "default": "AllowHostLevel",
    "enum": ["AllowHostLevel", "RequirePodLevel"],
}


def definition() -> JsonObject:
    """The CustomResourceDefinition."""
    columns: list[Json] = [
        {"name": name, "type": "string", "jsonPath": f".{where}", "description": says} for name, where, says in _COLUMNS
    ]
    version: JsonObject = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _schema()},
        "additionalPrinterColumns": columns,
    }
    names: JsonObject = {
        "kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": PLURAL, "shortNames": ["scc"],
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": NAME},
        "spec": {"group": GROUP, "names": names, "scope": "Cluster", "versions": [version]},
    }


def _schema() -> JsonObject:
    of = schema_of(KIND, without=_UNKNOWN)
    written = of["properties"]
    properties: JsonObject = {}
    for name, field in written.items() if isinstance(written, dict) else ():
        listed = isinstance(field, dict) and field.get("type") == "array"
        more: JsonObject = {"x-kubernetes-list-type": "atomic"} if listed else {}
        if listed or name in _NULLABLE:
            more["nullable"] = True
        properties[name] = {**field, **more} if isinstance(field, dict) else field
    properties["userNamespaceLevel"] = _LEVELS
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    return {"type": "object", "properties": properties, "required": [*_NEEDED]}
