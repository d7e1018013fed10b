"""What is asked of volumes, source by source; see `table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podward.schema.validation import (
    claim_template,
    downward,
    labels,
    local_path,
    metadata,
    projection,
    volume_source,
    volumes,
)
from podward.schema.validation.rules import (
    Always,
    Code,
    Each,
    Inside,
    May,
    Needed,
    One,
    Pointer,
    Rule,
    There,
)
from podward.schema.validation.values import (
    LABEL,
    MODE,
    PULL_POLICY,
    SUBDOMAIN,
    at_least,
    at_most,
    named,
    one_of,
    within,
)

_SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
    "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk",
    "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
)  # fmt: skip
"""In the order in which the server looks for them."""
_INSIDE = named(local_path.not_reserved_faults)
_LUN = within(0, volume_source.LARGEST_LUN)
_PARTITION = within(0, 255, "must be between 1 and 255, inclusive")
"""The server says 1 and means 0."""

VOLUMES: Mapping[str, Sequence[Rule]] = {
    "Volume": (
        One(
            _SOURCES,
            "must specify a volume type",
            "may not specify more than 1 volume type",
            printed={"downwardAPI": "downwarAPI", "cephfs": "cephFS"},
            placed={"gcePersistentDisk": "persistentDisk"},
            after={"iscsi": volumes.portal},
        ),
        Needed("name", LABEL),
    ),
    "EmptyDirVolumeSource": (Code(volume_source.empty_dir, ("sizeLimit",)),),
    "HostPathVolumeSource": (Code(volume_source.host_path),),
    "GitRepoVolumeSource": (
        Needed("repository"),
        May("directory", named(local_path.descending_faults)),
    ),
    "GCEPersistentDiskVolumeSource": (Needed("pdName"), May("partition", _PARTITION)),
    "AWSElasticBlockStoreVolumeSource": (Needed("volumeID"), May("partition", _PARTITION)),
    "SecretVolumeSource": (Needed("secretName"), May("defaultMode", MODE), Each("items")),
    "ConfigMapVolumeSource": (Needed("name"), May("defaultMode", MODE), Each("items")),
    "KeyToPath": (Needed("key"), Needed("path", _INSIDE), May("mode", MODE)),
    "DownwardAPIVolumeSource": (May("defaultMode", MODE), Code(projection.own_fields, ("items",))),
    "DownwardAPIVolumeFile": (
        Needed("path", _INSIDE),
        Inside("fieldRef", "ObjectFieldSelector/of a file"),
        Code(projection.own_field),
        May("mode", MODE),
    ),
    "ObjectFieldSelector/of a file": (Code(downward.field_of_file),),
    "ProjectedVolumeSource": (May("defaultMode", MODE), Code(projection.sources, ("sources",))),
    "ServiceAccountTokenProjection": (
        Always("expirationSeconds", at_least(600, "may not specify a duration less than 10 minutes")),
        Always("expirationSeconds", at_most(1 << 32, "may not specify a duration larger than 2^32 seconds")),
    ),
    "NFSVolumeSource": (
        Needed("server"),
        Needed("path"),
        Always("path", named(lambda path: () if path.startswith("/") else ("must be an absolute path",))),
    ),
    "ISCSIVolumeSource": (
        Needed("targetPortal"),
        Needed("iqn", named(volume_source.initiator_faults)),
        Always("lun", _LUN),
        Code(volume_source.authentication),
        Code(volume_source.initiator, ("initiatorName",)),
    ),
    "GlusterfsVolumeSource": (Needed("endpoints"), Needed("path")),
    "FlockerVolumeSource": (Code(volume_source.flocker),),
    "PersistentVolumeClaimVolumeSource": (Needed("claimName"),),
    "RBDVolumeSource": (Needed("monitors"), Needed("image")),
    "CinderVolumeSource": (Needed("volumeID"), Inside("secretRef", "LocalObjectReference/named")),
    "LocalObjectReference/named": (Needed("name"),),
    "CephFSVolumeSource": (Needed("monitors"),),
    "QuobyteVolumeSource": (Code(volume_source.quobyte),),
    "FCVolumeSource": (Code(volume_source.fibre_channel),),
    "FlexVolumeSource": (Needed("driver"), Code(volume_source.flex, ("options",))),
    "AzureFileVolumeSource": (Needed("secretName"), Needed("shareName")),
    "VsphereVirtualDiskVolumeSource": (Needed("volumePath"),),
    "PhotonPersistentDiskVolumeSource": (Needed("pdID"),),
    "PortworxVolumeSource": (Needed("volumeID"),),
    "AzureDiskVolumeSource": (
        Needed("diskName"),
        Needed("diskURI"),
        Pointer("cachingMode", one_of("None", "ReadOnly", "ReadWrite")),
        Pointer("kind", one_of("Dedicated", "Managed", "Shared")),
        Code(volume_source.azure_disk, ("kind",)),
    ),
    "StorageOSVolumeSource": (
        Needed("volumeName", LABEL),
        May("volumeNamespace", LABEL),
        Inside("secretRef", "LocalObjectReference/named"),
    ),
    "ScaleIOVolumeSource": (Needed("gateway"), Needed("system"), Needed("volumeName")),
    "CSIVolumeSource": (Code(volume_source.csi),),
    "EphemeralVolumeSource": (
        There("volumeClaimTemplate"),
        Inside("volumeClaimTemplate"),
        Code(volumes.claim_name),
    ),
    "PersistentVolumeClaimTemplate": (
        Inside("metadata", "ObjectMeta/template"),
        Inside("spec", even_absent=True),
    ),
    "ObjectMeta/template": (
        Code(metadata.check_annotations, ("annotations",)),
        Code(labels.of("labels"), ("labels",)),
        Code(claim_template.of_claims_alone),
    ),
    "PersistentVolumeClaimSpec": (
        Needed("accessModes", detail="at least 1 access mode is required"),
        Inside("selector"),
        Code(claim_template.modes, ("accessModes",)),
        Code(claim_template.storage),
        May("storageClassName", SUBDOMAIN),
        Pointer("volumeMode", one_of("Block", "Filesystem")),
        Code(claim_template.sources, ("dataSource", "dataSourceRef")),
        May("volumeAttributesClassName", SUBDOMAIN),
    ),
    "ImageVolumeSource": (Needed("reference"), Needed("pullPolicy", PULL_POLICY)),
}
