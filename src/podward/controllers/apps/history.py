"""ControllerRevisions: the templates that a DaemonSet or a StatefulSet had, each once, numbered.

Specification: Kubernetes, pkg/controller/history, and getPatch of daemon/update.go and statefulset. A revision holds a
patch that puts the template back. What is wanted again gets the next number instead of a second revision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.controllers.apps.ownership import (
    annotations_of,
    controller_reference,
    labels_of,
    name_of,
    namespace_of,
)
from podward.controllers.apps.pods import created_at
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import Json, JsonObject

REVISIONS = BY_PLURAL["apps", "v1", "controllerrevisions"]
HASH = "controller-revision-hash"
"""The label of Pods, and of a DaemonSet's revisions."""
_LONGEST_PREFIX = 223


class History(Struct, frozen=True):
    """The revisions of an owner. `current`: with its template, the newest of `alike`; `number`: which it is to have."""

    current: JsonObject | None
    alike: tuple[JsonObject, ...]
    old: tuple[JsonObject, ...]
    number: int


def data_of(owner: JsonObject) -> JsonObject:
    """The patch that puts the owner's template back; its names in order, as clients compare it byte by byte."""
    template = {**member(member(owner, "spec"), "template"), "$patch": "replace"}
    return {"spec": {"template": _sorted(template)}}


def _sorted(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def in_order(revisions: Iterable[JsonObject]) -> list[JsonObject]:
    """The revisions, the lowest number first."""
    return sorted(revisions, key=lambda found: (number(found, "revision"), created_at(found), name_of(found)))


def read(owner: JsonObject, revisions: Iterable[JsonObject]) -> History:
    """Which of the owner's revisions has its template."""
    data, ordered = data_of(owner), in_order(revisions)
    alike = tuple(found for found in ordered if same(found.get("data"), data))
    old = tuple(found for found in ordered if found not in alike)
    following = max((number(found, "revision") for found in old), default=0) + 1
    current = alike[-1] if alike else None
    return History(current, alike, old, max(following, number(current or {}, "revision")))


def made(owner: JsonObject, labels: JsonObject, found_hash: str, revision: int) -> JsonObject:
    """A revision with the owner's template, named for its hash."""
    references: list[Json] = [controller_reference(owner)]
    metadata: JsonObject = {
        "name": f"{name_of(owner)[:_LONGEST_PREFIX]}-{found_hash}",
        "namespace": namespace_of(owner),
        "labels": labels,
        "ownerReferences": references,
    }
    if annotations := annotations_of(owner):
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": metadata,
        "data": data_of(owner),
        "revision": revision,
    }


def template_of(revision: JsonObject) -> JsonObject:
    """The template that a revision holds."""
    template = member(member(member(revision, "data"), "spec"), "template")
    return {name: value for name, value in template.items() if name != "$patch"}


def surplus(old: Iterable[JsonObject], live: Iterable[str], limit: int) -> list[str]:
    """The names of the oldest revisions that no Pod has (`live`: names or hashes), beyond the limit of all of them."""
    used, found = set(live), in_order(old)
    more = max(0, len(found) - limit)
    return [name_of(each) for each in found if not {name_of(each), labels_of(each).get(HASH)} & used][:more]
