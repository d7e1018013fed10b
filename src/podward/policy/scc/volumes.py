"""volumes and flexVolumes: which volumes a Pod may have.

Specification (OpenShift apiserver-library-go, sccmatching/provider.go and util, July 2026), in our words:
- The SCC's `volumes` must list the kind of each volume; `*` allows all. A volume without a source has no kind and is
  refused unless all are allowed. If a volume has several sources, which no API server accepts, the first in a fixed
  order counts.
- `secret` also allows a projected volume that contains only the parts of a service account's token volume: the token at
  `token` with the default audience, the ConfigMaps kube-root-ca.crt and openshift-service-ca.crt with their one key,
  and the namespace's name. A projected volume without sources is allowed too.
- If flexVolume is allowed and `allowedFlexVolumes` is not empty, it must list the driver of each flexVolume.
"""

from __future__ import annotations

from operator import attrgetter

from podward.api.gotext import quote
from podward.api.scc import SecurityContextConstraints
from podward.api.volume import Projected, ProjectedFields, ProjectedKeys, ProjectedSource, Volume
from podward.decision import Decision
from podward.path import path
from podward.policy.scc.scc_pod import SccPod
from podward.policy.scc.violation import NOTHING, SccErrors, SccViolation, refused

RULE = "volumes"
FLEX_RULE = "flexVolumes"

_ALL = "*"
_FLEX = "flexVolume"
_PLACE = path("spec", RULE)

_KINDS = (
    ("host_path", "hostPath"),
    ("empty_dir", "emptyDir"),
    ("gce_persistent_disk", "gcePersistentDisk"),
    ("aws_elastic_block_store", "awsElasticBlockStore"),
    ("git_repo", "gitRepo"),
    ("secret", "secret"),
    ("nfs", "nfs"),
    ("iscsi", "iscsi"),
    ("glusterfs", "glusterfs"),
    ("persistent_volume_claim", "persistentVolumeClaim"),
    ("rbd", "rbd"),
    ("flex_volume", "flexVolume"),
    ("cinder", "cinder"),
    ("cephfs", "cephFS"),
    ("flocker", "flocker"),
    ("downward_api", "downwardAPI"),
    ("fc", "fc"),
    ("azure_file", "azureFile"),
    ("config_map", "configMap"),
    ("vsphere_volume", "vsphere"),
    ("quobyte", "quobyte"),
    ("azure_disk", "azureDisk"),
    ("photon_persistent_disk", "photonPersistentDisk"),
    ("projected", "projected"),
    ("portworx_volume", "portworxVolume"),
    ("scale_io", "scaleIO"),
    ("storageos", "storageOS"),
    ("csi", "csi"),
    ("ephemeral", "ephemeral"),
    ("image", "image"),
)
"""The sources of a volume and their names in SCCs, in the order in which OpenShift looks for them."""

_NAMES = tuple(name for _, name in _KINDS)
_sources = attrgetter(*(attribute for attribute, _ in _KINDS))

_GO_SOURCES = (
    "HostPath EmptyDir GCEPersistentDisk AWSElasticBlockStore GitRepo Secret NFS ISCSI Glusterfs PersistentVolumeClaim "
    "RBD Quobyte FlexVolume:Flex Cinder CephFS Flocker DownwardAPI FC AzureFile ConfigMap "
    "VsphereVolume:VsphereVirtualDisk AzureDisk PhotonPersistentDisk Projected PortworxVolume:Portworx ScaleIO "
    "StorageOS CSI Ephemeral Image"
)
"""The fields of Go's VolumeSource in their order, with the type's name if it differs. The error about a volume without
source prints this struct as Go does."""


