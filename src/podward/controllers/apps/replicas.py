"""How many Pods an owner of replicas lacks or has too many, and what its status says of them.

Specification: Kubernetes, pkg/controller/replicaset: manageReplicas, getPodsToDelete and calculateStatus. At most 500
Pods are made or deleted at once. A failure to make or delete is told in the condition ReplicaFailure until it works
again. A ReplicationController is counted in the same way, and says nothing of Pods that are terminating.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.controllers.apps import conditions
from podward.controllers.apps.ownership import labels_of
from podward.controllers.apps.pods import is_available, is_ready
from podward.controllers.apps.ranking import surplus
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podward.api.json_value import JsonObject

BURST = 500
FAILURE = "ReplicaFailure"


class Change(Struct, frozen=True):
    """How many Pods are to be made, and which are to go."""

    make: int = 0
    delete: tuple[JsonObject, ...] = ()


def wanted(owner: JsonObject) -> int:
    """The replicas that are wished for."""
    return number(member(owner, "spec"), "replicas")


def change(owner: JsonObject, active: Sequence[JsonObject], related: Iterable[JsonObject], now: float) -> Change:
    """What is to be done about the owner's active Pods. `related`: as in `ranking.surplus`."""
    more = len(active) - wanted(owner)
    if more <= 0:
        return Change(make=min(-more, BURST))
    return Change(delete=tuple(surplus(active, related, min(more, BURST), now)))


class Counted(Struct, frozen=True):
    """What the status is made from. `terminating`: nothing where the kind does not say. `failure`: of this change."""

    active: Sequence[JsonObject]
    terminating: int | None
    failure: str
    now: float


def status_of(owner: JsonObject, counted: Counted) -> JsonObject:
    """The status of the owner; equal to the one it has where nothing is to be written."""
    spec, before = member(owner, "spec"), member(owner, "status")
    template = member(member(member(spec, "template"), "metadata"), "labels")
    ready = [pod for pod in counted.active if is_ready(pod)]
    minimum = number(spec, "minReadySeconds")
    counts = {
        "fullyLabeledReplicas": sum(template.items() <= labels_of(pod).items() for pod in counted.active),
        "readyReplicas": len(ready),
        "availableReplicas": sum(is_available(pod, minimum, counted.now) for pod in ready),
        "observedGeneration": number(member(owner, "metadata"), "generation"),
    }
    status: JsonObject = {"replicas": len(counted.active), **{name: count for name, count in counts.items() if count}}
    if counted.terminating is not None:
        status["terminatingReplicas"] = counted.terminating
    listed = _conditions(owner, objects(before, "conditions"), counted)
    return {**status, "conditions": [*listed]} if listed else status


def _conditions(owner: JsonObject, before: list[JsonObject], counted: Counted) -> list[JsonObject]:
    if not counted.failure:
        return conditions.without(before, FAILURE)
    if conditions.find(before, FAILURE) is not None:
        return before
    more = len(counted.active) - wanted(owner)
    reason = "FailedCreate" if more < 0 else "FailedDelete" if more > 0 else ""
    return [*before, conditions.made(FAILURE, "True", reason, counted.failure, counted.now)]
