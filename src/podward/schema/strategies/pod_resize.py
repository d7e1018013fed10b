"""Changing what the containers of a Pod ask for, while it runs.

Specification: Kubernetes, ValidatePodResize and the strategy of the subresource `resize`: only cpu and memory change,
of regular containers, of init containers, and of the Pod as a whole; no request or limit goes, the class of quality of
service stays, and the node must be able to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.pod_changes import MIRROR, metadata_and_spec
from podward.schema.strategies.pod_quality import quality
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import NOTHING, ROOT, Place, forbidden, invalid
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_LISTS = ("containers", "initContainers")
_RESIZED = ("cpu", "memory")
_ONLY = "only cpu and memory resources are mutable"


def prepared(obj: JsonObject, old: JsonObject) -> JsonObject:
    """What is stored, with the resources that are sent; all that is sent, where containers came, went, or moved."""
    spec, before = member(obj, "spec"), member(old, "spec")
    if any(len(objects(spec, listed)) != len(objects(before, listed)) for listed in _LISTS):
        return obj
    made = object_meta.keeping_all_but_status(obj, old)
    kept: JsonObject = dict(before)
    _take(kept, spec, "resources")
    for listed in _LISTS:
        ours, theirs = objects(spec, listed), objects(before, listed)
        if not ours:
            continue
        if [text(each, "name") for each in ours] != [text(each, "name") for each in theirs]:
            kept[listed] = [*ours]
        else:
            kept[listed] = [_with_resources(stored, one) for one, stored in zip(ours, theirs, strict=True)]
    made["spec"] = kept
    if "status" in old:
        made["status"] = old["status"]
    return made


def _with_resources(stored: JsonObject, sent: JsonObject) -> JsonObject:
    made = dict(stored)
    for name in ("resources", "resizePolicy"):
        _take(made, sent, name)
    return made


def _take(to: JsonObject, of: JsonObject, name: str) -> None:
    if of.get(name) is None:
        to.pop(name, None)
    else:
        to[name] = of[name]


def validate(obj: JsonObject, old: JsonObject) -> Decision:
    """Everything that is wrong with a resize."""
    if MIRROR in member(member(old, "metadata"), "annotations"):
        return forbidden(ROOT / Key(""), "static pods cannot be resized")
    spec, before = member(obj, "spec"), member(old, "spec")
    if text(member(before, "os"), "name") == "windows":
        return forbidden(ROOT / Key(""), "windows pods cannot be resized")
    found = [object_meta.changed(obj, old), metadata_and_spec(obj)]
    if (text(member(old, "status"), "qosClass") or quality(before)) != quality(spec):
        detail = "Pod QOS Class may not change as a result of resizing"
        found.append(invalid(SPEC, text(member(obj, "status"), "qosClass"), detail))
    if not _is_supported(old):
        found.append(forbidden(SPEC, "Pod running on node without support for resize"))
    copy: JsonObject = dict(spec)
    if _asks(spec) or _asks(before):
        found.append(_whole(copy, before))
    if member(old, "status").get("nodeAllocatableResourceClaimStatuses"):
        found.append(forbidden(SPEC, "pods with node allocatable resource claims cannot be resized"))
    moved = _moved(spec, before)
    if moved is not NOTHING:
        return merge(*found, moved)
    found += [_removed(spec, before, "initContainers"), _removed(spec, before, "containers")]
    found += [_regular(copy, before), _initial(copy, before)]
    wrong = merge(*found)
    return wrong if wrong is not NOTHING or same(copy, before) else forbidden(SPEC, _ONLY)


def _is_supported(old: JsonObject) -> bool:
    """Whether the node tells of what a container that runs was given."""
    for status in objects(member(old, "status"), "containerStatuses"):
        if member(status, "state").get("running") is not None:
            return status.get("resources") is not None
    return True


def _asks(spec: JsonObject) -> bool:
    resources = member(spec, "resources")
    return bool(resources.get("requests") or resources.get("limits"))


def _whole(copy: JsonObject, before: JsonObject) -> Decision:
    now, then, place = copy.get("resources"), before.get("resources"), SPEC / "resources"
    if isinstance(then, dict) and now is None:
        return forbidden(place, "pod-level resources cannot be removed")
    found: list[Decision] = []
    stored = then if isinstance(then, dict) else {}
    sent = now if isinstance(now, dict) else {}
    for kind, what in (("requests", "requests"), ("limits", "limits")):
        if any(name not in member(sent, kind) for name in member(stored, kind)):
            found.append(forbidden(place / kind, f"pod-level resource {what} cannot be removed"))
    if isinstance(now, dict):
        made = {**now, **_as_stored(now, stored)}
        copy["resources"] = {name: value for name, value in made.items() if value}
        if then is None and not copy["resources"]:
            copy.pop("resources")
    if not same(copy.get("resources"), then):
        found.append(forbidden(SPEC, "only cpu and memory resources are mutable at pod-level"))
    return merge(*found)


def _as_stored(sent: JsonObject, stored: JsonObject) -> JsonObject:
    """Requests and limits as they are sent, but cpu and memory as they are stored."""
    made: JsonObject = {}
    for kind in ("limits", "requests"):
        amounts = {name: value for name, value in member(sent, kind).items() if name not in _RESIZED}
        amounts |= {name: value for name, value in member(stored, kind).items() if name in _RESIZED}
        made[kind] = amounts
    return made


def _moved(spec: JsonObject, before: JsonObject) -> Decision:
    found: list[Decision] = []
    for listed in _LISTS:
        ours, theirs = objects(spec, listed), objects(before, listed)
        if len(ours) != len(theirs):
            found.append(forbidden(SPEC / listed, f"{listed} may not be added or removed on resize"))
            continue
        detail = f"{listed} may not be renamed or reordered on resize"
        for index, (one, stored) in enumerate(zip(ours, theirs, strict=True)):
            if text(one, "name") != text(stored, "name"):
                found.append(forbidden(SPEC / listed / index / "name", detail))
    return merge(*found)


def _removed(spec: JsonObject, before: JsonObject, listed: str) -> Decision:
    found: list[Decision] = []
    for index, (one, stored) in enumerate(zip(objects(spec, listed), objects(before, listed), strict=True)):
        now, then = member(one, "resources"), member(stored, "resources")
        for kind in ("requests", "limits"):
            if any(name not in member(now, kind) for name in member(then, kind)):
                place = SPEC / listed / index / "resources" / kind
                found.append(forbidden(place, f"resource {kind} cannot be removed"))
    return merge(*found)


def _regular(copy: JsonObject, before: JsonObject) -> Decision:
    found, made = list[Decision](), list[Json]()
    for one, stored in zip(objects(copy, "containers"), objects(before, "containers"), strict=True):
        as_stored = _munged(one, stored)
        if not same(as_stored, stored):
            found.append(forbidden(SPEC, _ONLY))
        made.append(as_stored)
    copy["containers"] = made
    return merge(*found)


def _munged(one: JsonObject, stored: JsonObject) -> JsonObject:
    """The container with cpu and memory as they are stored; of its resources it keeps requests and limits alone."""
    amounts = _as_stored(member(one, "resources"), member(stored, "resources"))
    kept: JsonObject = {name: value for name, value in amounts.items() if value}
    made: JsonObject = {**one, "resources": kept}
    if not kept and not stored.get("resources"):
        _take(made, stored, "resources")
    return made


def _initial(copy: JsonObject, before: JsonObject) -> Decision:
    found, made = list[Decision](), list[Json]()
    pairs = zip(objects(copy, "initContainers"), objects(before, "initContainers"), strict=True)
    for index, (one, stored) in enumerate(pairs):
        place: Place = SPEC / "initContainers" / index
        as_stored = _munged(one, stored)
        if not same(as_stored, stored):
            detail = "only cpu and memory resources for init or sidecar containers are mutable"
            found.append(forbidden(place, detail))
        if not same(one, stored) and one.get("restartPolicy") != "Always":
            detail = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized"
            restarted = [
                each for each in objects(one, "resizePolicy") if text(each, "restartPolicy") == "RestartContainer"
            ]
            found += [forbidden(place, detail)] * len(restarted)
        made.append(as_stored)
    if made:
        copy["initContainers"] = made
    return merge(*found)
