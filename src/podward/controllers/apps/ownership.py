"""Whose an object is: its controller, and what a controller adopts and lets go.

Specification: Kubernetes, pkg/controller/controller_ref_manager.go and meta/v1 controller_ref.go. An object has at most
one controller. A controller keeps what it controls and its selector matches; lets go of what it controls and no longer
matches; adopts what matches and nobody controls, unless that is being deleted. A controller that is being deleted
changes nothing any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.selectors import is_empty, selects
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def name_of(obj: JsonObject) -> str:
    """An object's name."""
    return text(member(obj, "metadata"), "name")


def namespace_of(obj: JsonObject) -> str:
    """The namespace it is in."""
    return text(member(obj, "metadata"), "namespace")


def uid_of(obj: JsonObject) -> str:
    """Its uid, which no other object ever has."""
    return text(member(obj, "metadata"), "uid")


def key_of(obj: JsonObject) -> str:
    """The key of a namespaced object in a queue."""
    return f"{namespace_of(obj)}/{name_of(obj)}"


def labels_of(obj: JsonObject) -> JsonObject:
    """Its labels."""
    return member(member(obj, "metadata"), "labels")


def annotations_of(obj: JsonObject) -> JsonObject:
    """Its annotations."""
    return member(member(obj, "metadata"), "annotations")


def is_going(obj: JsonObject) -> bool:
    """Whether it is being deleted."""
    return member(obj, "metadata").get("deletionTimestamp") is not None


def controller_of(obj: JsonObject) -> JsonObject | None:
    """The reference to its controller."""
    for reference in objects(member(obj, "metadata"), "ownerReferences"):
        if reference.get("controller") is True:
            return reference
    return None


def controller_uid(obj: JsonObject) -> str:
    """The uid of its controller; empty where it has none."""
    found = controller_of(obj)
    return text(found, "uid") if found is not None else ""


def controller_reference(owner: JsonObject) -> JsonObject:
    """The reference that says that `owner` controls an object."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controlled_by(owner: JsonObject, found: Iterable[JsonObject]) -> list[JsonObject]:
    """Those of the objects that `owner` controls."""
    uid = uid_of(owner)
    return [obj for obj in found if controller_uid(obj) == uid]


class Claims(Struct, frozen=True):
    """What a controller keeps, what it adopts, and what it lets go of."""

    kept: tuple[JsonObject, ...] = ()
    adopted: tuple[JsonObject, ...] = ()
    released: tuple[JsonObject, ...] = ()


def claims(owner: JsonObject, matches: Callable[[JsonObject], bool], found: Iterable[JsonObject]) -> Claims:
    """What of the objects in the owner's namespace is its own."""
    uid, going = uid_of(owner), is_going(owner)
    kept, adopted, released = list[JsonObject](), list[JsonObject](), list[JsonObject]()
    for obj in found:
        controller = controller_uid(obj)
        if controller == uid:
            if matches(obj):
                kept.append(obj)
            elif not going:
                released.append(obj)
        elif controller_of(obj) is None and not going and not is_going(obj) and matches(obj):
            adopted.append(obj)
    return Claims(tuple(kept), tuple(adopted), tuple(released))


def selected_by(selector: JsonObject) -> Callable[[JsonObject], bool]:
    """Whether a label selector, which the API server has checked, matches an object; an empty one matches nothing."""
    empty = is_empty(selector)
    return lambda obj: not empty and selects(selector, labels_of(obj))


def adoption(owner: JsonObject, obj: JsonObject) -> JsonObject:
    """The strategic patch that makes `owner` the controller of `obj`, of no other object of this name."""
    return {"metadata": {"ownerReferences": [controller_reference(owner)], "uid": uid_of(obj)}}


def release(owner: JsonObject, obj: JsonObject) -> JsonObject:
    """The strategic patch that takes `owner` from the owners of `obj`."""
    return {"metadata": {"ownerReferences": [{"$patch": "delete", "uid": uid_of(owner)}], "uid": uid_of(obj)}}
