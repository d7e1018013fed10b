"""Storage that Pods refer to: claims, persistent volumes and drivers. core/v1 and storage/v1 of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from podward.api.claim import ClaimSpec
from podward.api.core import ObjectMeta
from podward.api.structure import View
from podward.api.volume import CsiVolume, DriverVolume, FlexVolume, HostPath, IscsiVolume, LocalVolume, NfsVolume

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


class PersistentVolumeClaim(View, frozen=True):
    """core/v1 PersistentVolumeClaim."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ClaimSpec = field(default_factory=ClaimSpec)


class ClaimReference(View, frozen=True):
    """The claim that a volume is kept for."""

    namespace: str | None = None
    name: str | None = None
    uid: str | None = None


class PersistentVolumeSpec(View, frozen=True):
    """core/v1 PersistentVolumeSpec: the sources that a kubelet still has, and those of drivers."""

    capacity: dict[str, str | int | float] | None = None
    access_modes: tuple[str, ...] | None = None
    storage_class_name: str | None = None
    volume_mode: str | None = None
    claim_ref: ClaimReference | None = None
    host_path: HostPath | None = None
    local: LocalVolume | None = None
    nfs: NfsVolume | None = None
    iscsi: IscsiVolume | None = None
    fc: DriverVolume | None = None
    csi: CsiVolume | None = None
    flex_volume: FlexVolume | None = None
    aws_elastic_block_store: DriverVolume | None = None
    azure_disk: DriverVolume | None = None
    azure_file: DriverVolume | None = None
    cinder: DriverVolume | None = None
    gce_persistent_disk: DriverVolume | None = None
    portworx_volume: DriverVolume | None = None
    vsphere_volume: DriverVolume | None = None


class VolumeStatus(View, frozen=True):
    """core/v1 PersistentVolumeStatus."""

    phase: str | None = None


class PersistentVolume(View, frozen=True):
    """core/v1 PersistentVolume."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PersistentVolumeSpec = field(default_factory=PersistentVolumeSpec)
    status: VolumeStatus = VolumeStatus()


class CsiDriverSpec(View, frozen=True):
    """storage/v1 CSIDriverSpec."""

    fs_group_policy: str | None = None


class CsiDriver(View, frozen=True):
    """storage/v1 CSIDriver."""

    metadata: ObjectMeta = ObjectMeta()
    spec: CsiDriverSpec = CsiDriverSpec()


class VolumeNote(Struct, frozen=True):
    """A sentence that whoever reads about a volume must see, whatever the width of a table."""

    sentence: str


class Storage(Struct, frozen=True):
    """The objects of the input: claims by namespace and name, volumes in their order, drivers by name.

    `stand_ins` are directories of this machine by the names of the volumes that they stand for. `faults` are sentences
    by the names of a Pod's volumes: why the claim of each, looked up in an API server, can't be used.
    """

    claims: Mapping[tuple[str, str], PersistentVolumeClaim] = {}
    volumes: tuple[PersistentVolume, ...] = ()
    drivers: Mapping[str, CsiDriver] = {}
    stand_ins: Mapping[str, str] = {}
    faults: Mapping[str, str] = {}
