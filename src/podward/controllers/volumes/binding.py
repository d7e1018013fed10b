"""What becomes of a PersistentVolumeClaim and of a PersistentVolume: who is bound to whom, and what is given up.

Specification: Kubernetes, pkg/controller/volume/persistentvolume/pv_controller.go, in our words:
- A claim that is not bound gets the volume that is kept for it, the one that it names, or else the free one that fits
  best. Where its class waits for the first consumer, it gets only one that is kept for it; what is best is chosen with
  its Pod's node, and then one may be made.
- A claim that fits none gets one made by its class's provisioner. Without a class it gets the default one.
- A claim that was bound stays so; one whose volume is gone, or somebody else's, is lost.
- A volume without a claim is Available; one whose claim is gone is Released, and then kept or deleted as it says. One
  that was tried for a claim which has another volume is free again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.scheduling import PlacedVolume, StorageClass
from podward.api.storage import PersistentVolumeClaim
from podward.documents.raw_fields import member
from podward.schema.validation.raw import strings, text
from podward.schema.view import typed_view
from podward.schema.volume_matching import FILESYSTEM, class_of, not_chosen, other_class, preference, unfit

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"
DRIVERS: Mapping[str, str] = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}
"""The CSI drivers that do what provisioners of Kubernetes itself did."""
_OWN = "kubernetes.io/"
_VAC = "volumeAttributesClassName"
_WAIT = "WaitForFirstConsumer"
_NO_VOLUME = "no persistent volumes available for this claim and no storage class is set"
_LOST_REFERENCE = "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!"
_LOST_VOLUME = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
_MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"
_NORMAL, _WARNING = "Normal", "Warning"

Event = tuple[str, str, str]
"""Its type, reason and message."""


class Bind(Struct, frozen=True):
    """The claim gets this volume."""

    volume: str


class Wait(Struct, frozen=True):
    """The claim stays Pending. `event` is what is told of it; nothing where there is none."""

    event: Event | None = None


class Lose(Struct, frozen=True):
    """The claim has lost its volume."""

    event: Event


class Provision(Struct, frozen=True):
    """A volume is to be made by the provisioner of this class."""

    of_class: StorageClass


class TakeClass(Struct, frozen=True):
    """The claim gets this class."""

    name: str


ClaimAction = Bind | Wait | Lose | Provision | TakeClass


class VolumePhase(Struct, frozen=True):
    """The volume's phase."""

    phase: str


class Unbind(Struct, frozen=True):
    """The volume is nobody's again."""


class Reclaim(Struct, frozen=True):
    """Nobody has a claim to the volume any more."""


class NoChange(Struct, frozen=True):
    """Nothing is to be done, or the claim's turn comes first."""


VolumeAction = VolumePhase | Unbind | Reclaim | NoChange


def claim_view(raw: JsonObject) -> PersistentVolumeClaim:
    """A stored claim."""
    return typed_view(raw, PersistentVolumeClaim, "PersistentVolumeClaim")


def volume_view(raw: JsonObject) -> PlacedVolume:
    """A stored volume."""
    return typed_view(raw, PlacedVolume, "PersistentVolume")


def annotations_of(raw: JsonObject) -> Mapping[str, str]:
    """Its annotations."""
    return strings(member(raw, "metadata"), "annotations")


def of_claim(
    raw: JsonObject, volumes: Mapping[str, JsonObject], classes: Mapping[str, StorageClass], pods: Iterable[str]
) -> ClaimAction:
    """What becomes of a claim; `pods` are the names of those that want it and have no node."""
    if BIND_COMPLETED in annotations_of(raw):
        return _bound(raw, volumes)
    claim = claim_view(raw)
    if name := claim.spec.volume_name:
        return _named(claim, volumes.get(name))
    of_class = classes.get(class_of(claim))
    waits = of_class is not None and of_class.volume_binding_mode == _WAIT
    found = _best(raw, claim, volumes, kept_only=waits)
    if found is not None:
        return Bind(found)
    if claim.spec.storage_class_name is None and not class_of(claim) and (default := _default(classes)):
        return TakeClass(default)
    return _made(raw, class_of(claim), of_class, pods)


