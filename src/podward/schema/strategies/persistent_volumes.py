"""PersistentVolumes.

Specification: Kubernetes, ValidatePersistentVolume and its update, pkg/volume/validation (mount options) and the
strategy in pkg/registry/core/persistentvolume. A volume has one source, which does not change; where it can be used
from does not either.
"""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import normpath
from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.internal_json import difference, internal
from podward.schema.strategies.kind import changes, in_order, keeping
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.volume_sources import FIELDS, SOURCES, WALKS
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.internal import go_json
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text, texts
from podward.schema.validation.walk import Scope
from podward.schema.warnings.scheduling import OLD_NODE_LABELS

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_POLICIES, _VOLUME_MODES = ("Delete", "Recycle", "Retain"), ("Block", "Filesystem")
_CLASS, _OPTIONS = "volume.beta.kubernetes.io/storage-class", "volume.beta.kubernetes.io/mount-options"
_FIXED = "field is immutable"
_WITH_OPTIONS = frozenset(
    ("gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder",
     "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk", "storageos", "csi")
)  # fmt: skip
_BETA = "failure-domain.beta.kubernetes.io/"
_RENAMED = {
    f"{_BETA}zone": "topology.kubernetes.io/zone",
    f"{_BETA}region": "topology.kubernetes.io/region",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
}
_OUTDATED: Mapping[str, str] = {
    "cephfs": "cephfs: deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "scaleIO: deprecated in v1.16, non-functional in v1.22+",
    "storageos": "storageOS: deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "glusterfs: deprecated in v1.25, non-functional in v1.26+",
    "rbd": "rbd: deprecated in v1.28, non-functional in v1.31+",
}


# --- the spec ---------------------------------------------------------------------------------------------------------


def spec_of(spec: JsonObject, at: Place, name: str) -> Decision:
    """What is wrong with the spec of a volume of this name."""
    found = [access_modes(spec, at), _capacity(spec, at)]
    policy = text(spec, "persistentVolumeReclaimPolicy")
    if policy and policy not in _POLICIES:
        found.append(unsupported(at / "persistentVolumeReclaimPolicy", policy, _POLICIES))
    found += [_affinity(spec, at), source(spec, at, name)]
    path = spec.get("hostPath")
    if isinstance(path, dict) and policy == "Recycle" and normpath(text(path, "path")) in {"/", "//"}:
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        found.append(forbidden(at / "persistentVolumeReclaimPolicy", detail))
    if kind := text(spec, "storageClassName"):
        found.append(each(at / "storageClassName", kind, subdomain_faults(kind)))
    mode = pointer(spec, "volumeMode")
    if mode is not None and mode not in _VOLUME_MODES:
        found.append(unsupported(at / "volumeMode", mode, _VOLUME_MODES))
    return merge(*found, attributes(spec, at))


def access_modes(spec: JsonObject, at: Place) -> Decision:
    """How often a volume can be mounted, printed without the index."""
    written, place = texts(spec, "accessModes"), at / "accessModes"
    if not written:
        return required(place)
    found = [unsupported(place, mode, _MODES) for mode in written if mode not in _MODES]
    if "ReadWriteOncePod" in written and any(mode in _MODES and mode != "ReadWriteOncePod" for mode in written):
        found.append(forbidden(place, "may not use ReadWriteOncePod with other access modes"))
    return merge(*found)


def _capacity(spec: JsonObject, at: Place) -> Decision:
    capacity, place = member(spec, "capacity"), at / "capacity"
    found = [] if capacity else [required(place)]
    if capacity.keys() != {"storage"}:
        amounts: JsonObject = {name: str(parse(str(amount))) for name, amount in sorted(capacity.items())}
        shown = go_json(amounts) if spec.get("capacity") is not None else "null"
        found.append(refused(place, amounts, [f'Unsupported value: {shown}: supported values: "storage"']))
    for name, written in sorted(capacity.items()):
        amount = parse(str(written))
        if amount.units < 0:
            found.append(invalid(place / Key(name), amount.value, "must be a valid resource quantity"))
        if amount.units <= 0:
            found.append(invalid(place / Key(name), str(amount), "must be greater than zero"))
    return merge(*found)


def _affinity(spec: JsonObject, at: Place) -> Decision:
    affinity = spec.get("nodeAffinity")
    if not isinstance(affinity, dict):
        return NOTHING
    place, selector = at / "nodeAffinity" / "required", affinity.get("required")
    if not isinstance(selector, dict):
        return required(place, "must specify required node constraints")
    return WALKS["NodeSelector"](selector, Scope(WALKS, "", spec), place)


def source(spec: JsonObject, at: Place, name: str) -> Decision:
    """The one source of a volume of this name."""
    present = [each_one for each_one in SOURCES if isinstance(spec.get(each_one), dict)]
    if not present:
        return required(at, "must specify a volume type")
    found: list[Decision] = []
    scope = Scope(WALKS, name, spec)
    for index, each_one in enumerate(present):
        printed, placed = FIELDS.get(each_one, (each_one, each_one))
        if index and each_one != "flexVolume":
            found.append(forbidden(at / printed, "may not specify more than 1 volume type"))
            continue
        found.append(WALKS[SOURCES[each_one]](member(spec, each_one), scope, at / placed))
        if each_one == "local" and spec.get("nodeAffinity") is None:
            found.append(required(at / "nodeAffinity", "Local volume requires node affinity"))
    return merge(*found)


