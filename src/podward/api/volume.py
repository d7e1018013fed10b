"""The volumes of a Pod: core/v1 of Kubernetes.

Of sources that need a driver it only matters that they are there.
"""

from __future__ import annotations

from msgspec import Struct, field

from podward.api.claim import ClaimTemplate, LabelSelector
from podward.api.structure import View


class EmptyDir(View, frozen=True):
    """core/v1 EmptyDirVolumeSource."""

    medium: str | None = None
    size_limit: str | int | float | None = None


class HostPath(View, frozen=True):
    """core/v1 HostPathVolumeSource."""

    path: str = ""
    type: str | None = None


class LocalVolume(View, frozen=True):
    """core/v1 LocalVolumeSource: a directory or disk of one node; only a PersistentVolume has it."""

    path: str = ""
    fs_type: str | None = None


class NfsVolume(View, frozen=True):
    """core/v1 NFSVolumeSource."""

    server: str = ""
    path: str = ""
    read_only: bool | None = None


class IscsiVolume(View, frozen=True):
    """core/v1 ISCSIVolumeSource."""

    target_portal: str = ""
    iqn: str = ""
    lun: int | None = None
    fs_type: str | None = None
    read_only: bool | None = None


class CsiVolume(View, frozen=True):
    """core/v1 CSIVolumeSource and CSIPersistentVolumeSource."""

    driver: str = ""
    volume_handle: str | None = None
    fs_type: str | None = None
    read_only: bool | None = None


class DriverVolume(View, frozen=True):
    """A source of which only its kind matters, and what most of them have."""

    fs_type: str | None = None
    read_only: bool | None = None


class EphemeralVolume(View, frozen=True):
    """core/v1 EphemeralVolumeSource: the Pod comes with a claim of its own."""

    volume_claim_template: ClaimTemplate | None = None


class OtherVolumeSource(View, frozen=True):
    """A source that needs a driver: that it is there is all that matters here."""


class FlexVolume(View, frozen=True):
    """core/v1 FlexVolumeSource: policies allow drivers by name."""

    driver: str | None = None
    fs_type: str | None = None
    read_only: bool | None = None


class FieldSelector(View, frozen=True):
    """core/v1 ObjectFieldSelector."""

    api_version: str | None = None
    field_path: str | None = None


class ResourceSelector(View, frozen=True):
    """core/v1 ResourceFieldSelector."""

    container_name: str | None = None
    resource: str | None = None
    divisor: str | int | float | None = None


class KeyToPath(View, frozen=True):
    """core/v1 KeyToPath: which key of a Secret or ConfigMap becomes which file."""

    key: str = ""
    path: str = ""
    mode: int | None = None


class DownwardFile(View, frozen=True):
    """core/v1 DownwardAPIVolumeFile: which field of the Pod becomes which file."""

    path: str = ""
    field_ref: FieldSelector | None = None
    resource_field_ref: ResourceSelector | None = None
    mode: int | None = None


class SecretVolume(View, frozen=True):
    """core/v1 SecretVolumeSource."""

    secret_name: str | None = None
    items: tuple[KeyToPath, ...] | None = None
    default_mode: int | None = None
    optional: bool | None = None


class ConfigMapVolume(View, frozen=True):
    """core/v1 ConfigMapVolumeSource."""

    name: str | None = None
    items: tuple[KeyToPath, ...] | None = None
    default_mode: int | None = None
    optional: bool | None = None


class DownwardVolume(View, frozen=True):
    """core/v1 DownwardAPIVolumeSource."""

    items: tuple[DownwardFile, ...] | None = None
    default_mode: int | None = None


class ProjectedKeys(View, frozen=True):
    """core/v1 SecretProjection and ConfigMapProjection: `name` is the object's."""

    name: str | None = None
    items: tuple[KeyToPath, ...] | None = None
    optional: bool | None = None


class ProjectedFields(View, frozen=True):
    """core/v1 DownwardAPIProjection."""

    items: tuple[DownwardFile, ...] | None = None


class ProjectedToken(View, frozen=True):
    """core/v1 ServiceAccountTokenProjection; `expiration_seconds` counts from the token's making."""

    audience: str | None = None
    expiration_seconds: int | None = None
    path: str | None = None


class TrustBundle(View, frozen=True):
    """core/v1 ClusterTrustBundleProjection."""

    name: str | None = None
    signer_name: str | None = None
    label_selector: LabelSelector | None = None
    optional: bool | None = None
    path: str | None = None


class PodCertificate(View, frozen=True):
    """core/v1 PodCertificateProjection."""

    signer_name: str | None = None
    credential_bundle_path: str | None = None
    key_path: str | None = None
    certificate_chain_path: str | None = None


class ProjectedSource(View, frozen=True):
    """core/v1 VolumeProjection: one source of several that share a volume."""

    secret: ProjectedKeys | None = None
    config_map: ProjectedKeys | None = None
    downward_api: ProjectedFields | None = field(default=None, name="downwardAPI")
    service_account_token: ProjectedToken | None = None
    cluster_trust_bundle: TrustBundle | None = None
    pod_certificate: PodCertificate | None = None


class Projected(View, frozen=True):
    """core/v1 ProjectedVolumeSource."""

    sources: tuple[ProjectedSource, ...] | None = None
    default_mode: int | None = None


class ClaimVolume(View, frozen=True):
    """core/v1 PersistentVolumeClaimVolumeSource."""

    claim_name: str = ""
    read_only: bool | None = None


class ImageVolume(View, frozen=True):
    """core/v1 ImageVolumeSource."""

    reference: str | None = None
    pull_policy: str | None = None


class NamedSource(Struct, frozen=True):
    """A volume's name, and which source it has, such as `secret` or `hostPath`."""

    name: str
    kind: str


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
    config_map: ConfigMapVolume | None = None
    csi: CsiVolume | None = None
    downward_api: DownwardVolume | None = field(default=None, name="downwardAPI")
    ephemeral: EphemeralVolume | None = None
    fc: DriverVolume | None = None
    flex_volume: FlexVolume | None = None
    flocker: OtherVolumeSource | None = None
    gce_persistent_disk: OtherVolumeSource | None = None
    git_repo: OtherVolumeSource | None = None
    glusterfs: OtherVolumeSource | None = None
    image: ImageVolume | None = None
    iscsi: IscsiVolume | None = None
    nfs: NfsVolume | None = None
    persistent_volume_claim: ClaimVolume | None = None
    photon_persistent_disk: OtherVolumeSource | None = None
    portworx_volume: OtherVolumeSource | None = None
    projected: Projected | None = None
    quobyte: OtherVolumeSource | None = None
    rbd: OtherVolumeSource | None = None
    scale_io: OtherVolumeSource | None = field(default=None, name="scaleIO")
    secret: SecretVolume | None = None
    storageos: OtherVolumeSource | None = None
    vsphere_volume: OtherVolumeSource | None = None
