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
from podward.path import Key
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import text, texts
from podward.schema.validation.walk import Scope

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_NOT_OF_TEMPLATES = {
    "name": "name", "generateName": "generateName", "namespace": "namespace", "selfLink": "selfLink", "uid": "uID",
    "resourceVersion": "resourceVersion", "generation": "generation", "creationTimestamp": "creationTimestamp",
    "deletionTimestamp": "deletionTimestamp", "deletionGracePeriodSeconds": "deletionGracePeriodSeconds",
    "ownerReferences": "ownerReferences", "finalizers": "finalizers", "managedFields": "managedFields",
}  # fmt: skip
"""Fields, and how the server prints them."""
_POINTERS = frozenset(("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"))


def of_claims_alone(metadata: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What a template's metadata must not have."""
    wrong = [printed for name, printed in _NOT_OF_TEMPLATES.items() if _is_set(metadata, name)]
    return merge(*(forbidden(at / name, "cannot be set") for name in wrong))


def _is_set(raw: JsonObject, name: str) -> bool:
    unset = (None, "") if name in _POINTERS else (None, "", 0)
    return raw.get(name) not in unset


def modes(claim: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A claim's `accessModes`, printed without their index."""
    written, place = texts(claim, "accessModes"), at / "accessModes"
    found = [unsupported(place, mode, _MODES) for mode in written if mode not in _MODES]
    if "ReadWriteOncePod" in written and any(mode in _MODES and mode != "ReadWriteOncePod" for mode in written):
        found.append(forbidden(place, "may not use ReadWriteOncePod with other access modes"))
    return merge(*found)


def storage(claim: JsonObject, _scope: Scope, at: Place) -> Decision:
    """How much a claim asks for."""
    place, written = at / "resources" / Key("storage"), member(member(claim, "resources"), "requests").get("storage")
    if written is None:
        return required(place)
    amount = parse(str(written))
    return NOTHING if amount.units > 0 else invalid(place, str(amount), "must be greater than zero")


def sources(claim: JsonObject, _scope: Scope, at: Place) -> Decision:
    """Where a claim's data come from: the old field and the new one."""
    old, new = claim.get("dataSource"), claim.get("dataSourceRef")
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


def _source(raw: JsonObject, at: Place) -> Decision:
    group, kind = text(raw, "apiGroup"), text(raw, "kind")
    found = [required(at / name) for name in ("name", "kind") if not text(raw, name)]
    if not group and kind != "PersistentVolumeClaim":
        found.append(invalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
    if group:
        found.append(each(at / "apiGroup", group, subdomain_faults(group)))
    return merge(*found)