def attributes(spec: JsonObject, at: Place) -> Decision:
    """The class of a volume's attributes, which a driver has."""
    kind, place = pointer(spec, "volumeAttributesClassName"), at / "volumeAttributesClassName"
    if kind is None:
        return NOTHING
    found = each(place, kind, subdomain_faults(kind)) if kind else required(place, "an empty string is disallowed")
    if spec.get("csi") is None:
        found += required(at / "csi", "has to be specified when using volumeAttributesClassName")
    return found


# --- volumes ----------------------------------------------------------------------------------------------------------


def _spec(obj: JsonObject) -> Decision:
    return spec_of(member(obj, "spec"), SPEC, text(member(obj, "metadata"), "name"))


def _options(obj: JsonObject) -> Decision:
    spec, of = member(obj, "spec"), member(obj, "metadata")
    if _OPTIONS not in member(of, "annotations") or not _WITH_OPTIONS.isdisjoint(spec):
        return NOTHING
    place = ROOT / "metadata" / "annotations" / _OPTIONS
    return forbidden(place, "may not specify mount options for this volume type")


def _fixed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before = member(obj, "spec"), member(old, "spec")
    now, then = ({name: value for name, value in one.items() if name in SOURCES} for one in (spec, before))
    _without_new_secret(now, then)
    found: list[Decision] = []
    if not same(now, then):
        changed = difference("core.PersistentVolumeSource", then, now)
        detail = f"spec.persistentvolumesource is immutable after creation\n{changed}"
        found.append(forbidden(SPEC / "persistentvolumesource", detail))
    if spec.get("volumeMode") != before.get("volumeMode"):
        found.append(invalid_value(ROOT / "volumeMode", spec.get("volumeMode"), _FIXED))
    affinity, stored = spec.get("nodeAffinity"), before.get("nodeAffinity")
    if stored is not None and not same(affinity, stored) and not same(affinity, _with_stable_labels(stored)):
        detail = f"{_FIXED}, except for updating from beta label to GA"
        found.append(invalid_value(ROOT / "nodeAffinity", internal("*core.VolumeNodeAffinity", affinity), detail))
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        found.append(forbidden(SPEC / "volumeAttributesClassName", "update from non-nil value to nil is forbidden"))
    return merge(*found)


def _without_new_secret(now: JsonObject, then: JsonObject) -> None:
    """A driver's volume may get the Secret that it grows with."""
    name, driver, stored = "controllerExpandSecretRef", now.get("csi"), then.get("csi")
    if isinstance(driver, dict) and isinstance(stored, dict) and stored.get(name) is None:
        now["csi"] = {field: value for field, value in driver.items() if field != name}


def _with_stable_labels(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_stable_labels(item) for item in value]
    if not isinstance(value, dict):
        return value
    made: JsonObject = {name: _with_stable_labels(item) for name, item in value.items()}
    name = made.get("key")
    if isinstance(name, str) and name in _RENAMED:
        made["key"] = _RENAMED[name]
    return made


def _new(obj: JsonObject) -> JsonObject:
    status: JsonObject = {"phase": "Pending"}
    since = member(obj, "metadata").get("creationTimestamp")
    if since is not None:
        status["lastPhaseTransitionTime"] = since
    return {**obj, "status": status}


def _warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    annotations, spec = member(member(obj, "metadata"), "annotations"), member(obj, "spec")
    found: list[str] = []
    for name, since, instead in ((_CLASS, "v1.8", "storageClassName"), (_OPTIONS, "v1.31", "mountOptions")):
        if name in annotations:
            found.append(f'metadata.annotations[{name}]: deprecated since {since}; use "{instead}" attribute instead')
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        found.append(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended"
            " approach is to use dynamic provisioning."
        )
    found += _outdated_labels(spec)
    return (*found, *[f"spec.{told}" for name, told in _OUTDATED.items() if spec.get(name) is not None])


def _outdated_labels(spec: JsonObject) -> list[str]:
    found: list[str] = []
    terms = objects(member(member(spec, "nodeAffinity"), "required"), "nodeSelectorTerms")
    for index, term in enumerate(terms):
        for number, requirement in enumerate(objects(term, "matchExpressions")):
            name = text(requirement, "key")
            if name in OLD_NODE_LABELS:
                place = f"spec.nodeAffinity.required.nodeSelectorTerms[{index}].matchExpressions[{number}].key"
                found.append(f"{place}: {name} is {OLD_NODE_LABELS[name]}")
    return found


def _versioned(obj: JsonObject, _old: JsonObject) -> Decision:
    return NOTHING if text(member(obj, "metadata"), "resourceVersion") else required(ROOT / "resourceVersion")


_META = object_meta.new(names.SUBDOMAIN, namespaced=False)
_VALIDATE = in_order(_META, _spec)
PERSISTENT_VOLUME = Strategy(
    validate=in_order(_VALIDATE, _options),
    validate_update=changes(
        lambda obj, _old: _VALIDATE(obj), lambda obj, _old: _options(obj), lambda obj, _old: _VALIDATE(obj), _fixed
    ),
    prepare_for_create=_new,
    prepare_for_update=keeping("status"),
    warnings=_warnings,
    namespaced=False,
)
PERSISTENT_VOLUME_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _versioned),
    prepare_for_update=keeping_spec(),
    namespaced=False,
)
