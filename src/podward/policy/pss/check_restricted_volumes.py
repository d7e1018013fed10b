"""restrictedVolumes: volumes are of the kinds that a Pod may bring itself, or claims.

Specification (k8s.io/pod-security-admission, in our words), level restricted, overrides hostPathVolumes:

- since 1.0: each volume has a configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim,
  projected or secret

A volume with one of these passes whatever else it has. Of another volume the first source in the order of `_kind` is
named; without any of them it is `unknown`. Volumes are named in their order, kinds once each and sorted. Images became
an allowed kind with Kubernetes 1.33, for all versions at once.
"""

from __future__ import annotations

from podward.api.volume import Volume
from podward.decision import Value
from podward.path import Path, path
from podward.policy.pss.check import Check, CheckResult, Facts, PssRemedy, Revision, found
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import joined, plural

ID = "restrictedVolumes"
UNKNOWN = "unknown"


def _allowed(volume: Volume) -> bool:
    return (
        volume.config_map is not None
        or volume.secret is not None
        or volume.empty_dir is not None
        or volume.projected is not None
        or volume.persistent_volume_claim is not None
        or volume.csi is not None
        or volume.downward_api is not None
        or volume.ephemeral is not None
        or volume.image is not None
    )


def _kind(volume: Volume) -> str:
    """The name of the source that is at fault."""
    sources = (
        ("hostPath", volume.host_path),
        ("gcePersistentDisk", volume.gce_persistent_disk),
        ("awsElasticBlockStore", volume.aws_elastic_block_store),
        ("gitRepo", volume.git_repo),
        ("nfs", volume.nfs),
        ("iscsi", volume.iscsi),
        ("glusterfs", volume.glusterfs),
        ("rbd", volume.rbd),
        ("flexVolume", volume.flex_volume),
        ("cinder", volume.cinder),
        ("cephfs", volume.cephfs),
        ("flocker", volume.flocker),
        ("fc", volume.fc),
        ("azureFile", volume.azure_file),
        ("vsphereVolume", volume.vsphere_volume),
        ("quobyte", volume.quobyte),
        ("azureDisk", volume.azure_disk),
        ("portworxVolume", volume.portworx_volume),
        ("photonPersistentDisk", volume.photon_persistent_disk),
        ("scaleIO", volume.scale_io),
        ("storageos", volume.storageos),
    )
    return next((name for name, source in sources if source is not None), UNKNOWN)


def _volumes(facts: Facts) -> CheckResult | None:
    volumes = facts.spec.volumes
    if not volumes:
        return None
    bad = [(index, volume, _kind(volume)) for index, volume in enumerate(volumes) if not _allowed(volume)]
    if not bad:
        return None
    faults: list[tuple[Path, Value, str]] = [_fault(index, volume, kind) for index, volume, kind in bad]
    kinds = sorted({kind for _, _, kind in bad})
    word = plural("restricted volume type", "restricted volume types", kinds)
    names = joined(volume.name for _, volume, _ in bad)
    detail = f"{plural('volume', 'volumes', bad)} {names} {plural('uses', 'use', bad)} {word} {joined(kinds)}"
    return found(ID, "restricted volume types", detail, faults)


def _fault(index: int, volume: Volume, kind: str) -> tuple[Path, Value, str]:
    at = path("spec", "volumes", index)
    if kind != UNKNOWN:
        return at / kind, kind, f'Volume "{volume.name}" is of the kind {kind}, which Pods may not bring themselves.'
    return at, None, f'Volume "{volume.name}" is of no kind that the standard knows.'


def _cure(facts: Facts, result: CheckResult) -> PssRemedy:
    del facts, result
    return PssRemedy(
        "Use another kind of volume: a configMap or secret for settings, an emptyDir for scratch space, "
        "a persistentVolumeClaim for storage that an administrator provides."
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(0, _volumes, ("hostPathVolumes",)),), _cure)
