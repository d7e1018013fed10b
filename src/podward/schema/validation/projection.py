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
from podward.schema.validation import downward
from podward.schema.validation.field import NOTHING, Place, each, forbidden, invalid, required
from podward.schema.validation.local_path import not_reserved_faults, taken
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_OF_CERTIFICATES = frozenset(("clusterTrustBundle", "podCertificate"))
_KINDS = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")


def own_fields(raw: JsonObject, scope: Scope, at: Place) -> Decision:
    """The `items` of the downward API, printed without their index."""
    return merge(*(scope.check("DownwardAPIVolumeFile", item, at) for item in objects(raw, "items")))


def sources(raw: JsonObject, scope: Scope, at: Place) -> Decision:
    """The `sources` of a projected volume."""
    found: list[Decision] = []
    paths: set[str] = set()
    for index, source in enumerate(objects(raw, "sources")):
        place = at / "sources" / index
        kinds = [kind for kind in ("secret", "configMap") if source.get(kind) is not None]
        found += [_object(member(source, kind), at, place / kind, paths, scope) for kind in kinds]
        for item in objects(member(source, "downwardAPI"), "items"):
            path = text(item, "path")
            found.append(scope.check("DownwardAPIVolumeFile", item, place / "downwardAPI"))
            found.append(taken(path, path, at, paths) if path else NOTHING)
        if source.get("serviceAccountToken") is not None:
            token = member(source, "serviceAccountToken")
            found.append(scope.check("ServiceAccountTokenProjection", token, place / "serviceAccountToken"))
            path = text(token, "path")
            found.append(each(at / "path", path, not_reserved_faults(path)) if path else required(at / "path"))
        if not _OF_CERTIFICATES.isdisjoint(source):
            from podward.schema.validation import certificates

            found.append(certificates.check(source, scope, at, place, paths))
        if sum(source.get(kind) is not None for kind in _KINDS) > 1:
            found.append(forbidden(place, "may not specify more than 1 volume type per source"))
    return merge(*found)


def _object(raw: JsonObject, volume_at: Place, at: Place, paths: set[str], scope: Scope) -> Decision:
    name = text(raw, "name")
    found = [NOTHING if name else required(at / "name")]
    for index, item in enumerate(objects(raw, "items")):
        found.append(scope.check("KeyToPath", item, at / "items" / index))
        path = text(item, "path")
        found.append(taken(path, name, volume_at, paths) if path else NOTHING)
    return merge(*found)


def own_field(item: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What a file of the downward API says: a field, or a resource of a container."""
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if isinstance(field, dict):
        detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
        return NOTHING if resource is None else invalid(at, "resource", detail)
    if isinstance(resource, dict):
        return downward.resource_of_file(resource, at / "resourceFieldRef")
    return required(at, "one of fieldRef and resourceFieldRef is required")
