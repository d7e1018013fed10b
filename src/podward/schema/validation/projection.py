"""Files of volumes: keys that become paths, the Pod's own fields, and projections of several sources.

Specification: Kubernetes, validateKeyToPath, validateDownwardAPIVolumeFile, validateProjectionSources,
ValidateLocalNonReservedPath. A path stays below the volume, and no two sources give the same. Errors about files of
the downward API are printed without the file's index, and those about a token's path at the volume itself. What a
trust bundle and a Pod's certificate must say is in `certificates`.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation import downward
from podward.schema.validation.field import forbidden, invalid, required
from podward.schema.validation.local_path import not_reserved, taken
from podward.schema.validation.raw import number, text

LARGEST_MODE = 0o777
_MODE_RULE = "must be a number between 0 and 0777 (octal), both inclusive"
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 1 << 32  # seconds
_OF_CERTIFICATES = frozenset(("clusterTrustBundle", "podCertificate"))
_KINDS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")


def mode(raw: JsonObject, name: str, at: Path) -> Decision:
    """A file's mode, if it is set."""
    value = raw.get(name)
    if type(value) is not int or 0 <= value <= LARGEST_MODE:
        return Decision()
    return invalid(at / name, value, _MODE_RULE)


def keys(raw: JsonObject, at: Path) -> Decision:
    """The `items` of a Secret or ConfigMap."""
    return merge(*(_key_to_path(item, at / "items" / index) for index, item in enumerate(objects(raw, "items"))))


def own_fields(raw: JsonObject, at: Path) -> Decision:
    """The `items` of the downward API."""
    return merge(*(_own_field(item, at) for item in objects(raw, "items")))


def projected(raw: JsonObject, at: Path) -> Decision:
    """A volume's `projected`."""
    found = [mode(raw, "defaultMode", at)]
    paths: set[str] = set()
    for index, source in enumerate(objects(raw, "sources")):
        place = at / "sources" / index
        kinds = [kind for kind in ("secret", "configMap") if source.get(kind) is not None]
        found += [_object(member(source, kind), at, place / kind, paths) for kind in kinds]
        for item in objects(member(source, "downwardAPI"), "items"):
            path = text(item, "path")
            found += [_own_field(item, place / "downwardAPI"), taken(path, path, at, paths) if path else Decision()]
        if source.get("serviceAccountToken") is not None:
            found.append(_token(member(source, "serviceAccountToken"), at, place / "serviceAccountToken"))
        if not _OF_CERTIFICATES.isdisjoint(source):
            from podward.schema.validation import certificates

            found.append(certificates.check(source, at, place, paths))
        if sum(source.get(kind) is not None for kind in _KINDS) > 1:
            found.append(forbidden(place, "may not specify more than 1 volume type per source"))
    return merge(*found)


def _object(raw: JsonObject, volume_at: Path, at: Path, paths: set[str]) -> Decision:
    name = text(raw, "name")
    found = [Decision() if name else required(at / "name")]
    for index, item in enumerate(objects(raw, "items")):
        path = text(item, "path")
        found.append(_key_to_path(item, at / "items" / index))
        found.append(taken(path, name, volume_at, paths) if path else Decision())
    return merge(*found)


def _token(raw: JsonObject, volume_at: Path, at: Path) -> Decision:
    seconds, path = number(raw, "expirationSeconds"), text(raw, "path")
    found: list[Decision] = []
    if seconds < _SHORTEST_TOKEN:
        found.append(invalid(at / "expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
    if seconds > _LONGEST_TOKEN:
        detail = "may not specify a duration larger than 2^32 seconds"
        found.append(invalid(at / "expirationSeconds", seconds, detail))
    found.append(not_reserved(path, volume_at / "path") if path else required(volume_at / "path"))
    return merge(*found)


def _key_to_path(raw: JsonObject, at: Path) -> Decision:
    path = text(raw, "path")
    return merge(
        Decision() if text(raw, "key") else required(at / "key"),
        not_reserved(path, at / "path") if path else required(at / "path"),
        mode(raw, "mode", at),
    )


def _own_field(raw: JsonObject, at: Path) -> Decision:
    path, field, resource = text(raw, "path"), raw.get("fieldRef"), raw.get("resourceFieldRef")
    found = [not_reserved(path, at / "path") if path else required(at / "path")]
    if isinstance(field, dict):
        found.append(downward.field_of_file(field, at / "fieldRef"))
        if resource is not None:
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            found.append(invalid(at, "resource", detail))
    elif isinstance(resource, dict):
        found.append(downward.resource_of_file(resource, at / "resourceFieldRef"))
    else:
        found.append(required(at, "one of fieldRef and resourceFieldRef is required"))
    return merge(*found, mode(raw, "mode", at))
