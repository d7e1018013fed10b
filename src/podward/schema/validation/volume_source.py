"""What each kind of volume must say.

Specification: Kubernetes, validateVolumeSource and the function of each source. Most want some fields that aren't
empty; the others have a function here. Errors about a GCE disk are printed under `persistentDisk`.
"""

from __future__ import annotations

from collections.abc import Callable
from re import compile as pattern
from typing import TypeAlias

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.path import Key, Path
from podward.schema.validation import claim_template, policies, projection
from podward.schema.validation.field import (
    each,
    forbidden,
    in_range,
    invalid,
    invalid_value,
    required,
    too_long,
    unsupported,
)
from podward.schema.validation.local_path import descending, no_backsteps
from podward.schema.validation.names import label, subdomain_faults
from podward.schema.validation.raw import number, pointer, strings, text, texts

HOST_PATH_TYPES = (
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket",
)  # fmt: skip

_NOT_EMPTY = {
    "gcePersistentDisk": ("pdName",),
    "awsElasticBlockStore": ("volumeID",),
    "glusterfs": ("endpoints", "path"),
    "persistentVolumeClaim": ("claimName",),
    "rbd": ("monitors", "image"),
    "cinder": ("volumeID",),
    "cephfs": ("monitors",),
    "azureFile": ("secretName", "shareName"),
    "vsphereVolume": ("volumePath",),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "scaleIO": ("gateway", "system", "volumeName"),
    "azureDisk": ("diskName", "diskURI"),
}
_NAMED = {"configMap": "name", "secret": "secretName", "persistentVolumeClaim": "claimName"}
_LARGEST_LUN = 255
_LONGEST_TENANT, _LONGEST_DRIVER = 64, 63
_CACHING = ("None", "ReadOnly", "ReadWrite")
_DISK_KINDS = ("Dedicated", "Managed", "Shared")
_MANAGED = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
_REGISTRY_RULE = "must be a host:port pair or multiple pairs separated by commas"
_INITIATORS = {
    "iqn": pattern(r"iqn\.[0-9]{4}-[0-9]{2}\.[0-9A-Za-z.-]+:[^,;*&$|\t\n\f\r ]+\Z"),
    "eui": pattern(r"^eui.[0-9A-Za-z]{16}\Z"),
    "naa": pattern(r"^naa.[0-9A-Za-z]{32}\Z"),
}


def check(kind: str, source: JsonObject, at: Path) -> Decision:
    """The source of this kind; `at` is its place."""
    empty = [name for name in _NOT_EMPTY.get(kind, ()) if not source.get(name)]
    place = at if kind != "gcePersistentDisk" else Path((*at.segments[:-1], "persistentDisk"))
    found = merge(*(required(place / name) for name in empty))
    rule = _RULES.get(kind)
    return found + rule(source, place) if rule is not None else found


def surely_sound(kind: str, source: JsonObject) -> bool:
    """Whether the source is of one of the commonest kinds, and so plain that nothing can be said against it."""
    if kind == "emptyDir":
        return source.get("sizeLimit") is None
    name = _NAMED.get(kind)
    if name is None or not text(source, name) or source.get("items"):
        return False
    mode = source.get("defaultMode")
    return type(mode) is not int or 0 <= mode <= projection.LARGEST_MODE


def _empty_dir(source: JsonObject, at: Path) -> Decision:
    limit = source.get("sizeLimit")
    if limit is None or parse(str(limit)).units >= 0:
        return Decision()
    return forbidden(at / "sizeLimit", "SizeLimit field must be a valid resource quantity")


def _host_path(source: JsonObject, at: Path) -> Decision:
    path, kind = text(source, "path"), pointer(source, "type")
    if not path:
        return required(at / "path")
    found = no_backsteps(path, at / "path")
    if kind is not None and kind not in HOST_PATH_TYPES:
        found += unsupported(at / "type", kind, HOST_PATH_TYPES)
    return found


def _git_repo(source: JsonObject, at: Path) -> Decision:
    found = Decision() if text(source, "repository") else required(at / "repository")
    return found + descending(text(source, "directory"), at / "directory")


def _partition(source: JsonObject, at: Path) -> Decision:
    value = number(source, "partition")
    # The server says 1 and means 0.
    return Decision() if 0 <= value <= _LARGEST_LUN else in_range(at / "partition", value, 1, _LARGEST_LUN)


def _secret(source: JsonObject, at: Path) -> Decision:
    return merge(
        Decision() if text(source, "secretName") else required(at / "secretName"),
        projection.mode(source, "defaultMode", at),
        projection.keys(source, at),
    )


def _config_map(source: JsonObject, at: Path) -> Decision:
    return merge(
        Decision() if text(source, "name") else required(at / "name"),
        projection.mode(source, "defaultMode", at),
        projection.keys(source, at),
    )


def _downward(source: JsonObject, at: Path) -> Decision:
    return projection.mode(source, "defaultMode", at) + projection.own_fields(source, at)


def _nfs(source: JsonObject, at: Path) -> Decision:
    path = text(source, "path")
    return merge(
        Decision() if text(source, "server") else required(at / "server"),
        Decision() if path else required(at / "path"),
        Decision() if path.startswith("/") else invalid(at / "path", path, "must be an absolute path"),
    )


def _iscsi(source: JsonObject, at: Path) -> Decision:
    name, initiator = text(source, "iqn"), pointer(source, "initiatorName")
    found = [Decision() if text(source, "targetPortal") else required(at / "targetPortal")]
    found.append(_initiator(name, at / "iqn") if name else required(at / "iqn"))
    found.append(in_range(at / "lun", number(source, "lun"), 0, _LARGEST_LUN))
    authenticated = source.get("chapAuthDiscovery") is True or source.get("chapAuthSession") is True
    if authenticated and source.get("secretRef") is None:
        found.append(required(at / "secretRef"))
    if initiator is not None:
        found.append(_initiator(initiator, at / "initiatorname"))
    return merge(*found)


