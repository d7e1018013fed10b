"""An SCC as OpenShift writes it out once it has read it into its own type.

Specification: encoding/json on github.com/openshift/api security/v1 SecurityContextConstraints and meta/v1 ObjectMeta.
Defaulting reads an SCC into that type and writes it out again: fields that the type does not have are gone, fields
with `omitempty` are gone where they are zero, the others are there, null in a list is the zero of its type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.schema.table import TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_ZERO: dict[str, Json] = {"s": "", "b": False, "i": 0, "l": 0}
_WRITTEN_IF_SET = frozenset(
    (
        "ObjectMeta.deletionGracePeriodSeconds", "OwnerReference.blockOwnerDeletion", "OwnerReference.controller",
        "SecurityContextConstraints.allowPrivilegeEscalation",
        "SecurityContextConstraints.defaultAllowPrivilegeEscalation", "SELinuxContextStrategyOptions.seLinuxOptions",
        "RunAsUserStrategyOptions.uid", "RunAsUserStrategyOptions.uidRangeMin", "RunAsUserStrategyOptions.uidRangeMax",
        "RunAsGroupStrategyOptions.gid", "SecurityContextConstraints.runAsGroup", "ManagedFieldsEntry.fieldsV1",
    )
)  # fmt: skip
"""Pointers with `omitempty`: null is left out, a zero is not."""
_ALWAYS_WRITTEN = frozenset(
    (
        "AllowedFlexVolume.driver", "OwnerReference.apiVersion", "OwnerReference.kind", "OwnerReference.name",
        "OwnerReference.uid", "SecurityContextConstraints.allowHostDirVolumePlugin",
        "SecurityContextConstraints.allowHostIPC", "SecurityContextConstraints.allowHostNetwork",
        "SecurityContextConstraints.allowHostPID", "SecurityContextConstraints.allowHostPorts",
        "SecurityContextConstraints.allowPrivilegedContainer", "SecurityContextConstraints.allowedCapabilities",
        "SecurityContextConstraints.defaultAddCapabilities", "SecurityContextConstraints.fsGroup",
        "SecurityContextConstraints.groups", "SecurityContextConstraints.metadata",
        "SecurityContextConstraints.priority", "SecurityContextConstraints.readOnlyRootFilesystem",
        "SecurityContextConstraints.requiredDropCapabilities", "SecurityContextConstraints.runAsUser",
        "SecurityContextConstraints.seLinuxContext", "SecurityContextConstraints.supplementalGroups",
        "SecurityContextConstraints.users", "SecurityContextConstraints.volumes",
    )
)  # fmt: skip
"""No `omitempty`, or an object that is no pointer."""


def encoded(raw: JsonObject) -> JsonObject:
    """The SCC `raw` as OpenShift writes it; its fields must have the right types."""
    return _object(raw, "SecurityContextConstraints")


def _object(raw: JsonObject, owner: str) -> JsonObject:
    written: JsonObject = {}
    for name, code in TYPES[owner].items():
        place, value = f"{owner}.{name}", raw.get(name)
        if place in _WRITTEN_IF_SET:
            if value is not None:
                written[name] = _value(value, code)
        elif place in _ALWAYS_WRITTEN:
            written[name] = None if place.endswith(".priority") and value is None else _value(value, code)
        elif value is not None and value not in ("", [], {}) and value is not False and value != 0:
            written[name] = _value(value, code)
    return written


def _value(value: Json, code: str) -> Json:
    if code[0] == "[":
        return [_value(item, code[1:]) for item in value] if isinstance(value, list) else None
    if code[0] == "{":
        items = value.items() if isinstance(value, dict) else ()
        return {name: _value(item, code[1:]) for name, item in items}
    if code in TYPES:
        return _object(value if isinstance(value, dict) else {}, code)
    return _ZERO.get(code) if value is None else value
