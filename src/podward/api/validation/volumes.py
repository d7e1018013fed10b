"""Volumes: one source each, a name of their own, and no path that goes up.

Specification: Kubernetes 1.36, ValidateVolumes, in so far as the sources are known here: of the others only that
there is one. Two names are printed as the server prints them. A refused volume does not exist for its mounts.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.json_value import JsonObject
from podward.api.raw_fields import member, objects
from podward.api.validation.field import duplicate, forbidden, required, unsupported
from podward.api.validation.local_path import no_backsteps
from podward.api.validation.names import label
from podward.api.volume import HostPath, Volume
from podward.decision import Decision, merge
from podward.path import Path

SOURCES = (
    "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
    "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "flexVolume", "configMap",
    "downwardAPI", "fc", "azureFile", "vsphereVolume", "quobyte", "azureDisk", "storageos", "photonPersistentDisk",
    "portworxVolume", "scaleIO", "projected", "csi", "ephemeral", "image",
)  # fmt: skip
"""In the order in which the server counts them."""

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip

_PRINTED = {"downwardAPI": "downwarAPI", "cephfs": "cephFS"}


def check(spec: PodSpec, raw: JsonObject, at: Path) -> tuple[Decision, frozenset[str]]:
    """The Pod's volumes, typed and raw; with the names of those that are valid."""
    found: list[Decision] = []
    names: set[str] = set()
    sources = objects(member(raw, "spec"), "volumes")
    for index, volume in enumerate(spec.volumes or ()):
        own = _volume(volume, sources[index], at / "volumes" / index)
        if volume.name in names:
            own += duplicate(at / "volumes" / index / "name", volume.name)
        if own.refused:
            found.append(own)
        else:
            names.add(volume.name)
    return merge(*found), frozenset(names)


def check_tokens(spec: PodSpec, raw: JsonObject, at: Path) -> Decision:
    """A projected token is a service account's, which the Pod must then have."""
    if spec.service_account_name:
        return Decision()
    found: list[Decision] = []
    for index, volume in enumerate(objects(member(raw, "spec"), "volumes")):
        for number, source in enumerate(objects(member(volume, "projected"), "sources")):
            if source.get("serviceAccountToken") is not None:
                place = at / "volumes" / index / "projected" / "sources" / number / "serviceAccountToken"
                found.append(forbidden(place, "must not be specified when serviceAccountName is not set"))
    return merge(*found)


def _volume(volume: Volume, raw: JsonObject, at: Path) -> Decision:
    present = [name for name in SOURCES if raw.get(name) is not None]
    found = [
        forbidden(at / _PRINTED.get(name, name), "may not specify more than 1 volume type") for name in present[1:]
    ]
    if not present:
        found.append(required(at, "must specify a volume type"))
    if volume.host_path is not None and present[:1] == ["hostPath"]:
        found.append(_host_path(volume.host_path, at / "hostPath"))
    found.append(label(volume.name, at / "name") if volume.name else required(at / "name"))
    return merge(*found)


def _host_path(source: HostPath, at: Path) -> Decision:
    if not source.path:
        return required(at / "path")
    found = no_backsteps(source.path, at / "path")
    if source.type is not None and source.type not in HOST_PATH_TYPES:
        found += unsupported(at / "type", source.type, HOST_PATH_TYPES)
    return found
