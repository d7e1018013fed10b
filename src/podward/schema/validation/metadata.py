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
from podward.schema.validation.field import NOTHING, Place, each, invalid, invalid_value, required, too_long
from podward.schema.validation.labels import key, key_faults
from podward.schema.validation.names import label, label_faults, subdomain, subdomain_faults
from podward.schema.validation.raw import text, texts
from podward.schema.validation.walk import Scope

_MOST_ANNOTATIONS = 256 * 1024
_LONGEST_MANAGER, _LONGEST_SUBRESOURCE = 128, 256
_FINALIZERS = frozenset(("kubernetes", "orphan", "foregroundDeletion"))
_ORPHAN, _FOREGROUND = "orphan", "foregroundDeletion"


def sent(metadata: ObjectMeta, at: Place) -> Decision:
    """The names of a Pod that is about to be sent: the server gives it what is missing of its name and namespace."""
    found = generate_name(metadata.generate_name or "", at)
    if not metadata.name and not metadata.generate_name:
        found += required(at / "name", "name or generateName is required")
    if metadata.name and subdomain_faults(metadata.name):
        found += subdomain(metadata.name, at / "name")
    if metadata.namespace and label_faults(metadata.namespace):
        found += label(metadata.namespace, at / "namespace")
    return found


def complete(metadata: ObjectMeta, at: Place) -> Decision:
    """The names of a Pod as the server itself validates it: named and placed."""
    found = generate_name(metadata.generate_name or "", at)
    if metadata.name:
        found += subdomain(metadata.name, at / "name")
    else:
        found += required(at / "name", "name or generateName is required")
    return found + (label(metadata.namespace, at / "namespace") if metadata.namespace else required(at / "namespace"))


def generate_name(prefix: str, at: Place) -> Decision:
    """What a name that the server makes begins with; it may end in a dash, as letters follow it."""
    begun = prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix
    faults = subdomain_faults(begun) if prefix else ()
    return each(at / "generateName", prefix, faults) if faults else NOTHING


def check_annotations(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The keys of annotations, and their size."""
    written, place, size = raw["annotations"], at / "annotations", 0
    wrong: list[str] = []
    for name, value in written.items() if isinstance(written, dict) else ():
        if key_faults(name.lower()):
            wrong.append(name)
        size += len(name.encode()) + (len(value.encode()) if isinstance(value, str) else 0)
    found = [each(place, name, key_faults(name.lower())) for name in sorted(wrong)]
    if size > _MOST_ANNOTATIONS:
        found.append(too_long(place, "", _MOST_ANNOTATIONS))
    return merge(*found) if found else NOTHING


def owners(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `ownerReferences`, printed without their index."""
    at, written = at / "ownerReferences", objects(raw, "ownerReferences")
    found: list[Decision] = []
    controller = ""
    for owner in written:
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
                found.append(invalid_value(at, [_shown(each_owner) for each_owner in written], detail))
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


def finalizers(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `finalizers`: their names, printed without their index, and what does not go together."""
    names, place = texts(raw, "finalizers"), at / "finalizers"
    found = merge(*(key(name, place) for name in names))
    if _ORPHAN in names and _FOREGROUND in names:
        found += invalid_value(place, list(names), f"finalizer {_ORPHAN} and {_FOREGROUND} cannot be both set")
    return found


def finalizer_faults(name: str) -> tuple[str, ...]:
    """What keeps a finalizer from being one of Kubernetes' own, or somebody's."""
    known = "/" in name or name in _FINALIZERS
    return () if known else ("name is neither a standard finalizer name nor is it fully qualified",)


def managed_field(entry: JsonObject, _scope: Scope, at: Place) -> Decision:
    """One of the `managedFields`."""
    found: list[Decision] = []
    operation, kind = text(entry, "operation"), text(entry, "fieldsType")
    if operation not in {"Apply", "Update"}:
        found.append(invalid_value(at / "operation", operation, "must be `Apply` or `Update`"))
    if kind and kind != "FieldsV1":
        found.append(invalid(at / "fieldsType", kind, "must be `FieldsV1`"))
    for name, most in (("manager", _LONGEST_MANAGER), ("subresource", _LONGEST_SUBRESOURCE)):
        if len(text(entry, name).encode()) > most:
            found.append(too_long(at / name, "", most))
    return merge(*found)
