"""What a step of a Deployment comes to: what is written, in which order, and what is told.

Specification: Kubernetes, pkg/controller/deployment/sync.go getNewReplicaSet and scaleReplicaSet: their events, the
condition of a ReplicaSet that could not be made, and the count of names that were taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.controllers.apps.deployments import status
from podward.documents.raw_fields import member
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject


class Told(Struct, frozen=True):
    """An event about the Deployment."""

    kind: str
    reason: str
    message: str


class Plan(Struct):
    """What is to be written, in this order; `deployment` is as it will be: its status, or all of it if rolled back."""

    deployment: JsonObject
    created: JsonObject | None = None
    changed: dict[str, JsonObject] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    rolled_back: bool = False
    scaled: dict[str, tuple[int, int]] = field(default_factory=dict)
    """From which size to which, by the name of the ReplicaSet."""
    events: list[Told] = field(default_factory=list)
    again: float | None = None

    def scaling(self, name: str) -> Told | None:
        """What is told once the ReplicaSet of this name is written; nothing where its size stays."""
        before, size = self.scaled.get(name, (0, 0))
        if before == size:
            return None
        way = "up" if before < size else "down"
        return Told("Normal", "ScalingReplicaSet", f"Scaled {way} replica set {name} from {before} to {size}")


def failed(deployment: JsonObject, name: str, why: str, now: float) -> Plan:
    """What is said when the newest ReplicaSet could not be made."""
    sentence = f'Failed to create new replica set "{name}": {why}'
    plan = Plan(deployment, events=[Told("Warning", "ReplicaSetCreateError", sentence)])
    if status.deadline(deployment) is not None:
        found = status.condition(status.PROGRESSING, "False", "ReplicaSetCreateError", sentence, now)
        plan.deployment = status.with_condition(deployment, found)
    return plan


def collided(deployment: JsonObject) -> JsonObject:
    """The Deployment whose next ReplicaSet gets another name, as that name is another's."""
    state = member(deployment, "status")
    return {**deployment, "status": {**state, "collisionCount": number(state, "collisionCount") + 1}}