def _made(raw: JsonObject, name: str, of_class: StorageClass | None, pods: Iterable[str]) -> ClaimAction:
    """What becomes of a claim that no volume fits."""
    waits = of_class is not None and of_class.volume_binding_mode == _WAIT
    if waits and SELECTED_NODE not in annotations_of(raw):
        return Wait(_waiting_for(sorted(pods)))
    if of_class is not None:
        if of_class.provisioner.startswith(_OWN) and of_class.provisioner not in DRIVERS:
            return Wait((_WARNING, "ProvisioningFailed", f"no volume plugin matched name: {of_class.provisioner}"))
        return Provision(of_class)
    if name:
        return Wait((_WARNING, "ProvisioningFailed", f"storageclass.storage.k8s.io {quote(name)} not found"))
    return Wait((_NORMAL, "FailedBinding", _NO_VOLUME))


def _waiting_for(pods: list[str]) -> Event:
    if not pods:
        return _NORMAL, "WaitForFirstConsumer", "waiting for first consumer to be created before binding"
    what = f"pod {pods[0]}" if len(pods) == 1 else f"pods {', '.join(pods)}"
    return _NORMAL, "WaitForPodScheduled", f"waiting for {what} to be scheduled"


def _bound(raw: JsonObject, volumes: Mapping[str, JsonObject]) -> ClaimAction:
    name = text(member(raw, "spec"), "volumeName")
    if not name:
        return Lose((_WARNING, "ClaimLost", _LOST_REFERENCE))
    volume = volumes.get(name)
    if volume is None:
        return Lose((_WARNING, "ClaimLost", _LOST_VOLUME))
    kept = member(member(volume, "spec"), "claimRef")
    if kept and kept.get("uid") != member(raw, "metadata").get("uid"):
        return Lose((_WARNING, "ClaimMisbound", _MISBOUND))
    return Bind(name)


def _named(claim: PersistentVolumeClaim, raw: JsonObject | None) -> ClaimAction:
    """A claim that says which volume it wants."""
    if raw is None:
        return Wait()
    volume = volume_view(raw)
    name = volume.metadata.name or ""
    if volume.spec.claim_ref is not None:
        if is_kept_for(volume, claim):
            return Bind(name)
        return Wait((_WARNING, "FailedBinding", f"volume {quote(name)} already bound to a different claim."))
    fault = unfit(volume, claim) or ("storageClassName does not match" if other_class(volume, claim) else "")
    if fault:
        return Wait((_WARNING, "VolumeMismatch", f"Cannot bind to requested volume {quote(name)}: {fault}"))
    return Bind(name)


def is_kept_for(volume: PlacedVolume, claim: PersistentVolumeClaim) -> bool:
    """Whether the volume's `claimRef` is this claim."""
    kept = volume.spec.claim_ref
    if kept is None or (kept.namespace, kept.name) != (claim.metadata.namespace, claim.metadata.name):
        return False
    return not kept.uid or kept.uid == claim.metadata.uid


def _best(
    raw: JsonObject, claim: PersistentVolumeClaim, volumes: Mapping[str, JsonObject], *, kept_only: bool
) -> str | None:
    fitting: list[PlacedVolume] = []
    for name, found in volumes.items():
        if member(found, "metadata").get("deletionTimestamp") is not None:
            continue
        volume = volume_view(found)
        if volume.spec.claim_ref is not None and not is_kept_for(volume, claim):
            continue
        if unfit(volume, claim) or member(found, "spec").get(_VAC) != member(raw, "spec").get(_VAC):
            continue
        if volume.spec.claim_ref is not None:
            return name
        if not kept_only and not not_chosen(volume, claim):
            fitting.append(volume)
    return min(fitting, key=preference).metadata.name if fitting else None


def _default(classes: Mapping[str, StorageClass]) -> str:
    """The default class: of several the newest, as the server's own plugin takes it; here the first by name."""
    found = [name for name, each in classes.items() if (each.metadata.annotations or {}).get(IS_DEFAULT) == "true"]
    return min(found, default="")


