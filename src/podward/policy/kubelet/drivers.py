"""Volumes whose files only a driver knows: what they are, and what fsGroup does to them.

Specification (kubelet, `SetUpAt` of the plugins in pkg/volume, `supportsFSGroup` of pkg/volume/csi, and the CSI
migration, in our words):
- nfs: the kubelet leaves owners and modes to the server.
- iscsi and fc: the kubelet gives the files to fsGroup, unless the volume is read-only.
- flexVolume: the driver says whether fsGroup applies.
- csi: the `fsGroupPolicy` of the CSIDriver object says it. None: never. File: always. ReadWriteOnceWithFSType, which is
  also meant where there is no such object: if the volume has an fsType, and ReadWriteOnce among its access modes; an
  inline volume counts as ReadWriteOnce. Never for a read-only volume. A driver that mounts with a group itself
  (VOLUME_MOUNT_GROUP) is given the group instead.
- The old in-tree kinds of clouds are volumes of CSI drivers.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.storage import PersistentVolume, PersistentVolumeSpec, Storage
from podward.api.volume import CsiVolume, Volume

_MIGRATED = {
    "aws_elastic_block_store": "ebs.csi.aws.com",
    "azure_disk": "disk.csi.azure.com",
    "azure_file": "file.csi.azure.com",
    "cinder": "cinder.csi.openstack.org",
    "gce_persistent_disk": "pd.csi.storage.gke.io",
    "portworx_volume": "pxd.portworx.com",
    "vsphere_volume": "csi.vsphere.vmware.com",
}
_IN_TREE = ("nfs", "iscsi", "fc", "flex_volume")
SOURCES = frozenset((*_MIGRATED, *_IN_TREE, "csi"))
"""Fields of a volume, or of a PersistentVolume, whose files a driver has."""
CSI = "csi "
"""What stands before the name of a CSI driver."""
_ONCE = "ReadWriteOnce"
_DEFAULT_POLICY = "ReadWriteOnceWithFSType"


class DriverVolume(Struct, frozen=True):
    """A driver's volume: what it is in a few words, what is known of fsGroup, and whether it is read-only."""

    what: str
    fs_group: str
    readonly: bool = False


def of_volume(field: str, volume: Volume, storage: Storage) -> DriverVolume:
    """A volume of a Pod whose source is `field`."""
    source = getattr(volume, field, None)
    readonly = bool(getattr(source, "read_only", False))
    if field == "csi" and isinstance(source, CsiVolume):
        return _csi(source.driver, source.fs_type, (_ONCE,), storage, readonly=readonly)
    if field in _MIGRATED:
        return _csi(_MIGRATED[field], getattr(source, "fs_type", None), (_ONCE,), storage, readonly=readonly)
    return DriverVolume(_described(field, source), _fs_group(field, readonly=readonly), readonly)


def of_persistent_volume(volume: PersistentVolume, storage: Storage, *, readonly: bool) -> DriverVolume:
    """A PersistentVolume that a claim is bound to; the claim of the Pod may be read-only."""
    spec = volume.spec
    field = next((name for name in _sources(spec) if getattr(spec, name) is not None), "")
    source = getattr(spec, field, None)
    readonly = readonly or bool(getattr(source, "read_only", False))
    if field == "csi" and spec.csi is not None:
        return _csi(spec.csi.driver, spec.csi.fs_type, spec.access_modes or (), storage, readonly=readonly)
    if field in _MIGRATED:
        fs_type = getattr(source, "fs_type", None)
        return _csi(_MIGRATED[field], fs_type, spec.access_modes or (), storage, readonly=readonly)
    return DriverVolume(_described(field, source), _fs_group(field, readonly=readonly), readonly)


def _sources(spec: PersistentVolumeSpec) -> tuple[str, ...]:
    return tuple(name for name in spec.__struct_fields__ if name in SOURCES)


def _described(field: str, source: object) -> str:
    """The source in a few words, such as `nfs nas.example:/export`."""
    parts = {
        "nfs": (getattr(source, "server", ""), getattr(source, "path", "")),
        "iscsi": (getattr(source, "target_portal", ""), getattr(source, "iqn", "")),
        "flex_volume": (getattr(source, "driver", ""),),
    }.get(field, ())
    name = {"flex_volume": "flexVolume", "": "a kind that no kubelet has"}.get(field, field)
    between = ":" if field == "nfs" else " "
    return f"{name} {between.join(str(part) for part in parts if part)}".rstrip()


def _fs_group(field: str, *, readonly: bool) -> str:
    if field == "nfs":
        return "fsGroup leaves an nfs volume alone: the server has owners and modes"
    if field == "flex_volume":
        return "whether fsGroup applies, the driver says"
    if field not in {"iscsi", "fc"}:
        return "what fsGroup does to it is not known"
    if readonly:
        return "fsGroup leaves a read-only volume alone"
    return "the kubelet gives the files to fsGroup"


def _csi(
    driver: str, fs_type: str | None, access_modes: tuple[str, ...], storage: Storage, *, readonly: bool
) -> DriverVolume:
    described = storage.drivers.get(driver)
    policy = (described.spec.fs_group_policy if described is not None else None) or _DEFAULT_POLICY
    said = f"CSIDriver {driver}: fsGroupPolicy {policy}"
    if described is None:
        said = f"no CSIDriver {driver} is described; its fsGroupPolicy is {_DEFAULT_POLICY} unless it says otherwise"
    if readonly:
        effect = "fsGroup leaves a read-only volume alone"
    elif policy == "None" or (policy == _DEFAULT_POLICY and not (fs_type and _ONCE in access_modes)):
        effect = f"fsGroup leaves it alone ({said})"
    else:
        effect = f"the kubelet, or the driver itself, gives the files to fsGroup ({said})"
    return DriverVolume(f"{CSI}{driver}", effect, readonly)
