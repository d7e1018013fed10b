"""restrictedVolumes: a Pod may only use volumes of kinds that need no access to the node or to storage systems.

Specification (k8s.io/pod-security-admission, in our words), level restricted, overrides hostPathVolumes:

- since 1.0: each volume has a configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim,
  projected or secret

A volume with one of these sources passes, even if it has others. For another volume the detail names the first source
in the order of `_kind`, or `unknown`. It names volumes in their order, and each kind once, sorted. Kubernetes 1.33
allowed images, for all versions of the policy.
"""

from __future__ import annotations

from podward.api.volume import Volume
from podward.path import path
from podward.policy.pss.check import Check, CheckResult, FieldViolation, PssFacts, PssRemedy, Revision, failed
from podward.policy.pss.standard import Level
from podward.policy.pss.wording import plural, quoted_list

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
    """The name of the volume's forbidden source."""
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


def _volumes(facts: PssFacts) -> CheckResult | None:
    volumes = facts.spec.volumes
    if not volumes:
        return None
    bad = [(index, volume, _kind(volume)) for index, volume in enumerate(volumes) if not _allowed(volume)]
    if not bad:
        return None
    violations: list[FieldViolation] = [_violation(index, volume, kind) for index, volume, kind in bad]
    kinds = sorted({kind for _, _, kind in bad})
    word = plural("restricted volume type", "restricted volume types", kinds)
    names = quoted_list(volume.name for _, volume, _ in bad)
    detail = f"{plural('volume', 'volumes', bad)} {names} {plural('uses', 'use', bad)} {word} {quoted_list(kinds)}"
    return failed(ID, "restricted volume types", detail, violations)


def _violation(index: int, volume: Volume, kind: str) -> FieldViolation:
    at = path("spec", "volumes", index)
    if kind != UNKNOWN:
        return at / kind, kind, f'Volume "{volume.name}" is of the kind {kind}, which Pods may not bring themselves.'
    return at, None, f'Volume "{volume.name}" is of no kind that the standard knows.'


def _remedy(facts: PssFacts, result: CheckResult) -> PssRemedy:
    del facts, result
    return PssRemedy(
        "Use another kind of volume: a configMap or secret for settings, an emptyDir for scratch space, "
        "a persistentVolumeClaim for storage that an administrator provides."
    )


CHECK = Check(ID, Level.RESTRICTED, (Revision(0, _volumes, ("hostPathVolumes",)),), _remedy)
