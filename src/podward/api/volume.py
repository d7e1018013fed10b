"""The volumes of a Pod: core/v1 of Kubernetes.

Of most sources it only matters that they are there.
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


class Source(View, frozen=True):
    """A source that needs an API server or a driver: that it is there is all that matters here."""


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
    """core/v1 VolumeProjection: the kinds that a service account's volume is made of; of others nothing is kept."""

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
    aws_elastic_block_store: Source | None = None
    azure_disk: Source | None = None
    azure_file: Source | None = None
    cephfs: Source | None = None
    cinder: Source | None = None
    config_map: Source | None = None
    csi: Source | None = None
    downward_api: Source | None = field(default=None, name="downwardAPI")
    ephemeral: Source | None = None
    fc: Source | None = None
    flex_volume: FlexVolume | None = None
    flocker: Source | None = None
    gce_persistent_disk: Source | None = None
    git_repo: Source | None = None
    glusterfs: Source | None = None
    image: Source | None = None
    iscsi: Source | None = None
    nfs: Source | None = None
    persistent_volume_claim: Source | None = None
    photon_persistent_disk: Source | None = None
    portworx_volume: Source | None = None
    projected: Projected | None = None
    quobyte: Source | None = None
    rbd: Source | None = None
    scale_io: Source | None = field(default=None, name="scaleIO")
    secret: Source | None = None
    storageos: Source | None = None
    vsphere_volume: Source | None = None
