"""The rows of autoscalers and disruption budgets.

Specification: Kubernetes, pkg/printers/internalversion formatHPAMetrics, of autoscaling/v2. Two metrics are shown, each
as what it is now and what it should be.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.server.tables.columns import AGE, NAME, Column, Printer, integer
from podward.server.tables.texts import NONE, UNKNOWN, UNSET, age_of, name_of, number_of, objects_of, text_of

_SHOWN = 2
_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
_WITH_NAMES = frozenset(("Resource", "ContainerResource"))


def _metrics(raw: JsonObject) -> str:
    found = objects_of(member(raw, "spec"), "metrics")
    if not found:
        return NONE
    current = objects_of(member(raw, "status"), "currentMetrics")
    told = [_metric(each, current[index] if index < len(current) else {}) for index, each in enumerate(found)]
    shown = ", ".join(told[:_SHOWN])
    return f"{shown} + {len(told) - _SHOWN} more..." if len(told) > _SHOWN else shown


def _metric(spec: JsonObject, status: JsonObject) -> str:
    kind = text_of(spec, "type")
    field = _FIELDS.get(kind)
    if field is None:
        return "<unknown type>"
    wanted, now = member(member(spec, field), "target"), member(member(status, field), "current")
    if kind in _WITH_NAMES:
        return f"{text_of(member(spec, field), 'name')}: {_of_resource(wanted, now)}"
    if kind == "Pods":
        return f"{text_of(now, 'averageValue', UNKNOWN)}/{text_of(wanted, 'averageValue', '0')}"
    if "averageValue" in wanted:
        return f"{text_of(now, 'averageValue', UNKNOWN)}/{wanted['averageValue']} (avg)"
    return f"{text_of(now, 'value', UNKNOWN)}/{text_of(wanted, 'value', '0')}"


def _of_resource(wanted: JsonObject, now: JsonObject) -> str:
    if "averageValue" in wanted:
        return f"{text_of(now, 'averageValue', UNKNOWN)}/{wanted['averageValue']}"
    used, target = now.get("averageUtilization"), wanted.get("averageUtilization")
    return f"{UNKNOWN if used is None else f'{used}%'}/{'<auto>' if target is None else f'{target}%'}"


def _autoscaler(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    target, least = member(spec, "scaleTargetRef"), spec.get("minReplicas")
    return [
        name_of(raw),
        f"{text_of(target, 'kind')}/{text_of(target, 'name')}",
        _metrics(raw),
        UNSET if least is None else str(least),
        number_of(spec, "maxReplicas"),
        number_of(member(raw, "status"), "currentReplicas"),
        age_of(raw, now),
    ]


def _budget(raw: JsonObject, now: float) -> list[Json]:
    spec = member(raw, "spec")
    bounds: list[Json] = [
        "N/A" if (value := spec.get(name)) is None else str(value) for name in ("minAvailable", "maxUnavailable")
    ]
    return [name_of(raw), *bounds, number_of(member(raw, "status"), "disruptionsAllowed"), age_of(raw, now)]


HORIZONTAL_POD_AUTOSCALER = Printer(
    (
        NAME, Column("Reference"), Column("Targets"), Column("MinPods"), Column("MaxPods"), Column("Replicas"), AGE,
    ),
    _autoscaler,
)  # fmt: skip
POD_DISRUPTION_BUDGET = Printer(
    (NAME, Column("Min Available"), Column("Max Unavailable"), integer("Allowed Disruptions"), AGE), _budget
)
