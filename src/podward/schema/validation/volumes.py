"""Volumes: one source each, a name of their own.

Specification: Kubernetes, ValidateVolumes and validateVolumeSource; what a source must say is in `table`. A refused
volume does not exist for its mounts.
"""

from __future__ import annotations

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.validation.field import NOTHING, Place, duplicate, each, forbidden, invalid
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

_LONGEST_PORTAL = 64
_PORTAL_RULE = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters"
    " if iscsi.initiatorName is specified."
)


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The Pod's volumes; those that are valid are known from now on."""
    found: list[Decision] = []
    volumes, list_at = objects(spec, "volumes"), Place(at, "volumes")
    claims = _claims(volumes, scope.name)
    valid, walk = scope.volumes, scope.walks["Volume"]
    for index, volume in enumerate(volumes):
        scope.volume = volume
        place, name = Place(list_at, index), text(volume, "name")
        own = walk(volume, scope, place)
        if name in valid:
            own += duplicate(place / "name", name)
        if own is NOTHING:
            valid[name] = volume
        else:
            found.append(own)
        if claims and volume.get("persistentVolumeClaim") is not None:
            found.append(_own_claim(volume, claims, place))
    return merge(*found) if found else NOTHING


def _claims(volumes: list[JsonObject], pod: str) -> set[str]:
    """The names of the claims that the Pod's ephemeral volumes make."""
    claims: set[str] = set()
    for volume in volumes:
        if pod and volume.get("ephemeral") is not None:
            claims.add(f"{pod}-{text(volume, 'name')}")
    return claims


def _own_claim(volume: JsonObject, claims: set[str], at: Place) -> Decision:
    claim = text(member(volume, "persistentVolumeClaim"), "claimName")
    if claim not in claims:
        return NOTHING
    detail = "must not reference a PVC that gets created for an ephemeral volume"
    return invalid(at / "persistentVolumeClaim" / "claimName", claim, detail)


def claim_name(source: JsonObject, scope: Scope, at: Place) -> Decision:
    """The name of the claim that an ephemeral volume makes, of the Pod's and its own; printed at its own."""
    del source
    pod, name = scope.name, text(scope.volume, "name")
    faults = subdomain_faults(f"{pod}-{name}") if pod and name else ()
    if not faults or at.above is None:
        return NOTHING
    return each(at.above / "name", name, [f"PVC name {quote(f'{pod}-{name}')}: {fault}" for fault in faults])


def portal(volume: JsonObject, _scope: Scope, at: Place) -> Decision:
    """What the name of an iSCSI volume and its portal come to."""
    source, name = member(volume, "iscsi"), text(volume, "name")
    if source.get("initiatorName") is None:
        return NOTHING
    long = len(f"{name}:{text(source, 'targetPortal')}".encode()) > _LONGEST_PORTAL
    return invalid(at / "name", name, _PORTAL_RULE) if long else NOTHING


def tokens(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A projected token is a service account's, which the Pod must then have, under its new name or its old one."""
    if spec.get("serviceAccountName") or spec.get("serviceAccount"):
        return NOTHING
    found: list[Decision] = []
    for index, volume in enumerate(objects(spec, "volumes")):
        if not volume.get("projected"):
            continue
        for number, source in enumerate(objects(member(volume, "projected"), "sources")):
            if source.get("serviceAccountToken") is not None:
                place = at / "volumes" / index / "projected" / "sources" / number / "serviceAccountToken"
                found.append(forbidden(place, "must not be specified when serviceAccountName is not set"))
    return merge(*found) if found else NOTHING
