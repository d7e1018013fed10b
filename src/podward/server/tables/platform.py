"""The rows of what a cluster is run with: priority levels, claims and slices of devices, API services.

Specification: Kubernetes, pkg/printers/internalversion; of API services kube-aggregator, pkg/registry/apiservice.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.server.tables.columns import AGE, NAME, Column, Printer
from podward.server.tables.texts import NONE, age_of, condition, name_of, objects_of, text_of


def _priority_level(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    limited = member(spec, "limited")
    queuing = member(member(limited, "limitResponse"), "queuing")
    return [
        name_of(raw), text_of(spec, "type"), limited.get("nominalConcurrencyShares", NONE),
        *(queuing.get(name, NONE) for name in ("queues", "handSize", "queueLengthLimit")), age_of(raw, now),
    ]  # fmt: skip


def _resource_claim(raw: JsonObject, now: float) -> list[Json]:
    going, status = member(raw, "metadata").get("deletionTimestamp") is not None, member(raw, "status")
    states = ["deleted"] if going else []
    if status.get("allocation") is not None:
        states += ["allocated", *(["reserved"] if objects_of(status, "reservedFor") else [])]
    elif not going:
        states.append("pending")
    return [name_of(raw), ",".join(states), age_of(raw, now)]


def _resource_slice(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    pool = text_of(member(spec, "pool"), "name")
    return [name_of(raw), text_of(spec, "nodeName"), text_of(spec, "driver"), pool, age_of(raw, now)]


def _api_service(raw: JsonObject, now: float) -> list[Json]:
    service, available = member(raw, "spec").get("service"), condition(raw, "Available") or {}
    place = "Local"
    if isinstance(service, dict):
        place = f"{text_of(service, 'namespace')}/{text_of(service, 'name')}"
    status, reason = text_of(available, "status", "Unknown"), text_of(available, "reason")
    told = f"{status} ({reason})" if reason and status != "True" else status
    return [name_of(raw), place, told, age_of(raw, now)]


PLATFORM: dict[tuple[str, str], Printer] = {
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): Printer(
        (
            NAME, Column("Type"), Column("NominalConcurrencyShares"), Column("Queues"), Column("HandSize"),
            Column("QueueLengthLimit"), AGE,
        ),
        _priority_level,
    ),
    ("resource.k8s.io", "ResourceClaim"): Printer((NAME, Column("State"), AGE), _resource_claim),
    ("resource.k8s.io", "ResourceSlice"): Printer(
        (NAME, Column("Node"), Column("Driver"), Column("Pool"), AGE), _resource_slice
    ),
    ("apiregistration.k8s.io", "APIService"): Printer(
        (NAME, Column("Service"), Column("Available"), AGE), _api_service
    ),
}  # fmt: skip
"""By group and kind."""