def of_volume(raw: JsonObject, claim: JsonObject | None) -> VolumeAction:
    """What becomes of a volume; `claim` is the one of the name that it is kept for."""
    kept, phase = member(member(raw, "spec"), "claimRef"), text(member(raw, "status"), "phase")
    if not kept.get("uid"):
        return NoChange() if phase == "Available" else VolumePhase("Available")
    if claim is None or member(claim, "metadata").get("uid") != kept.get("uid"):
        return Reclaim() if phase in {"Released", "Failed"} else VolumePhase("Released")
    name = text(member(claim, "spec"), "volumeName")
    if not name:
        return NoChange()
    if name == member(raw, "metadata").get("name"):
        return NoChange() if phase == "Bound" else VolumePhase("Bound")
    if PROVISIONED_BY in annotations_of(raw) and member(raw, "spec").get("persistentVolumeReclaimPolicy") == "Delete":
        return Reclaim() if phase in {"Released", "Failed"} else VolumePhase("Released")
    return Unbind()


def bound_volume(volume: JsonObject, claim: JsonObject) -> JsonObject | None:
    """The volume kept for this claim; None where it is."""
    spec, metadata = member(volume, "spec"), member(claim, "metadata")
    kept = member(spec, "claimRef")
    if kept.get("uid") == metadata.get("uid") and kept:
        return None
    reference: JsonObject = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata.get("namespace"),
        "name": metadata.get("name"),
        "uid": metadata.get("uid"),
        "resourceVersion": metadata.get("resourceVersion"),
    }
    made: JsonObject = {**volume, "spec": {**spec, "claimRef": reference}}
    return made if kept else _annotated(made, BOUND_BY_CONTROLLER)


def bound_claim(claim: JsonObject, volume: str) -> JsonObject | None:
    """The claim bound to this volume; None where it is."""
    spec = member(claim, "spec")
    made = claim
    if spec.get("volumeName") != volume:
        made = _annotated({**claim, "spec": {**spec, "volumeName": volume}}, BOUND_BY_CONTROLLER)
    if BIND_COMPLETED not in annotations_of(made):
        made = _annotated(made, BIND_COMPLETED)
    return None if made is claim else made


def bound_status(claim: JsonObject, volume: JsonObject) -> JsonObject | None:
    """The claim's status with its volume's modes and size; None where it says so."""
    spec, status = member(volume, "spec"), member(claim, "status")
    size = member(spec, "capacity").get("storage")
    old = member(status, "capacity")
    if (status.get("phase"), status.get("accessModes")) == ("Bound", spec.get("accessModes")) and "storage" in old:
        return None
    told: JsonObject = {"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": {**old, "storage": size}}
    if (of_class := spec.get(_VAC)) is not None:
        told["currentVolumeAttributesClassName"] = of_class
    return {**status, **told}


def unbound_volume(volume: JsonObject) -> JsonObject:
    """The volume that is nobody's; one that a person has kept for a claim stays kept for that name."""
    spec, metadata = member(volume, "spec"), member(volume, "metadata")
    own = dict(member(metadata, "annotations"))
    if own.pop(BOUND_BY_CONTROLLER, None) is not None:
        rest: JsonObject = {name: value for name, value in spec.items() if name != "claimRef"}
        return {**volume, "spec": rest, "metadata": {**metadata, "annotations": own}}
    kept = {name: value for name, value in member(spec, "claimRef").items() if name != "uid"}
    return {**volume, "spec": {**spec, "claimRef": kept}}


def _annotated(obj: JsonObject, name: str) -> JsonObject:
    metadata = member(obj, "metadata")
    return {**obj, "metadata": {**metadata, "annotations": {**member(metadata, "annotations"), name: "yes"}}}


def mode_of(claim: JsonObject) -> str:
    """The claim's volume mode."""
    return text(member(claim, "spec"), "volumeMode") or FILESYSTEM