class VolumeRule:
    """The rule of an SCC that does not allow all volumes."""

    __slots__ = ("_allowed", "_errors", "_source", "_tokens")

    def __init__(self, scc: str, allowed: frozenset[str]) -> None:
        self._errors = SccErrors(scc, RULE)
        self._source = self._errors.source(RULE)
        self._allowed = allowed
        self._tokens = "secret" in allowed

    def decide_pod(self, pod: SccPod) -> Decision:
        """The violations of the Pod's volumes."""
        volumes = pod.spec.volumes
        if not volumes:
            return NOTHING
        violations: list[SccViolation] = []
        for index, volume in enumerate(volumes):
            kind = kind_of(volume)
            if kind in self._allowed:
                continue
            if kind == "projected" and self._tokens and _only_token(volume.projected):
                continue
            detail = f"{kind} volumes are not allowed to be used" if kind else _unknown(volume)
            text = f"{quote(kind)}: {detail}"
            printed = f".spec.{RULE}[{index}]"
            violations.append(self._errors.invalid(printed, _PLACE / index, kind, text, self._source))
        return refused(*violations) if violations else NOTHING


class FlexRule:
    """The rule of an SCC that allows only some drivers of flexVolumes."""

    __slots__ = ("_drivers", "_errors", "_source")

    def __init__(self, scc: str, drivers: frozenset[str]) -> None:
        self._errors = SccErrors(scc, FLEX_RULE)
        self._source = self._errors.source("allowedFlexVolumes")
        self._drivers = drivers

    def decide_pod(self, pod: SccPod) -> Decision:
        """The violations of the drivers of the Pod's flexVolumes."""
        violations: list[SccViolation] = []
        for index, volume in enumerate(pod.spec.volumes or ()):
            if volume.flex_volume is None:
                continue
            driver = volume.flex_volume.driver or ""
            if driver not in self._drivers:
                printed = f".spec.{RULE}[{index}].{_FLEX}.driver"
                place = _PLACE / index / _FLEX / "driver"
                text = f"{quote(driver)}: Flexvolume driver is not allowed to be used"
                violations.append(self._errors.invalid(printed, place, driver, text, self._source))
        return refused(*violations) if violations else NOTHING


def volume_rule(scc: SecurityContextConstraints) -> VolumeRule | None:
    """The rule about kinds of volumes; None if the SCC allows all."""
    allowed = frozenset(scc.volumes or ())
    return None if _ALL in allowed else VolumeRule(scc.metadata.name or "", allowed)


def flex_rule(scc: SecurityContextConstraints) -> FlexRule | None:
    """The rule about drivers of flexVolumes; None if the SCC allows all drivers or no flexVolumes."""
    allowed = scc.volumes or ()
    if not scc.allowed_flex_volumes or not (_FLEX in allowed or _ALL in allowed):
        return None
    return FlexRule(scc.metadata.name or "", frozenset(flex.driver or "" for flex in scc.allowed_flex_volumes))


def kind_of(volume: Volume) -> str:
    """The name of the volume's kind in SCCs; empty if the volume has no source."""
    for name, source in zip(_NAMES, _sources(volume), strict=True):
        if source is not None:
            return name
    return ""


def _unknown(volume: Volume) -> str:
    fields = []
    for words in _GO_SOURCES.split():
        name, _, kind = words.partition(":")
        fields.append(f"{name}:(*core.{kind or name}VolumeSource)(nil)")
    sources = f"core.VolumeSource{{{', '.join(fields)}}}"
    return f"unknown volume type for volume: core.Volume{{Name:{quote(volume.name)}, VolumeSource:{sources}}}"


_CONFIG_MAPS = {"kube-root-ca.crt": "ca.crt", "openshift-service-ca.crt": "service-ca.crt"}


def _only_token(projected: Projected | None) -> bool:
    return projected is not None and all(map(_comes_with_token, projected.sources or ()))


def _comes_with_token(source: ProjectedSource) -> bool:
    token, config_map, downward = source.service_account_token, source.config_map, source.downward_api
    if token is None and config_map is None and downward is None:
        return False
    if token is not None and (token.path != "token" or token.audience):
        return False
    return (config_map is None or _is_bundle(config_map)) and (downward is None or _is_namespace(downward))


def _is_bundle(config_map: ProjectedKeys) -> bool:
    key = _CONFIG_MAPS.get(config_map.name or "")
    items = config_map.items or ()
    return key is not None and len(items) == 1 and items[0].key == key and items[0].path == key


def _is_namespace(downward: ProjectedFields) -> bool:
    return all(
        item.path == "namespace"
        and item.field_ref is not None
        and item.field_ref.api_version == "v1"
        and item.field_ref.field_path == "metadata.namespace"
        for item in downward.items or ()
    )
