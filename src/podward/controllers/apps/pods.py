"""What a controller asks of a Pod: is it active, ready, available; and the Pod that a template makes.

Specification: Kubernetes, pkg/api/v1/pod and pkg/controller/controller_utils.go. Active: it has not ended and is not
being deleted. Available: it has been ready for as long as its controller asks (minReadySeconds).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import copied_object
from podward.controllers.apps.ownership import controller_reference, is_going, name_of
from podward.documents.raw_fields import member, objects
from podward.schema.moments import seconds
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import Json, JsonObject

_ENDED = frozenset(("Succeeded", "Failed"))
_LONGEST = 253


def phase_of(pod: JsonObject) -> str:
    """Its phase; empty where it has none yet."""
    return text(member(pod, "status"), "phase")


def has_ended(pod: JsonObject) -> bool:
    """Whether all of its containers have ended for good."""
    return phase_of(pod) in _ENDED


def is_active(pod: JsonObject) -> bool:
    """Whether it counts as a replica."""
    return not has_ended(pod) and not is_going(pod)


def is_terminating(pod: JsonObject) -> bool:
    """Whether it is being deleted and has not ended yet."""
    return is_going(pod) and not has_ended(pod)


def node_of(pod: JsonObject) -> str:
    """The node that it is bound to."""
    return text(member(pod, "spec"), "nodeName")


def condition_of(obj: JsonObject, kind: str) -> JsonObject | None:
    """The condition of this type in an object's status."""
    for found in objects(member(obj, "status"), "conditions"):
        if found.get("type") == kind:
            return found
    return None


def is_ready(pod: JsonObject) -> bool:
    """Whether its condition Ready is true."""
    found = condition_of(pod, "Ready")
    return found is not None and found.get("status") == "True"


def moment_of(obj: JsonObject, field: str) -> float | None:
    """The time in a field, in seconds since 1970."""
    found = obj.get(field)
    return seconds(found) if isinstance(found, str) and found else None


def ready_since(pod: JsonObject) -> float | None:
    """Since when it is ready; nothing where it is not, or where that is unknown."""
    found = condition_of(pod, "Ready")
    return moment_of(found, "lastTransitionTime") if found is not None and found.get("status") == "True" else None


def created_at(obj: JsonObject) -> float:
    """When it was created; 0 where that is unknown."""
    return moment_of(member(obj, "metadata"), "creationTimestamp") or 0.0


def is_available(pod: JsonObject, minimum: int, now: float) -> bool:
    """Whether it has been ready for `minimum` seconds."""
    if not is_ready(pod) or minimum == 0:
        return is_ready(pod)
    since = ready_since(pod)
    return since is not None and since + minimum <= now


def next_availability(pods: Iterable[JsonObject], minimum: int, now: float) -> float | None:
    """The seconds until the next of the Pods is available; nothing where none is about to be."""
    waits = [since + minimum - now for pod in pods if (since := ready_since(pod)) is not None]
    return min((wait for wait in waits if wait > 0), default=None) if minimum else None


def made_from(template: JsonObject, owner: JsonObject) -> JsonObject:
    """The Pod of this template, with a name that the server is to make up after the owner's."""
    wanted, prefix = member(template, "metadata"), f"{name_of(owner)}-"
    references: list[Json] = [controller_reference(owner)]
    metadata: JsonObject = {
        "generateName": prefix if len(prefix) <= _LONGEST else prefix[:-1],
        "ownerReferences": references,
    }
    for field in ("labels", "annotations", "finalizers"):
        if wanted.get(field):
            metadata[field] = wanted[field]
    return copied_object({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": member(template, "spec")})
