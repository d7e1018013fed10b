"""Conditions in a status: how one takes another's place.

Specification: Kubernetes, SetDeploymentCondition of pkg/controller/deployment/util and its like. A condition with the
same status and reason stays as it is; with the same status alone, it keeps the time of its last transition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.schema.moments import written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from podward.api.json_value import JsonObject


def find(conditions: Iterable[JsonObject], kind: object) -> JsonObject | None:
    """The condition of this type."""
    return next((found for found in conditions if found.get("type") == kind), None)


def put(conditions: list[JsonObject], condition: JsonObject) -> list[JsonObject]:
    """The conditions with this one among them."""
    found = find(conditions, condition.get("type"))
    if found is None:
        return [*conditions, condition]
    if found.get("status") == condition.get("status"):
        if found.get("reason") == condition.get("reason"):
            return conditions
        condition = {**condition, "lastTransitionTime": found.get("lastTransitionTime")}
    return [*without(conditions, condition.get("type")), condition]


def without(conditions: Iterable[JsonObject], kind: object) -> list[JsonObject]:
    """The conditions without the one of this type."""
    return [found for found in conditions if found.get("type") != kind]


def made(kind: str, status: str, reason: str, message: str, now: float) -> JsonObject:
    """A condition that begins now."""
    found: JsonObject = {"type": kind, "status": status, "lastTransitionTime": written(now)}
    if reason:
        found["reason"] = reason
    if message:
        found["message"] = message
    return found