def _initiator(name: str, at: Path) -> Decision:
    kind = _INITIATORS.get(name[:3])
    if kind is None:
        return invalid(at, name, "must be valid format starting with iqn, eui, or naa")
    return Decision() if kind.search(name) else invalid(at, name, "must be valid format")


def _fibre_channel(source: JsonObject, at: Path) -> Decision:
    names, ids, lun = texts(source, "targetWWNs"), texts(source, "wwids"), source.get("lun")
    found = Decision()
    if not names and not ids:
        found += required(at / "targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if names and ids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        found += invalid_value(at / "targetWWNs", list(names), detail)
    if names and type(lun) is not int:
        return found + required(at / "lun", "lun is required if targetWWNs is specified")
    return found + in_range(at / "lun", number(source, "lun"), 0, _LARGEST_LUN) if names else found


def _flocker(source: JsonObject, at: Path) -> Decision:
    name, uuid = text(source, "datasetName"), text(source, "datasetUUID")
    found = Decision()
    if not name and not uuid:
        found += required(at, "one of datasetName and datasetUUID is required")
    if name and uuid:
        found += invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    return found + invalid(at / "datasetName", name, "must not contain '/'") if "/" in name else found


def _secret_name(source: JsonObject, at: Path) -> Decision:
    reference = source.get("secretRef")
    named = not isinstance(reference, dict) or bool(text(reference, "name"))
    return Decision() if named else required(at / "secretRef" / "name")


def _quobyte(source: JsonObject, at: Path) -> Decision:
    registry = text(source, "registry")
    found: list[Decision] = []
    if not registry:
        found.append(required(at / "registry", _REGISTRY_RULE))
    elif len(text(source, "tenant").encode()) > _LONGEST_TENANT:
        detail = f"must be a UUID and may not exceed a length of {_LONGEST_TENANT} characters"
        found.append(required(at / "tenant", detail))
    else:
        pairs = registry.split(",")
        found += [invalid(at / "registry", registry, _REGISTRY_RULE) for pair in pairs if not _is_pair(pair)]
    return merge(*found, Decision() if text(source, "volume") else required(at / "volume"))


def _is_pair(pair: str) -> bool:
    """Whether Go's net.SplitHostPort takes it: one colon after the host, which is in brackets if it has colons."""
    host, colon, port = pair.rpartition(":")
    if not colon or not set("[]").isdisjoint(port):
        return False
    if pair.startswith("["):
        return host.endswith("]") and set("[]").isdisjoint(host[1:-1])
    return set(":[]").isdisjoint(host)


def _flex(source: JsonObject, at: Path) -> Decision:
    found = [Decision() if text(source, "driver") else required(at / "driver")]
    for key in strings(source, "options"):
        if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io")):
            detail = "kubernetes.io and k8s.io namespaces are reserved"
            found.append(invalid(at / "options" / Key(key), key, detail))
    return merge(*found)


def _azure_disk(source: JsonObject, at: Path) -> Decision:
    caching, kind, uri = pointer(source, "cachingMode"), pointer(source, "kind"), text(source, "diskURI")
    found = Decision()
    if caching is not None and caching not in _CACHING:
        found += unsupported(at / "cachingMode", caching, _CACHING)
    if kind is not None and kind not in _DISK_KINDS:
        found += unsupported(at / "kind", kind, _DISK_KINDS)
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        found += unsupported(at / "diskURI", uri, (_MANAGED,))
    if kind is not None and kind != "Managed" and not uri.startswith("https://"):
        found += unsupported(at / "diskURI", uri, (_BLOB,))
    return found


def _storage_os(source: JsonObject, at: Path) -> Decision:
    name, namespace = text(source, "volumeName"), text(source, "volumeNamespace")
    return merge(
        label(name, at / "volumeName") if name else required(at / "volumeName"),
        label(namespace, at / "volumeNamespace") if namespace else Decision(),
        _secret_name(source, at),
    )


def _csi(source: JsonObject, at: Path) -> Decision:
    driver, place = text(source, "driver"), at / "driver"
    found = [each(place, driver, subdomain_faults(driver.lower())) if driver else required(place)]
    if len(driver.encode()) > _LONGEST_DRIVER:
        found.insert(0, too_long(place, driver, _LONGEST_DRIVER))
    reference = source.get("nodePublishSecretRef")
    if isinstance(reference, dict):
        name = text(reference, "name")
        missing = required(at / "nodePublishSecretRef" / "name")
        found.append(each(at / "name", name, subdomain_faults(name)) if name else missing)
    return merge(*found)


def _image(source: JsonObject, at: Path) -> Decision:
    found = Decision() if text(source, "reference") else required(at / "reference")
    return found + policies.image_pull(text(source, "pullPolicy"), at / "pullPolicy")


_Rule: TypeAlias = Callable[[JsonObject, Path], Decision]
_RULES: dict[str, _Rule] = {
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "gitRepo": _git_repo,
    "gcePersistentDisk": _partition,
    "awsElasticBlockStore": _partition,
    "secret": _secret,
    "nfs": _nfs,
    "iscsi": _iscsi,
    "flocker": _flocker,
    "cinder": _secret_name,
    "quobyte": _quobyte,
    "downwardAPI": _downward,
    "fc": _fibre_channel,
    "flexVolume": _flex,
    "configMap": _config_map,
    "azureDisk": _azure_disk,
    "storageos": _storage_os,
    "projected": projection.projected,
    "csi": _csi,
    "ephemeral": claim_template.check,
    "image": _image,
}
