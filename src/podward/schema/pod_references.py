"""The names of the objects that a Pod or a PersistentVolume refers to, from the raw object.

Specification: Kubernetes, pkg/api/v1/pod VisitPodSecretNames and VisitPodConfigmapNames, pkg/api/pod
HasAPIObjectReference, pkg/api/v1/persistentvolume VisitPVSecretNames, component-helpers/storage/ephemeral,
dynamic-resource-allocation/resourceclaim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import container_objects, member, objects
from podward.path import Path
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import JsonObject

SECRET, CONFIG_MAP, CLAIM, ACCOUNT = "secrets", "configmaps", "persistentvolumeclaims", "serviceaccounts"
RESOURCE_CLAIM = "resourceclaims"
_SECRET_OF_SOURCE: dict[str, tuple[str, ...]] = {
    "azureFile": ("secretName",),
    "cephfs": ("secretRef", "name"),
    "cinder": ("secretRef", "name"),
    "flexVolume": ("secretRef", "name"),
    "rbd": ("secretRef", "name"),
    "secret": ("secretName",),
    "scaleIO": ("secretRef", "name"),
    "iscsi": ("secretRef", "name"),
    "storageos": ("secretRef", "name"),
    "csi": ("nodePublishSecretRef", "name"),
}
"""Where each kind of volume of a Pod names a Secret."""
_SECRETS_OF_CSI = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")
"""Those Secrets of a CSI volume that a kubelet reads; the others are its controller's."""
_WITHOUT_OBJECTS = frozenset(
    (
        "awsElasticBlockStore", "azureDisk", "cephfs", "cinder", "downwardAPI", "emptyDir", "fc", "flexVolume",
        "flocker", "gcePersistentDisk", "gitRepo", "hostPath", "image", "iscsi", "nfs", "photonPersistentDisk",
        "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
    )
)  # fmt: skip
_WITH_OBJECTS = {
    "configMap": "configmaps (via configmap volumes)",
    "secret": "secrets (via secret volumes)",
    "csi": "csidrivers (via CSI volumes)",
    "glusterfs": "endpoints (via glusterFS volumes)",
    "persistentVolumeClaim": "persistentvolumeclaims",
    "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
    "azureFile": "secrets (via azureFile volumes)",
}
_PROJECTED_OBJECTS = {
    "configMap": "configmaps (via projected volumes)",
    "secret": "secrets (via projected volumes)",
    "serviceAccountToken": "serviceaccounts (via projected volumes)",
    "clusterTrustBundle": "clustertrustbundles",
    "podCertificate": "podcertificates",
}


def referenced(pod: JsonObject) -> Iterator[tuple[str, str]]:
    """The plural and the name of each object that a Pod on a node needs, some more than once; never an empty name."""
    spec = member(pod, "spec")
    found = [
        (ACCOUNT, text(spec, "serviceAccountName")),
        *((SECRET, name) for name in secrets(pod)),
        *((CONFIG_MAP, name) for name in config_maps(pod)),
        *((CLAIM, claim_of(pod, volume)) for volume in objects(spec, "volumes")),
        *((RESOURCE_CLAIM, name) for name in _resource_claims(pod)),
    ]
    return ((plural, name) for plural, name in found if name)


def secrets(pod: JsonObject) -> Iterator[str]:
    """The names of the Secrets that the Pod names."""
    spec = member(pod, "spec")
    for reference in objects(spec, "imagePullSecrets"):
        yield text(reference, "name")
    yield from _in_environment(pod, "secretRef", "secretKeyRef")
    for volume in objects(spec, "volumes"):
        for source, (field, *rest) in _SECRET_OF_SOURCE.items():
            found = member(volume, source)
            yield text(member(found, field), rest[0]) if rest else text(found, field)
        for projected in objects(member(volume, "projected"), "sources"):
            yield text(member(projected, "secret"), "name")


