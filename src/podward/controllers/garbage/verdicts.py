"""What becomes of an object that names owners, once the server has said which of them are there.

Specification: Kubernetes, pkg/controller/garbagecollector attemptToDeleteItem: one owner that stays keeps it, and what
else it names is struck out; else it goes, and with a chain that waits it waits, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.controllers.garbage.graph import FOREGROUND, ORPHAN, is_blocking
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts


class Owners(Struct):
    """The references of an object, by what is known of whom they name.

    `waiting`: being deleted, and waits for its dependents.
    """

    solid: list[JsonObject] = []
    dangling: list[JsonObject] = []
    waiting: list[JsonObject] = []


class Verdict(Struct, frozen=True):
    """What is to be done: strike out references to these UIDs, or delete it with this policy.

    `unblock`: before that, its owners are not to wait for it any more, as they may wait for each other.
    """

    struck: tuple[str, ...] = ()
    policy: str = ""
    unblock: bool = False


def judged(owners: Owners, latest: JsonObject, *, has_dependents: bool, circular: bool) -> Verdict:
    """What becomes of the object. `circular`: some dependent of it waits for its own dependents."""
    if owners.solid:
        return Verdict(struck=tuple(text(each, "uid") for each in (*owners.dangling, *owners.waiting)))
    if owners.waiting and has_dependents:
        return Verdict(policy="Foreground", unblock=circular)
    finalizers = texts(member(latest, "metadata"), "finalizers")
    if ORPHAN in finalizers:
        return Verdict(policy="Orphan")
    return Verdict(policy="Foreground" if FOREGROUND in finalizers else "Background")


def without_finalizer(latest: JsonObject, finalizer: str) -> JsonObject | None:
    """A merge patch that takes a finalizer away; None where it has none of that name."""
    of = member(latest, "metadata")
    finalizers = texts(of, "finalizers")
    if finalizer not in finalizers:
        return None
    kept: list[Json] = [each for each in finalizers if each != finalizer]
    return {"metadata": {"resourceVersion": of.get("resourceVersion"), "finalizers": kept}}


def strategic_without(uid: str, owners: Iterable[str]) -> JsonObject:
    """A strategic merge patch of the object with this UID that strikes out references to these owners."""
    struck: list[Json] = [{"$patch": "delete", "uid": owner} for owner in owners]
    return {"metadata": {"uid": uid, "ownerReferences": struck}}


def merged_without(latest: JsonObject, owners: Iterable[str]) -> JsonObject:
    """The same as a merge patch, for objects that know no other."""
    of, struck = member(latest, "metadata"), set(owners)
    kept: list[Json] = [each for each in objects(of, "ownerReferences") if text(each, "uid") not in struck]
    return {"metadata": {"resourceVersion": of.get("resourceVersion"), "ownerReferences": kept}}


def strategic_unblocked(uid: str, owners: Iterable[JsonObject]) -> JsonObject:
    """A strategic merge patch after which no owner waits for the object."""
    freed: list[Json] = [{**each, "blockOwnerDeletion": False} for each in owners if is_blocking(each)]
    return {"metadata": {"uid": uid, "ownerReferences": freed}}


def merged_unblocked(latest: JsonObject) -> JsonObject:
    """The same as a merge patch."""
    of = member(latest, "metadata")
    freed: list[Json] = [{**each, "blockOwnerDeletion": False} for each in objects(of, "ownerReferences")]
    return {"metadata": {"resourceVersion": of.get("resourceVersion"), "ownerReferences": freed}}
