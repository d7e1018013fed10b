"""What is mounted for a volume whose storage is a claim: that of `persistentVolumeClaim` or of `ephemeral`.

Specification (kubelet, `createVolumeSpec` of pkg/kubelet/volumemanager, in our words): the Pod's claim is looked up by
name in its namespace; a claim of an `ephemeral` volume is named for the Pod and the volume. What it is bound to is
mounted: a volume of the host's files (hostPath), of a directory of the node (local), or of a driver. `readOnly` of the
Pod's volume makes it read-only in every container. A Block volume can't be mounted.

Ours: a claim that is bound to nothing gets an empty directory of the Pod's own in the place of a disk that a
provisioner would have made.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.claim import ClaimSpec
from podward.api.core import ObjectMeta, Pod
from podward.api.storage import PersistentVolume, PersistentVolumeClaim, Storage
from podward.api.volume import HostPath, LocalVolume, Volume
from podward.policy.kubelet import drivers
from podward.policy.kubelet.claim_binding import bind
from podward.schema.volume_matching import FILESYSTEM


class ClaimedVolume(Struct, frozen=True):
    """What a claim brings: one of `host_path`, `local` and `driver`, or the reason why an empty directory stands in.

    `volume` is the PersistentVolume's name. `refusal` says why it can't be mounted.
    """

    claim: str
    volume: str = ""
    host_path: HostPath | None = None
    local: LocalVolume | None = None
    driver: drivers.DriverVolume | None = None
    stand_in: str = ""
    readonly: bool = False
    refusal: str = ""


def resolve(volume: Volume, pod: Pod, storage: Storage) -> ClaimedVolume:
    """What the volume's claim brings."""
    source = volume.persistent_volume_claim
    namespace = pod.metadata.namespace or "default"
    if source is not None:
        claim, name = storage.claims.get((namespace, source.claim_name)), source.claim_name
    else:
        name = f"{pod.metadata.name or ''}-{volume.name}"
        claim = storage.claims.get((namespace, name)) or _made_for(volume, name, namespace)
    readonly = bool(source is not None and source.read_only)
    if volume.name in storage.faults:
        return ClaimedVolume(name, readonly=readonly, refusal=storage.faults[volume.name])
    if claim is None:
        why = f"claim {namespace}/{name} is not described"
        return ClaimedVolume(name, stand_in=why, readonly=readonly)
    mode = claim.spec.volume_mode or FILESYSTEM
    if mode != FILESYSTEM:
        refusal = f"volume {volume.name} has volumeMode {mode}, but is specified in volumeMounts"
        return ClaimedVolume(name, readonly=readonly, refusal=refusal if _mounted(volume, pod) else "")
    binding = bind(claim, storage)
    if binding.volume is None:
        why = f"claim {namespace}/{name} is bound to no volume ({binding.why})"
        return ClaimedVolume(name, stand_in=why, readonly=readonly)
    return _bound(name, binding.volume, storage, readonly=readonly)


def _made_for(volume: Volume, name: str, namespace: str) -> PersistentVolumeClaim:
    template = volume.ephemeral.volume_claim_template if volume.ephemeral is not None else None
    return PersistentVolumeClaim(
        ObjectMeta(name, namespace=namespace), template.spec if template is not None else ClaimSpec()
    )


def _bound(claim: str, volume: PersistentVolume, storage: Storage, *, readonly: bool) -> ClaimedVolume:
    spec, name = volume.spec, volume.metadata.name or ""
    if spec.host_path is not None:
        return ClaimedVolume(claim, name, host_path=spec.host_path, readonly=readonly)
    if spec.local is not None:
        return ClaimedVolume(claim, name, local=spec.local, readonly=readonly)
    driver = drivers.of_persistent_volume(volume, storage, readonly=readonly)
    return ClaimedVolume(claim, name, driver=driver, readonly=driver.readonly)


def _mounted(volume: Volume, pod: Pod) -> bool:
    listed = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    return any(mount.name == volume.name for each in listed for mount in each.volume_mounts or ())
