"""The claim that an ephemeral volume makes.

Specification: Kubernetes, validateEphemeralVolumeSource, ValidatePersistentVolumeClaimTemplate,
ValidatePersistentVolumeClaimSpec. The template's metadata has labels and annotations only. Where the claim's data
comes from (`dataSource`) is not looked at.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key, Path
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import each, forbidden, invalid, required, unsupported
from podward.schema.validation.names import subdomain_faults
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


def check(source: JsonObject, at: Path) -> Decision:
    """A volume's `ephemeral`."""
    if source.get("volumeClaimTemplate") is None:
        return required(at / "volumeClaimTemplate")
    template, place = member(source, "volumeClaimTemplate"), at / "volumeClaimTemplate"
    return _metadata(member(template, "metadata"), place / "metadata") + _spec(member(template, "spec"), place / "spec")


def _metadata(raw: JsonObject, at: Path) -> Decision:
    found = metadata.annotations_check(strings(raw, "annotations"), at / "annotations")
    found += labels.check(raw, "labels", at)
    wrong = [printed for name, printed in _NOT_OF_TEMPLATES.items() if raw.get(name) not in (None, "", 0)]
    return found + merge(*(forbidden(at / name, "cannot be set") for name in wrong))


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
    return merge(*found, _class(raw, "volumeAttributesClassName", at))


def _class(raw: JsonObject, name: str, at: Path) -> Decision:
    value = text(raw, name)
    return each(at / name, value, subdomain_faults(value)) if value else Decision()


def _storage(raw: JsonObject, at: Path) -> Decision:
    written = member(member(raw, "resources"), "requests").get("storage")
    if written is None:
        return required(at)
    storage = parse(str(written))
    return Decision() if storage.units > 0 else invalid(at, str(storage), "must be greater than zero")
