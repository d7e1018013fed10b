"""The claim that an ephemeral volume makes.

Specification: Kubernetes, validateEphemeralVolumeSource, ValidatePersistentVolumeClaimTemplate,
ValidatePersistentVolumeClaimSpec, validateDataSource, validateDataSourceRef. The template's metadata has labels and
annotations only. Where the claim's data comes from may stand in two fields, which must then agree.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key, Path
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import each, forbidden, invalid, invalid_value, required, unsupported
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import pointer, strings, text, texts

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_NOT_OF_TEMPLATES = {
    "name": "name", "generateName": "generateName", "namespace": "namespace", "selfLink": "selfLink", "uid": "uID",
    "resourceVersion": "resourceVersion", "generation": "generation", "creationTimestamp": "creationTimestamp",
    "deletionTimestamp": "deletionTimestamp", "deletionGracePeriodSeconds": "deletionGracePeriodSeconds",
    "ownerReferences": "ownerReferences", "finalizers": "finalizers", "managedFields": "managedFields",
}  # fmt: skip
"""Fields, and how the server prints them."""
_POINTERS = frozenset(("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"))


def check(source: JsonObject, at: Path) -> Decision:
    """A volume's `ephemeral`."""
    if source.get("volumeClaimTemplate") is None:
        return required(at / "volumeClaimTemplate")
    template, place = member(source, "volumeClaimTemplate"), at / "volumeClaimTemplate"
    return _metadata(member(template, "metadata"), place / "metadata") + _spec(member(template, "spec"), place / "spec")


def _metadata(raw: JsonObject, at: Path) -> Decision:
    found = metadata.annotations_check(strings(raw, "annotations"), at / "annotations")
    found += labels.check(raw, "labels", at)
    wrong = [printed for name, printed in _NOT_OF_TEMPLATES.items() if _is_set(raw, name)]
    return found + merge(*(forbidden(at / name, "cannot be set") for name in wrong))


def _is_set(raw: JsonObject, name: str) -> bool:
    unset = (None, "") if name in _POINTERS else (None, "", 0)
    return raw.get(name) not in unset


def _spec(raw: JsonObject, at: Path) -> Decision:
    modes = texts(raw, "accessModes")
    found = [Decision() if modes else required(at / "accessModes", "at least 1 access mode is required")]
    if raw.get("selector") is not None:
        found.append(labels.selector(member(raw, "selector"), at / "selector"))
    found += [unsupported(at / "accessModes", mode, _MODES) for mode in modes if mode not in _MODES]
    if "ReadWriteOncePod" in modes and any(mode in _MODES and mode != "ReadWriteOncePod" for mode in modes):
        detail = "may not use ReadWriteOncePod with other access modes"
        found.append(forbidden(at / "accessModes", detail))
    found.append(_storage(raw, at / "resources" / Key("storage")))
    found.append(_class(raw, "storageClassName", at))
    mode = pointer(raw, "volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        found.append(unsupported(at / "volumeMode", mode, _VOLUME_MODES))
    found.append(_sources(raw, at))
    return merge(*found, _class(raw, "volumeAttributesClassName", at))


def _sources(raw: JsonObject, at: Path) -> Decision:
    """Where the data come from: the old field and the new one."""
    old, new = raw.get("dataSource"), raw.get("dataSourceRef")
    found: list[Decision] = []
    if isinstance(old, dict):
        found.append(_source(old, at / "dataSource"))
    if isinstance(new, dict):
        found.append(_source(new, at / "dataSourceRef"))
        if namespace := text(new, "namespace"):
            place = at / "dataSourceRef" / "namespace"
            found.append(each(place, namespace, label_faults(namespace)))
    if isinstance(old, dict) and isinstance(new, dict):
        printed: JsonObject = {}  # a path of the server, whose fields are not its JSON
        if text(new, "namespace"):
            detail = "may not be specified when dataSourceRef.namespace is specified"
            found.append(invalid_value(at, printed, detail))
        elif any(old.get(name) != new.get(name) for name in ("apiGroup", "kind", "name")):
            found.append(invalid_value(at, printed, "must match dataSourceRef"))
    return merge(*found)


def _source(raw: JsonObject, at: Path) -> Decision:
    group, kind = text(raw, "apiGroup"), text(raw, "kind")
    found = [required(at / name) for name in ("name", "kind") if not text(raw, name)]
    if not group and kind != "PersistentVolumeClaim":
        found.append(invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if group:
        found.append(each(at / "apiGroup", group, subdomain_faults(group)))
    return merge(*found)


def _class(raw: JsonObject, name: str, at: Path) -> Decision:
    value = text(raw, name)
    return each(at / name, value, subdomain_faults(value)) if value else Decision()


def _storage(raw: JsonObject, at: Path) -> Decision:
    written = member(member(raw, "resources"), "requests").get("storage")
    if written is None:
        return required(at)
    storage = parse(str(written))
    return Decision() if storage.units > 0 else invalid(at, str(storage), "must be greater than zero")
