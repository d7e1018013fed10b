"""Volumes: one source each, a name of their own.

Specification: Kubernetes, ValidateVolumes and validateVolumeSource; what a source must say is in `volume_source`.
Two sources are printed as the server prints them. A refused volume does not exist for its mounts.
"""

from __future__ import annotations

from podward.api.core import ObjectMeta, PodSpec
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation.field import duplicate, each, forbidden, invalid, required
from podward.schema.validation.names import label, label_faults, subdomain_faults
from podward.schema.validation.raw import text

SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
"""In the order in which the server counts them."""

_ORDER = {kind: index for index, kind in enumerate(SOURCES)}
_PRINTED = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}
_LONGEST_PORTAL = 64
_PORTAL_RULE = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters"
    " if iscsi.initiatorName is specified."
)


def check(metadata: ObjectMeta, raw: JsonObject, at: Path) -> tuple[Decision, dict[str, JsonObject]]:
    """The volumes of the raw Pod; with those that are valid, by name."""
    found: list[Decision] = []
    valid: dict[str, JsonObject] = {}
    volumes = objects(member(raw, "spec"), "volumes")
    if not volumes:
        return Decision(), valid
    pod = metadata.name or ""
    claims = {f"{pod}-{text(volume, 'name')}" for volume in volumes if volume.get("ephemeral") is not None and pod}
    list_at = at / "volumes"
    for index, volume in enumerate(volumes):
        place, name = list_at / index, text(volume, "name")
        own = _source(volume, name, pod, place)
        if not name or label_faults(name):
            own += label(name, place / "name") if name else required(place / "name")
        if name in valid:
            own += duplicate(place / "name", name)
        if own.refused:
            found.append(own)
        else:
            valid[name] = volume
        if claims and volume.get("persistentVolumeClaim") is not None:
            found.append(_own_claim(volume, claims, place))
    return merge(*found) if found else Decision(), valid


def _own_claim(volume: JsonObject, claims: set[str], at: Path) -> Decision:
    claim = text(member(volume, "persistentVolumeClaim"), "claimName")
    if claim not in claims:
        return Decision()
    detail = "must not reference a PVC that gets created for an ephemeral volume"
    return invalid(at / "persistentVolumeClaim" / "claimName", claim, detail)


def check_tokens(spec: PodSpec, raw: JsonObject, at: Path) -> Decision:
    """A projected token is a service account's, which the Pod must then have, under its new name or its old one."""
    if spec.service_account_name or text(member(raw, "spec"), "serviceAccount"):
        return Decision()
    found: list[Decision] = []
    for index, volume in enumerate(objects(member(raw, "spec"), "volumes")):
        if not volume.get("projected"):
            continue
        for number, source in enumerate(objects(member(volume, "projected"), "sources")):
            if source.get("serviceAccountToken") is not None:
                place = at / "volumes" / index / "projected" / "sources" / number / "serviceAccountToken"
                found.append(forbidden(place, "must not be specified when serviceAccountName is not set"))
    return merge(*found) if found else Decision()


def _source(volume: JsonObject, name: str, pod: str, at: Path) -> Decision:
    from podward.schema.validation.volume_source import check as check_source
    from podward.schema.validation.volume_source import surely_sound

    present = [kind for kind, written in volume.items() if kind in _ORDER and written is not None]
    if not present:
        return required(at, "must specify a volume type")
    if len(present) == 1 and surely_sound(present[0], member(volume, present[0])):
        return Decision()
    found: list[Decision] = []
    for kind in sorted(present, key=_ORDER.__getitem__):
        if found:
            second = "may not specify more than 1 volume type"
            found.append(forbidden(at / _PRINTED.get(kind, kind), second))
        else:
            found.append(check_source(kind, member(volume, kind), at / kind))
            found.append(_made_claim(name, pod, at) if kind == "ephemeral" else Decision())
        if kind == "iscsi":
            found.append(_portal(member(volume, "iscsi"), name, at))
    return merge(*found)


def _made_claim(name: str, pod: str, at: Path) -> Decision:
    """The name of the claim that an ephemeral volume makes."""
    if not pod or not name:
        return Decision()
    claim = f"{pod}-{name}"
    return each(at / "name", name, (f"PVC name {quote(claim)}: {fault}" for fault in subdomain_faults(claim)))


def _portal(iscsi: JsonObject, name: str, at: Path) -> Decision:
    if iscsi.get("initiatorName") is None:
        return Decision()
    portal = f"{name}:{text(iscsi, 'targetPortal')}"
    return invalid(at / "name", name, _PORTAL_RULE) if len(portal.encode()) > _LONGEST_PORTAL else Decision()
