"""What PersistentVolumes are made of, source by source.

Specification: Kubernetes, ValidatePersistentVolumeSpec and the function of each source. Most are those of a Pod's
volumes; where a source has a Secret, its namespace stands beside its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.schema.strategies.kind import walks
from podward.schema.validation import volume_source
from podward.schema.validation.field import NOTHING, Place, each, invalid, required, too_long
from podward.schema.validation.local_path import backstep_faults
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import number, pointer, text
from podward.schema.validation.rules import Code, Rule

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.schema.validation.walk import Scope

_LONGEST_DRIVER, _LONGEST_PORTAL = 63, 64
_PORTAL = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters"
    " if iscsi.initiatorName is specified."
)
_SECRETS = ("controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef")

SOURCES: Mapping[str, str] = {
    "hostPath": "HostPathVolumeSource",
    "gcePersistentDisk": "GCEPersistentDiskVolumeSource",
    "awsElasticBlockStore": "AWSElasticBlockStoreVolumeSource",
    "glusterfs": "glusterfs",
    "flocker": "FlockerVolumeSource",
    "nfs": "NFSVolumeSource",
    "rbd": "rbd",
    "quobyte": "QuobyteVolumeSource",
    "cephfs": "cephfs",
    "iscsi": "iscsi",
    "cinder": "cinder",
    "fc": "FCVolumeSource",
    "flexVolume": "flexVolume",
    "azureFile": "azureFile",
    "vsphereVolume": "VsphereVirtualDiskVolumeSource",
    "photonPersistentDisk": "PhotonPersistentDiskVolumeSource",
    "portworxVolume": "PortworxVolumeSource",
    "azureDisk": "AzureDiskVolumeSource",
    "scaleIO": "scaleIO",
    "local": "local",
    "storageos": "storageos",
    "csi": "csi",
}
"""The sources in the order in which the server looks for them, and which rules each has."""
FIELDS: Mapping[str, tuple[str, str]] = {
    "gcePersistentDisk": ("gcePersistentDisk", "persistentDisk"),
    "cephfs": ("cephFS", "cephfs"),
}
"""Fields that the server calls otherwise: where it refuses a second, where it looks into them."""


def driver_name(name: str, at: Place) -> Decision:
    """What is wrong with the name of a CSI driver."""
    if not name:
        return required(at)
    found = too_long(at, "", _LONGEST_DRIVER) if len(name.encode()) > _LONGEST_DRIVER else NOTHING
    return found + each(at, name, subdomain_faults(name.lower()))


def _csi(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    found = [driver_name(text(source, "driver"), at / "driver")]
    if not text(source, "volumeHandle"):
        found.append(required(at / "volumeHandle"))
    for field in _SECRETS:
        reference = source.get(field)
        if isinstance(reference, dict):
            found.append(_secret(reference, at / field))
    return merge(*found)


def _secret(reference: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    for field, faults in (("name", subdomain_faults), ("namespace", label_faults)):
        value = text(reference, field)
        found.append(each(at / field, value, faults(value)) if value else required(at / field))
    return merge(*found)


def _placed_secret(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A reference to a Secret, of which nothing is asked but to be there."""
    reference = source.get("secretRef")
    if not isinstance(reference, dict):
        return NOTHING
    place = at / "secretRef"
    return merge(*[required(place / field) for field in ("name", "namespace") if not text(reference, field)])


def _endpoints(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    namespace, place = pointer(source, "endpointsNamespace"), at / "endpointsNamespace"
    if namespace is None:
        return NOTHING
    if not namespace:
        return invalid(place, "", "if the endpointnamespace is set, it must be a valid namespace name")
    return each(place, namespace, label_faults(namespace))


def _iscsi(source: JsonObject, scope: Scope, at: Place) -> Decision:
    portal, found, lun = text(source, "targetPortal"), [], number(source, "lun")
    if not portal:
        found.append(required(at / "targetPortal"))
    begun = source.get("initiatorName") is not None
    if begun and len(f"{scope.name}:{portal}".encode()) > _LONGEST_PORTAL:
        found.append(invalid(at / "targetportal", portal, _PORTAL))
    name = text(source, "iqn")
    faults = ("must be valid format",) if volume_source.initiator_faults(name) else ()
    found.append(each(at / "iqn", name, faults) if name else required(at / "iqn"))
    if not 0 <= lun <= volume_source.LARGEST_LUN:
        found.append(invalid(at / "lun", lun, f"must be between 0 and {volume_source.LARGEST_LUN}, inclusive"))
    found.append(volume_source.authentication(source, scope, at))
    reference = source.get("secretRef")
    if isinstance(reference, dict) and not text(reference, "name"):
        found.append(required(at / "secretRef" / "name"))
    if begun and volume_source.initiator_faults(text(source, "initiatorName")):
        found.append(invalid(at / "initiatorname", text(source, "initiatorName"), "must be valid format"))
    return merge(*found)


def _local(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    path, place = text(source, "path"), at / "path"
    return each(place, path, backstep_faults(path)) if path else required(place)


def _secret_namespace(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    return required(at / "secretNamespace") if pointer(source, "secretNamespace") == "" else NOTHING


def _label(field: str, *, needed: bool) -> Code:
    def ask(source: JsonObject, _scope: Scope, at: Place) -> Decision:
        value, place = text(source, field), at / field
        if value:
            return each(place, value, label_faults(value))
        return required(place) if needed else NOTHING

    return Code(ask)


def _needed(*fields: str) -> Code:
    """Texts or lists that are not empty."""

    def ask(source: JsonObject, _scope: Scope, at: Place) -> Decision:
        missing = [field for field in fields if not source.get(field)]
        return merge(*[required(at / field) for field in missing]) if missing else NOTHING

    return Code(ask)


_RULES: Mapping[str, Sequence[Rule]] = {
    "glusterfs": (_needed("endpoints", "path"), Code(_endpoints)),
    "rbd": (_needed("monitors", "image"),),
    "cephfs": (_needed("monitors"),),
    "iscsi": (Code(_iscsi),),
    "cinder": (_needed("volumeID"), Code(_placed_secret)),
    "flexVolume": (_needed("driver"), Code(volume_source.flex, ("options",))),
    "azureFile": (_needed("secretName", "shareName"), Code(_secret_namespace)),
    "scaleIO": (_needed("gateway", "system", "volumeName"),),
    "local": (Code(_local),),
    "storageos": (
        _label("volumeName", needed=True),
        _label("volumeNamespace", needed=False),
        Code(_placed_secret),
    ),
    "csi": (Code(_csi),),
}
WALKS = walks(_RULES)
