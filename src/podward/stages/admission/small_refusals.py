"""Plugins that refuse one thing each.

Specification: Kubernetes, plugin/pkg/admission: deny, namespace/exists, antiaffinity, network/denyserviceexternalips,
storage/persistentvolume/resize.
"""

from __future__ import annotations

from podward.api import status
from podward.api.admission import NAMESPACES
from podward.api.json_value import JsonObject
from podward.api.quantity import QuantityError, parse
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts
from podward.stages.admission.served_facts import Served, refused

_HOSTNAME = "kubernetes.io/hostname"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_UNRESIZABLE = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


def deny(asked: Served, obj: JsonObject) -> Status:
    """Everything is refused."""
    return refused(asked, obj, "admission control is denying all modifications")


def namespace_exists(asked: Served, _obj: JsonObject) -> Status | None:
    """Whatever is in no namespace that is there."""
    name = asked.request.namespace
    return status.not_found(NAMESPACES, name) if asked.objects.get("namespaces", "", name) is None else None


def anti_affinity(asked: Served, obj: JsonObject) -> Status | None:
    """Pods that keep others away from more than their node."""
    away = member(member(member(obj, "spec"), "affinity"), "podAntiAffinity")
    for term in objects(away, "requiredDuringSchedulingIgnoredDuringExecution"):
        key = text(term, "topologyKey")
        if key != _HOSTNAME:
            has = f"affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey {key}"
            name = text(member(obj, "metadata"), "name")
            return status.forbidden(asked.request.resource, name, f"{has} but only key {_HOSTNAME} is allowed")
    return None


def external_addresses(asked: Served, obj: JsonObject) -> Status | None:
    """Services that get external addresses."""
    old = asked.request.old_object
    before = texts(member(old, "spec"), "externalIPs") if old is not None else []
    if set(texts(member(obj, "spec"), "externalIPs")) <= set(before):
        return None
    return refused(asked, obj, "Use of external IPs is denied by admission control")


def claim_growth(asked: Served, obj: JsonObject) -> Status | None:
    """Claims that grow, unless they are bound, and their class lets them."""
    old = asked.request.old_object
    if old is None or not _grows(obj, old):
        return None
    if text(member(old, "status"), "phase") != "Bound":
        return refused(asked, obj, "Only bound persistent volume claims can be expanded")
    name = _class(obj)
    found = asked.objects.get("storageclasses", "", name) if name and name == _class(old) else None
    allowed = found is not None and found.get("allowVolumeExpansion") is True
    return None if allowed else refused(asked, obj, _UNRESIZABLE)


def _grows(claim: JsonObject, old: JsonObject) -> bool:
    return _size(claim) > _size(old)


def _size(claim: JsonObject) -> int:
    written = member(member(member(claim, "spec"), "resources"), "requests").get("storage")
    try:
        return parse(str(written)).units if written is not None else 0
    except QuantityError:
        return 0


def _class(claim: JsonObject) -> str:
    annotated = member(member(claim, "metadata"), "annotations").get(_OLD_CLASS)
    return annotated if isinstance(annotated, str) else text(member(claim, "spec"), "storageClassName")
