"""The volumes of a Pod: core/v1 of Kubernetes.

Of most volume sources Podward only needs to know that they are there.
"""

from __future__ import annotations

from msgspec import field

from podward.api.structure import View


class EmptyDir(View, frozen=True):
    """core/v1 EmptyDirVolumeSource."""

    medium: str | None = None
    size_limit: str | int | float | None = None


class HostPath(View, frozen=True):
    """core/v1 HostPathVolumeSource."""

    path: str = ""
    type: str | None = None


class OtherVolumeSource(View, frozen=True):
    """A volume source that needs an API server or a driver; its fields do not matter here."""


class FlexVolume(View, frozen=True):
    """core/v1 FlexVolumeSource: policies allow drivers by name."""

    driver: str | None = None


class FieldSelector(View, frozen=True):
    """core/v1 ObjectFieldSelector."""

    api_version: str | None = None
    field_path: str | None = None


class ProjectedItem(View, frozen=True):
    """core/v1 KeyToPath and DownwardAPIVolumeFile: one file of a projected volume."""

    key: str | None = None
    path: str | None = None
    field_ref: FieldSelector | None = None


class ProjectedItems(View, frozen=True):
    """core/v1 ConfigMapProjection and DownwardAPIProjection: `name` is the ConfigMap's."""

    name: str | None = None
    items: tuple[ProjectedItem, ...] | None = None


class ProjectedToken(View, frozen=True):
    """core/v1 ServiceAccountTokenProjection."""

    audience: str | None = None
    path: str | None = None


class ProjectedSource(View, frozen=True):
    """core/v1 VolumeProjection: only the sources that a service account's volume has."""

    service_account_token: ProjectedToken | None = None
    config_map: ProjectedItems | None = None
    downward_api: ProjectedItems | None = field(default=None, name="downwardAPI")


class Projected(View, frozen=True):
    """core/v1 ProjectedVolumeSource."""

    sources: tuple[ProjectedSource, ...] | None = None


class Volume(View, frozen=True):
    """core/v1 Volume, with every kind of source that the API knows."""

    name: str = ""
    empty_dir: EmptyDir | None = None
    host_path: HostPath | None = None
    aws_elastic_block_store: OtherVolumeSource | None = None
    azure_disk: OtherVolumeSource | None = None
    azure_file: OtherVolumeSource | None = None
    cephfs: OtherVolumeSource | None = None
    cinder: OtherVolumeSource | None = None
    config_map: OtherVolumeSource | None = None
    csi: OtherVolumeSource | None = None
    downward_api: OtherVolumeSource | None = field(default=None, name="downwardAPI")
    ephemeral: OtherVolumeSource | None = None
    fc: OtherVolumeSource | None = None
    flex_volume: FlexVolume | None = None
    flocker: OtherVolumeSource | None = None
    gce_persistent_disk: OtherVolumeSource | None = None
    git_repo: OtherVolumeSource | None = None
    glusterfs: OtherVolumeSource | None = None
    image: OtherVolumeSource | None = None
    iscsi: OtherVolumeSource | None = None
    nfs: OtherVolumeSource | None = None
    persistent_volume_claim: OtherVolumeSource | None = None
    photon_persistent_disk: OtherVolumeSource | None = None
    portworx_volume: OtherVolumeSource | None = None
    projected: Projected | None = None
    quobyte: OtherVolumeSource | None = None
    rbd: OtherVolumeSource | None = None
    scale_io: OtherVolumeSource | None = field(default=None, name="scaleIO")
    secret: OtherVolumeSource | None = None
    storageos: OtherVolumeSource | None = None
    vsphere_volume: OtherVolumeSource | None = None
