"""What fields of a volume's source have to do with each other, and where the server prints what is wrong with them.

Specification: Kubernetes, validateVolumeSource and the function of each source. Most sources only want some fields that
aren't empty: these are in `table`.
"""

from __future__ import annotations

from re import search

from podward.api.json_value import JsonObject
from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.path import Key
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    forbidden,
    in_range,
    invalid,
    invalid_value,
    refused,
    required,
    too_long,
    unsupported_text,
)
from podward.schema.validation.local_path import backstep_faults
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, pointer, strings, text, texts
from podward.schema.validation.values import one_of
from podward.schema.validation.walk import Scope

_HOST_PATH_TYPES = one_of(
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"
)
LARGEST_LUN = 255
_LONGEST_TENANT, _LONGEST_DRIVER = 64, 63
_MANAGED = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
_BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
_REGISTRY_RULE = "must be a host:port pair or multiple pairs separated by commas"
_INITIATORS = {
    "iqn": r"iqn\.[0-9]{4}-[0-9]{2}\.[0-9A-Za-z.-]+:[^,;*&$|\t\n\f\r ]+\Z",
    "eui": r"^eui.[0-9A-Za-z]{16}\Z",
    "naa": r"^naa.[0-9A-Za-z]{32}\Z",
}


def empty_dir(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An emptyDir's `sizeLimit`."""
    if parse(str(source["sizeLimit"])).units >= 0:
        return NOTHING
    return forbidden(at / "sizeLimit", "SizeLimit field must be a valid resource quantity")


def host_path(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A hostPath; of one without a path nothing else is said."""
    path, kind = text(source, "path"), pointer(source, "type")
    if not path:
        return required(at / "path")
    found = each(at / "path", path, backstep_faults(path))
    known = kind is None or _HOST_PATH_TYPES.is_sound(kind)
    return found if known else found + refused(at / "type", kind, _HOST_PATH_TYPES.reasons(kind))


def authentication(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An iSCSI volume's `secretRef`."""
    authenticated = source.get("chapAuthDiscovery") is True or source.get("chapAuthSession") is True
    return required(at / "secretRef") if authenticated and source.get("secretRef") is None else NOTHING


def initiator(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An iSCSI volume's `initiatorName`, as the server calls it."""
    name = text(source, "initiatorName")
    return each(at / "initiatorname", name, initiator_faults(name))


def initiator_faults(name: str) -> tuple[str, ...]:
    """What keeps `name` from being that of an iSCSI node."""
    kind = _INITIATORS.get(name[:3])
    if kind is None:
        return ("must be valid format starting with iqn, eui, or naa",)
    return () if search(kind, name) else ("must be valid format",)


def fibre_channel(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An fc volume: what it is found by."""
    names, ids, lun = texts(source, "targetWWNs"), texts(source, "wwids"), source.get("lun")
    found = NOTHING
    if not names and not ids:
        found += required(at / "targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if names and ids:
        detail = "targetWWNs and wwids can not be specified simultaneously"
        found += invalid_value(at / "targetWWNs", list(names), detail)
    if names and type(lun) is not int:
        return found + required(at / "lun", "lun is required if targetWWNs is specified")
    return found + in_range(at / "lun", number(source, "lun"), 0, LARGEST_LUN) if names else found


def flocker(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A flocker volume: what it is found by."""
    name, uuid = text(source, "datasetName"), text(source, "datasetUUID")
    found = NOTHING
    if not name and not uuid:
        found += required(at, "one of datasetName and datasetUUID is required")
    if name and uuid:
        found += invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    return found + invalid(at / "datasetName", name, "must not contain '/'") if "/" in name else found


def quobyte(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A quobyte volume."""
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
    return merge(*found, NOTHING if text(source, "volume") else required(at / "volume"))


def _is_pair(pair: str) -> bool:
    """Whether Go's net.SplitHostPort takes it: one colon after the host, which is in brackets if it has colons."""
    host, colon, port = pair.rpartition(":")
    if not colon or not set("[]").isdisjoint(port):
        return False
    if pair.startswith("["):
        return host.endswith("]") and set("[]").isdisjoint(host[1:-1])
    return set(":[]").isdisjoint(host)


def flex(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The options of a flexVolume, of which some names are reserved."""
    detail = "kubernetes.io and k8s.io namespaces are reserved"
    return merge(
        *(
            invalid(at / "options" / Key(key), key, detail)
            for key in strings(source, "options")
            if f".{key.partition('/')[0].lower()}".endswith((".kubernetes.io", ".k8s.io"))
        )
    )


def azure_disk(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """Where an azureDisk of this kind is."""
    uri = text(source, "diskURI")
    begin, example = ("/subscriptions/", _MANAGED) if source.get("kind") == "Managed" else ("https://", _BLOB)
    return NOTHING if uri.startswith(begin) else unsupported_text(at / "diskURI", uri, (example,))


def csi(source: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A CSI volume's driver, and its Secret, which is printed elsewhere."""
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
