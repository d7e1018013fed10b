"""Who owns the claims of a StatefulSet's Pod, and so whether they go with it.

Specification: Kubernetes, persistentVolumeClaimRetentionPolicy, isClaimOwnerUpToDate and its neighbours in
pkg/controller/statefulset/stateful_set_utils.go. With whenDeleted: Delete the set owns the claims; with whenScaled:
Delete the Pod owns those of ordinals that are not wished for any more. A claim that another controller owns is left to
it; an owner of the same name with another uid is gone, and the claim will be, too.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import controller_reference, name_of, uid_of
from podward.controllers.apps.stateful_sets.identity import ordinal_of, ordinals
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text

_DELETE = "Delete"


def _policy(owner: JsonObject) -> tuple[bool, bool]:
    """Whether claims go when replicas are taken away, and when the set is deleted."""
    policy = member(member(owner, "spec"), "persistentVolumeClaimRetentionPolicy")
    return policy.get("whenScaled") == _DELETE, policy.get("whenDeleted") == _DELETE


def _references(claim: JsonObject) -> list[JsonObject]:
    return objects(member(claim, "metadata"), "ownerReferences")


def _names(reference: JsonObject, owner: JsonObject) -> bool:
    same_kind = all(reference.get(field) == owner.get(field) for field in ("apiVersion", "kind"))
    return same_kind and text(reference, "name") == name_of(owner)


def _owners(owner: JsonObject, pod: JsonObject) -> list[JsonObject]:
    """Who should own the claims of this Pod."""
    scaled, deleted = _policy(owner)
    if scaled and ordinal_of(owner, pod) not in ordinals(owner):
        return [pod]
    return [owner] if deleted else []


def is_stale(owner: JsonObject, claim: JsonObject, of: JsonObject) -> bool:
    """Whether the claim is of an earlier object of the name of `of`, and about to go; where claims stay, none is."""
    return _policy(owner)[0] and _is_of_earlier(claim, of)


def _is_of_earlier(claim: JsonObject, of: JsonObject) -> bool:
    found = next((each for each in _references(claim) if _names(each, of)), None)
    return found is not None and text(found, "uid") != uid_of(of)


def has_other_controller(owner: JsonObject, pod: JsonObject, claim: JsonObject) -> bool:
    """Whether another controls the claim, where that matters."""
    if not any(_policy(owner)):
        return False
    for reference in _references(claim):
        own = next((each for each in (owner, pod) if _names(reference, each)), None)
        if own is not None and text(reference, "uid") != uid_of(own):
            return True
        if own is None and reference.get("controller") is True:
            return True
    return False


def changed(owner: JsonObject, pod: JsonObject, claim: JsonObject) -> JsonObject | None:
    """The claim with the owners that it should have; nothing where it has them."""
    if _is_of_earlier(claim, owner) or _is_of_earlier(claim, pod):
        return None
    kept = [each for each in _references(claim) if not _names(each, owner) and not _names(each, pod)]
    wanted = (
        [] if has_other_controller(owner, pod, claim) else [controller_reference(each) for each in _owners(owner, pod)]
    )
    has = [each for each in _references(claim) if each not in kept]
    if has == wanted:
        return None
    references: list[Json] = [*kept, *wanted]
    return {**claim, "metadata": {**member(claim, "metadata"), "ownerReferences": references}}
