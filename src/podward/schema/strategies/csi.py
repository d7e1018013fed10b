"""CSIDrivers, CSINodes, VolumeAttachments.

Specification: Kubernetes, pkg/apis/storage/validation and the strategies in pkg/registry/storage. What an attachment is
of does not change, nor what a node says of a driver but for how many volumes it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same, same_but
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.kind import changes, in_order, keeping, next_generation, without
from podward.schema.strategies.object_meta import keeping_all_but_status
from podward.schema.strategies.persistent_volumes import access_modes, source
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.volume_sources import driver_name
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_FIXED = "field is immutable"
_GROUP_POLICIES, _LIFECYCLES = ("File", "None", "ReadWriteOnceWithFSType"), ("Persistent", "Ephemeral")
_TOKENS_SHOWN = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible"
    " logging of tokens in volume attributes"
)
_SHORTEST_PERIOD, _SHORTEST_TOKEN, _LONGEST_TOKEN = 10, 600, 1 << 32
_LONGEST_NODE, _LARGEST, _LONGEST_MESSAGE, _MOST = 256, 256 * 1024, 1024, (1 << 31) - 1


# --- drivers ----------------------------------------------------------------------------------------------------------


def _driver(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    needed = (("attachRequired", "attachedRequired"), ("podInfoOnMount",) * 2, ("storageCapacity",) * 2)
    found = [required(SPEC / printed) for name, printed in needed if spec.get(name) is None]
    policy = pointer(spec, "fsGroupPolicy")
    if policy is not None and policy not in _GROUP_POLICIES:
        found.append(unsupported(SPEC / "fsGroupPolicy", policy, _GROUP_POLICIES))
    found.append(_tokens(spec))
    place = SPEC / "volumeLifecycleModes"
    found += [unsupported(place, mode, _LIFECYCLES) for mode in texts(spec, "volumeLifecycleModes")
              if mode not in _LIFECYCLES]  # fmt: skip
    if spec.get("seLinuxMount") is None:
        found.append(required(SPEC / "seLinuxMount"))
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if type(period) is int and period < _SHORTEST_PERIOD:
        detail = f"must be greater than or equal to {_SHORTEST_PERIOD} seconds"
        found.append(invalid(SPEC / "nodeAllocatableUpdatePeriodSeconds", period, detail))
    inside = spec.get("serviceAccountTokenInSecrets")
    if inside is not None and not spec.get("tokenRequests"):
        detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        found.append(invalid_value(SPEC / "serviceAccountTokenInSecrets", inside, detail))
    return merge(*found)


def _tokens(spec: JsonObject) -> Decision:
    found: list[Decision] = []
    seen: set[str] = set()
    for index, request in enumerate(objects(spec, "tokenRequests")):
        place, audience, seconds = (
            SPEC / "tokenRequests" / index,
            text(request, "audience"),
            request.get("expirationSeconds"),
        )
        if audience in seen:
            found.append(duplicate(place / "audience", audience))
            continue
        seen.add(audience)
        if type(seconds) is int and not _SHORTEST_TOKEN <= seconds <= _LONGEST_TOKEN:
            bound = "less than 10 minutes" if seconds < _SHORTEST_TOKEN else "larger than 2^32 seconds"
            found.append(invalid(place / "expirationSeconds", seconds, f"may not specify a duration {bound}"))
    return merge(*found)


def _driver_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before, found = member(obj, "spec"), member(old, "spec"), NOTHING
    for name, printed in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes",) * 2):
        value = spec.get(name)
        if not same(value, before.get(name)):
            found += invalid_value(SPEC / printed, value, _FIXED)
    return found


def _supported(obj: JsonObject) -> JsonObject:
    """What the server does not know yet is left out."""
    spec, name = member(obj, "spec"), "preventPodSchedulingIfMissing"
    if name not in spec:
        return obj
    return {**obj, "spec": {field: value for field, value in spec.items() if field != name}}


def _driver_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    spec = member(obj, "spec")
    requests = spec.get("tokenRequests")
    if not requests or spec.get("serviceAccountTokenInSecrets") is not None:
        return ()
    unchanged = old is not None and same(requests, member(old, "spec").get("tokenRequests"))
    return () if unchanged else (_TOKENS_SHOWN,)


DRIVER = Strategy(
    validate=in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _driver),
    validate_update=changes(object_meta.changed, lambda obj, _old: _driver(obj), _driver_fixed),
    prepare_for_create=_supported,
    prepare_for_update=lambda obj, old: next_generation(_supported(obj), old),
    warnings=_driver_warnings,
    allow_unconditional_update=False,
    namespaced=False,
)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _node(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    seen: set[str] = set()
    for index, driver in enumerate(objects(member(obj, "spec"), "drivers")):
        place, name, node = SPEC / "drivers" / index, text(driver, "name"), text(driver, "nodeID")
        found.append(driver_name(name, place / "name"))
        if not node:
            found.append(required(place / "nodeID"))
        if len(node.encode()) > _LONGEST_NODE:
            found.append(invalid(place / "nodeID", node, f"must be {_LONGEST_NODE} characters or less"))
        count = number(member(driver, "allocatable"), "count")
        if count < 0:
            found.append(invalid(place / "allocatable" / "count", count, "must be greater than or equal to 0"))
        if name in seen:
            found.append(duplicate(place / "name", name))
        seen.add(name)
        found.append(_topology(texts(driver, "topologyKeys"), place))
    return merge(*found)


def _topology(keys: list[str], at: Place) -> Decision:
    found: list[Decision] = []
    for index, key in enumerate(keys):
        if not key:
            found.append(required(at))
        if key in keys[:index]:
            found.append(duplicate(at, key))
        found.append(each(at, key, key_faults(key)))
    return merge(*found)


def _node_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    found: list[Decision] = []
    for before in objects(member(old, "spec"), "drivers"):
        for driver in objects(member(obj, "spec"), "drivers"):
            if text(driver, "name") == text(before, "name") and not same_but(driver, before, "allocatable"):
                kept: JsonObject = {name: value for name, value in driver.items() if name != "allocatable"}
                found.append(invalid_value(SPEC / "drivers", internal("storage.CSINodeDriver", kept), _FIXED))
    return merge(*found)


_NEW_NODE = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _node)
NODE = Strategy(
    validate=_NEW_NODE,
    validate_update=changes(lambda obj, _old: _NEW_NODE(obj), _node_fixed),
    allow_unconditional_update=False,
    namespaced=False,
)


# --- attachments ------------------------------------------------------------------------------------------------------


def _attachment(obj: JsonObject) -> Decision:
    spec, status = member(obj, "spec"), member(obj, "status")
    node, of = text(spec, "nodeName"), member(spec, "source")
    found = [driver_name(text(spec, "attacher"), SPEC / "attacher"), _source(of, SPEC / "source")]
    found.append(each(SPEC / "nodeName", node, subdomain_faults(node)))
    place = ROOT / "status"
    written = member(status, "attachmentMetadata")
    if sum(len(f"{name}{value}".encode()) for name, value in written.items()) > _LARGEST:
        found.append(too_long(place / "attachmentMetadata", "", _LARGEST))
    found += [_error(member(status, name), place / name) for name in ("attachError", "detachError")]
    volume = pointer(of, "persistentVolumeName")
    if volume is not None:
        found.append(each(ROOT / "spec.source.persistentVolumeName", volume, subdomain_faults(volume)))
    return merge(*found)


def _source(of: JsonObject, at: Place) -> Decision:
    inline, volume = of.get("inlineVolumeSpec"), pointer(of, "persistentVolumeName")
    detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if isinstance(inline, dict):
        return forbidden(at, detail) if volume is not None else _inline(inline, at / "inlineVolumeSpec")
    if volume is None:
        return required(at, detail)
    detail = "must specify non empty persistentVolumeName"
    return NOTHING if volume else required(at / "persistentVolumeName", detail)


def _inline(spec: JsonObject, at: Place) -> Decision:
    """The spec of a volume that is no object: as much as a driver needs."""
    context, found = "in the context of inline volumes", []
    found += [forbidden(at / name, f"may not be specified {context}") for name in ("claimRef", "capacity")
              if spec.get(name)]  # fmt: skip
    if spec.get("csi") is None:
        found.append(required(at / "csi", f"has to be specified {context}"))
    found.append(access_modes(spec, at))
    if text(spec, "persistentVolumeReclaimPolicy") not in {"", "Retain"}:
        found.append(forbidden(at / "persistentVolumeReclaimPolicy", f"may only be Retain {context}"))
    if spec.get("nodeAffinity") is not None:
        found.append(forbidden(at / "nodeAffinity", f"may not be specified {context}"))
    found.append(source(spec, at, ""))
    if spec.get("storageClassName"):
        found.append(forbidden(at / "storageClassName", f"may not be specified {context}"))
    if pointer(spec, "volumeMode") not in {None, "Filesystem"}:
        detail = f"may not specify volumeMode other than Filesystem {context}"
        found.append(forbidden(at / "volumeMode", detail))
    return merge(*found)


def _error(error: JsonObject, at: Place) -> Decision:
    found = []
    if len(text(error, "message").encode()) > _LONGEST_MESSAGE:
        found.append(too_long(at / "message", "", _LARGEST))
    code = number(error, "errorCode")
    if code < 0:
        found.append(invalid(at / "errorCode", code, f"must be between 0 and {_MOST}, inclusive"))
    return merge(*found)


def _attachment_fixed(obj: JsonObject, old: JsonObject) -> Decision:
    spec = member(obj, "spec")
    if same(spec, member(old, "spec")):
        return NOTHING
    shown: Json = {
        "Attacher": text(spec, "attacher"),
        "Source": internal("storage.VolumeAttachmentSource", spec.get("source")),
        "NodeName": text(spec, "nodeName"),
    }
    return invalid_value(SPEC, shown, _FIXED)


_NEW_ATTACHMENT = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _attachment)
ATTACHMENT = Strategy(
    validate=_NEW_ATTACHMENT,
    validate_update=changes(lambda obj, _old: _NEW_ATTACHMENT(obj), _attachment_fixed),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
    allow_unconditional_update=False,
    namespaced=False,
)
ATTACHMENT_STATUS = Strategy(
    validate_update=changes(lambda obj, _old: _NEW_ATTACHMENT(obj), _attachment_fixed),
    prepare_for_update=keeping_all_but_status,
    allow_unconditional_update=False,
    namespaced=False,
)
