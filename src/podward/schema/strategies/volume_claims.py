"""PersistentVolumeClaims.

Specification: Kubernetes, ValidatePersistentVolumeClaim and its updates, pkg/api/persistentvolumeclaim and the strategy
in pkg/registry/core/persistentvolumeclaim. A claim does not change, but that a bound one may grow; it may shrink as far
as it has not grown yet. Where its data come from stands in two fields, which are made to agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import difference
from podward.schema.strategies.kind import changes, in_order, keeping
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
    unsupported_text,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import pointer, text
from podward.schema.validation.resources import amount_of
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_CLASS, _ATTRIBUTES = "volume.beta.kubernetes.io/storage-class", "volumeAttributesClassName"
_FIXED = "field is immutable"
_STATUS = ROOT / "status"
_RESIZE_STATES = (
    "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible",
    "NodeResizePending",
)  # fmt: skip
_SNAPSHOTS = "snapshot.storage.k8s.io"
_NANO = 10**9


def _spec(obj: JsonObject) -> Decision:
    return WALKS["PersistentVolumeClaimSpec"](member(obj, "spec"), Scope(WALKS, "", obj), SPEC)


# --- changes ----------------------------------------------------------------------------------------------------------


def _fixed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before = dict(member(obj, "spec")), dict(member(old, "spec"))
    found = [_class(obj, old, spec)]
    if not text(before, "volumeName"):
        _copy(spec, before, "volumeName")
    if text(member(obj, "status"), "phase") == "Bound":
        _copy(before, spec, _ATTRIBUTES)
        if member(spec, "resources").get("requests") is not None:
            spec["resources"] = _with_storage(member(spec, "resources"), member(before, "resources"))
    if not same(spec, before):
        changed = difference("core.PersistentVolumeClaimSpec", before, spec)
        excepted = "resources.requests and volumeAttributesClassName for bound claims"
        found.append(forbidden(SPEC, f"spec is immutable after creation except {excepted}\n{changed}"))
    found.append(_size(obj, old))
    mode = member(obj, "spec").get("volumeMode")
    if mode != before.get("volumeMode"):
        found.append(invalid_value(ROOT / "volumeMode", mode, _FIXED))
    return merge(*found, _attributes(obj, old))


def _copy(source: JsonObject, target: JsonObject, name: str) -> None:
    target.pop(name, None)
    if source.get(name) is not None:
        target[name] = source[name]


def _with_storage(now: JsonObject, before: JsonObject) -> JsonObject:
    stored = member(before, "requests").get("storage")
    return {**now, "requests": {**member(now, "requests"), "storage": "0" if stored is None else stored}}


def _class(obj: JsonObject, old: JsonObject, spec: JsonObject) -> Decision:
    """The class may move from the annotation to its field, or come where there was none: as if it were not there."""
    now, before = (member(member(one, "metadata"), "annotations") for one in (obj, old))
    name, stored = pointer(spec, "storageClassName"), pointer(member(old, "spec"), "storageClassName")
    annotated = before.get(_CLASS)
    comes = name is not None and stored is None
    if comes and annotated is not None and name == annotated and now.get(_CLASS, annotated) == annotated:
        spec.pop("storageClassName")
        return NOTHING
    if comes and annotated in (None, name):
        spec.pop("storageClassName")
    written = text(now, _CLASS)
    if written == text(before, _CLASS):
        return NOTHING
    return invalid(ROOT / "metadata" / "annotations" / _CLASS, written, _FIXED)


def _requested(obj: JsonObject) -> int:
    return _units(member(member(member(obj, "spec"), "resources"), "requests").get("storage"))


def _units(written: Json) -> int:
    return 0 if written is None else parse(str(written)).units


def _size(obj: JsonObject, old: JsonObject) -> Decision:
    size = _requested(obj)
    if size >= _requested(old) or size > _units(member(member(old, "status"), "capacity").get("storage")):
        return NOTHING
    place = SPEC / "resources" / "requests" / "storage"
    return forbidden(place, "field can not be less than status.capacity")


def _attributes(obj: JsonObject, old: JsonObject) -> Decision:
    """A class of attributes that has been applied is not taken away."""
    name, place = pointer(member(obj, "spec"), _ATTRIBUTES), SPEC / _ATTRIBUTES
    applied = member(old, "status").get("currentVolumeAttributesClassName")
    if name == pointer(member(old, "spec"), _ATTRIBUTES) or applied is None or name:
        return NOTHING
    to = "nil" if name is None else "empty string"
    detail = f"update to {to} is forbidden when status.currentVolumeAttributesClassName is not nil"
    return forbidden(place, detail)


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    status, found = member(obj, "status"), []
    if not text(member(obj, "metadata"), "resourceVersion"):
        found.append(required(ROOT / "resourceVersion"))
    if not member(obj, "spec").get("accessModes"):
        found.append(required(ROOT / "Spec" / "accessModes"))
    for name, written in member(status, "capacity").items():
        found.append(_basic(written, _STATUS / "capacity" / Key(name)))
    place = _STATUS / "allocatedResourceStatuses"
    for name, state in member(status, "allocatedResourceStatuses").items():
        found.append(_resource(name, place))
        if state not in _RESIZE_STATES:
            found.append(unsupported(place, name, sorted(_RESIZE_STATES)))
    place = _STATUS / "allocatedResources"
    for name, written in member(status, "allocatedResources").items():
        wrong = _resource(name, place)
        if wrong is NOTHING or not wrong.refused:
            wrong = _basic(written, place / Key(name))
            wrong = wrong if wrong.refused else amount_of("storage", parse(str(written)), place / Key(name))
        found.append(wrong)
    return merge(*found)


def _basic(written: Json, at: Place) -> Decision:
    amount = parse(str(written))
    return invalid(at, amount.value, "must be a valid resource quantity") if amount.units < 0 else NOTHING


def _resource(name: str, at: Place) -> Decision:
    if faults := key_faults(name):
        return each(at, name, faults)
    native = "/" not in name or "kubernetes.io/" in name
    return unsupported_text(at, name, ("storage",)) if native and name != "storage" else NOTHING


# --- preparing --------------------------------------------------------------------------------------------------------


def _with_sources(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """Where the data come from, in both fields. Data of another namespace are not supported."""
    spec, before = dict(member(obj, "spec")), member(old, "spec") if old is not None else {}
    given, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if given is None and reference is None:
        return obj
    if isinstance(reference, dict) and text(reference, "namespace") and before.get("dataSourceRef") is None:
        reference = None
        spec.pop("dataSourceRef")
    stored = before.get("dataSource") is not None or before.get("dataSourceRef") is not None
    if not stored and reference is None and isinstance(given, dict) and not _is_known(given):
        given = None
        spec.pop("dataSource")
    if isinstance(given, dict) and reference is None:
        spec["dataSourceRef"] = _named(given)
    elif isinstance(reference, dict) and given is None and not text(reference, "namespace"):
        spec["dataSource"] = _named(reference)
    return {**obj, "spec": spec}


def _named(reference: JsonObject) -> JsonObject:
    return {name: reference[name] for name in ("apiGroup", "kind", "name") if name in reference}


def _is_known(source: JsonObject) -> bool:
    group, kind = text(source, "apiGroup"), text(source, "kind")
    return (group, kind) in {("", "PersistentVolumeClaim"), (_SNAPSHOTS, "VolumeSnapshot")}


_KEEPING = keeping("status")


def _new(obj: JsonObject) -> JsonObject:
    return _with_sources({**obj, "status": {"phase": "Pending"}}, None)


def _warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    found: list[str] = []
    if _CLASS in member(member(obj, "metadata"), "annotations"):
        instead = 'deprecated since v1.8; use "storageClassName" attribute instead'
        found.append(f"metadata.annotations[{_CLASS}]: {instead}")
    for kind in ("requests", "limits"):
        written = member(member(member(obj, "spec"), "resources"), kind).get("storage")
        if written is not None and parse(str(written)).units % _NANO:
            amount = parse(str(written))
            detail = f'fractional byte value "{amount}" is invalid, must be an integer'
            found.append(f"spec.resources.{kind}[storage]: {detail}")
    return tuple(found)


_VALIDATE = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), _spec)
VOLUME_CLAIM = Strategy(
    validate=_VALIDATE,
    validate_update=changes(object_meta.changed, lambda obj, _old: _VALIDATE(obj), _fixed),
    prepare_for_create=_new,
    prepare_for_update=lambda obj, old: _with_sources(_KEEPING(obj, old), old),
    warnings=_warnings,
)
VOLUME_CLAIM_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status),
    prepare_for_update=keeping_spec(),
)