def config_maps(pod: JsonObject) -> Iterator[str]:
    """The names of the ConfigMaps that the Pod names."""
    yield from _in_environment(pod, "configMapRef", "configMapKeyRef")
    for volume in objects(member(pod, "spec"), "volumes"):
        yield text(member(volume, "configMap"), "name")
        for projected in objects(member(volume, "projected"), "sources"):
            yield text(member(projected, "configMap"), "name")


def claim_of(pod: JsonObject, volume: JsonObject) -> str:
    """The name of the claim that a volume is of; empty where it is of none."""
    if isinstance(volume.get("persistentVolumeClaim"), dict):
        return text(member(volume, "persistentVolumeClaim"), "claimName")
    if isinstance(volume.get("ephemeral"), dict):
        return f"{text(member(pod, 'metadata'), 'name')}-{text(volume, 'name')}"
    return ""


def needs_api_objects(pod: JsonObject) -> str | None:
    """What kind of objects the Pod refers to; empty where that is unclear, None where it refers to none."""
    spec = member(pod, "spec")
    if text(spec, "serviceAccountName"):
        return ACCOUNT
    if any(secrets(pod)):
        return SECRET
    if any(config_maps(pod)):
        return CONFIG_MAP
    if objects(spec, "resourceClaims"):
        return RESOURCE_CLAIM
    for volume in objects(spec, "volumes"):
        found = _of_volume(volume)
        if found is not None:
            return found
    return None


def secrets_of_volume(volume: JsonObject) -> Iterator[tuple[str, str]]:
    """Namespace and name of each Secret that the kubelet needs for a PersistentVolume."""
    spec = member(volume, "spec")
    own = text(member(spec, "claimRef"), "namespace")
    azure = member(spec, "azureFile")
    found = [(text(azure, "secretNamespace") or own, text(azure, "secretName"))]
    for source in ("cephfs", "flexVolume", "rbd", "scaleIO", "iscsi"):
        reference = member(member(spec, source), "secretRef")
        found.append((text(reference, "namespace") or own, text(reference, "name")))
    exact = [member(member(spec, source), "secretRef") for source in ("cinder", "storageos")]
    exact += [member(member(spec, "csi"), name) for name in _SECRETS_OF_CSI]
    found += [(text(reference, "namespace"), text(reference, "name")) for reference in exact]
    return ((namespace, name) for namespace, name in found if name)


def _in_environment(pod: JsonObject, whole: str, key: str) -> Iterator[str]:
    for _, container in container_objects(pod, Path()):
        for each in objects(container, "envFrom"):
            yield text(member(each, whole), "name")
        for each in objects(container, "env"):
            yield text(member(member(each, "valueFrom"), key), "name")


def _resource_claims(pod: JsonObject) -> Iterator[str]:
    """Claims by their name, or by what the status says was made of a template."""
    status = member(pod, "status")
    made = {text(each, "name"): text(each, "resourceClaimName") for each in objects(status, "resourceClaimStatuses")}
    for claim in objects(member(pod, "spec"), "resourceClaims"):
        yield text(claim, "resourceClaimName") or (
            made.get(text(claim, "name"), "") if text(claim, "resourceClaimTemplateName") else ""
        )
    yield text(member(status, "extendedResourceClaimStatus"), "resourceClaimName")


def _of_volume(volume: JsonObject) -> str | None:
    for source, kind in _WITH_OBJECTS.items():
        if isinstance(volume.get(source), dict):
            return kind
    if isinstance(volume.get("projected"), dict):
        return _of_projected(objects(member(volume, "projected"), "sources"))
    return None if any(isinstance(volume.get(source), dict) for source in _WITHOUT_OBJECTS) else ""


def _of_projected(sources: list[JsonObject]) -> str | None:
    for source in sources:
        for name, kind in _PROJECTED_OBJECTS.items():
            if isinstance(source.get(name), dict):
                return kind
        if not isinstance(source.get("downwardAPI"), dict):
            return ""
    return None
