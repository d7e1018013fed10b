"""The metadata of an object: names, labels, annotations, owners, finalizers.

Specification: Kubernetes, apimachinery ValidateObjectMeta and its parts, and the finalizers' legacy check in
pkg/apis/core/validation. A generateName may end in a dash, because letters follow it. Annotations' keys may be in any
case, and all annotations together have at most 256 KiB. Most errors are printed without the index.
"""

from __future__ import annotations

from podward.api.core import ObjectMeta
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.path import Path
from podward.schema.validation.field import each, invalid, invalid_value, not_negative, required, too_long
from podward.schema.validation.names import label, label_faults, subdomain, subdomain_faults
from podward.schema.validation.raw import number, strings, text, texts

_MOST_ANNOTATIONS = 256 * 1024
_LONGEST_MANAGER, _LONGEST_SUBRESOURCE = 128, 256
_FINALIZERS = frozenset(("kubernetes", "orphan", "foregroundDeletion"))
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


def check(metadata: ObjectMeta, raw: JsonObject, at: Path) -> Decision:
    """A Pod that is about to be sent: the server gives it what is missing of its name and namespace."""
    found = _generate_name(metadata, at)
    if not metadata.name and not metadata.generate_name:
        found += required(at / "name", "name or generateName is required")
    if metadata.name and subdomain_faults(metadata.name):
        found += subdomain(metadata.name, at / "name")
    if metadata.namespace and label_faults(metadata.namespace):
        found += label(metadata.namespace, at / "namespace")
    return found + _rest(raw, at) if raw else found


def check_complete(metadata: ObjectMeta, raw: JsonObject, at: Path) -> Decision:
    """A Pod as the server itself validates it: named and placed."""
    found = _generate_name(metadata, at)
    if metadata.name:
        found += subdomain(metadata.name, at / "name")
    else:
        found += required(at / "name", "name or generateName is required")
    found += label(metadata.namespace, at / "namespace") if metadata.namespace else required(at / "namespace")
    return found + _rest(raw, at)


def annotations_check(written: dict[str, str], at: Path) -> Decision:
    """The keys of annotations, and their size."""
    from podward.schema.validation.labels import key_faults

    found = [each(at, key, faults) for key in written if (faults := key_faults(key.lower()))]
    if sum(len(key.encode()) + len(value.encode()) for key, value in written.items()) > _MOST_ANNOTATIONS:
        found.append(too_long(at, "", _MOST_ANNOTATIONS))
    return merge(*found)


def _generate_name(metadata: ObjectMeta, at: Path) -> Decision:
    prefix = metadata.generate_name
    if not prefix:
        return Decision()
    begun = prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix
    return each(at / "generateName", prefix, subdomain_faults(begun))


def _rest(raw: JsonObject, at: Path) -> Decision:
    found: list[Decision] = []
    if raw.get("generation"):
        found.append(not_negative(at / "generation", number(raw, "generation")))
    if raw.get("labels"):
        from podward.schema.validation.labels import check as check_labels

        found.append(check_labels(raw, "labels", at))
    if raw.get("annotations"):
        found.append(annotations_check(strings(raw, "annotations"), at / "annotations"))
    if raw.get("ownerReferences"):
        found.append(_owners(objects(raw, "ownerReferences"), at / "ownerReferences"))
    if raw.get("finalizers"):
        found.append(_finalizers(texts(raw, "finalizers"), at / "finalizers"))
    if raw.get("managedFields"):
        found.append(_managed_fields(objects(raw, "managedFields"), at / "managedFields"))
    for index, name in enumerate(texts(raw, "finalizers")):
        if "/" not in name and name not in _FINALIZERS:
            detail = "name is neither a standard finalizer name nor is it fully qualified"
            found.append(invalid(at / "finalizers" / index, name, detail))
    return merge(*found) if found else Decision()


def _owners(owners: list[JsonObject], at: Path) -> Decision:
    found: list[Decision] = []
    controller = ""
    for owner in owners:
        api_version, kind, name = text(owner, "apiVersion"), text(owner, "kind"), text(owner, "name")
        if not _version(api_version):
            found.append(invalid(at / "apiVersion", api_version, "version must not be empty"))
        missing = [field for field in ("kind", "name") if not text(owner, field)]
        found += [invalid(at / field, "", "must not be empty") for field in missing]
        if not text(owner, "uid"):
            found.append(invalid_value(at / "uid", "", "must not be empty"))
        if (api_version, kind) == ("v1", "Event"):
            found.append(invalid_value(at, _shown(owner), "/v1, Kind=Event is disallowed from being an owner"))
        if owner.get("controller") is True:
            this = f"{kind}/{name}"
            if controller:
                detail = (
                    'Only one reference can have Controller set to true. Found "true" in references for'
                    f" {controller} and {this}"
                )
                found.append(invalid_value(at, [_shown(each_owner) for each_owner in owners], detail))
            controller = controller or this
    return merge(*found)


def _shown(owner: JsonObject) -> JsonObject:
    """An owner as the server prints it."""
    shown: JsonObject = {name: text(owner, name) for name in ("apiVersion", "kind", "name", "uid")}
    flags = ("controller", "blockOwnerDeletion")
    return shown | {name: owner[name] for name in flags if owner.get(name) is not None}


def _version(api_version: str) -> str:
    """The version of a group and version; empty where there is none, or where it is no such pair."""
    group, slash, version = api_version.partition("/")
    return "" if "/" in version else version if slash else group


def _finalizers(names: list[str], at: Path) -> Decision:
    from podward.schema.validation.labels import key

    found = merge(*(key(name, at) for name in names))
    if _ORPHAN in names and _FOREGROUND in names:
        found += invalid_value(at, list(names), f"finalizer {_ORPHAN} and {_FOREGROUND} cannot be both set")
    return found


def _managed_fields(entries: list[JsonObject], at: Path) -> Decision:
    found: list[Decision] = []
    for index, entry in enumerate(entries):
        place, operation = at / index, text(entry, "operation")
        if operation not in {"Apply", "Update"}:
            found.append(invalid_value(place / "operation", operation, "must be `Apply` or `Update`"))
        kind = text(entry, "fieldsType")
        if kind and kind != "FieldsV1":
            found.append(invalid(place / "fieldsType", kind, "must be `FieldsV1`"))
        for name, most in (("manager", _LONGEST_MANAGER), ("subresource", _LONGEST_SUBRESOURCE)):
            if len(text(entry, name).encode()) > most:
                found.append(too_long(place / name, "", most))
    return merge(*found)
