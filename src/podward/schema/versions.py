"""One object in another group or version: Events of both groups, HorizontalPodAutoscalers of both versions.

Specification: Kubernetes, pkg/apis/events/v1 and autoscaling/v1 conversion.go and annotations.go. An Event has the same
fields by other names. An autoscaler of version 1 says of its metrics the cpu's utilization only: all else stands in
annotations, as JSON of the version's own metrics, conditions, and the server's behavior; version 2 has none of these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from podward.api.resource import GroupVersion
from podward.documents.raw_fields import member, objects
from podward.schema.canonical import MisfitError, canonical
from podward.schema.kinds import type_of

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_EVENT = {
    "message": "note",
    "involvedObject": "regarding",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
"""Fields of `v1` events, and what events.k8s.io calls them."""
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR = (
    _PREFIX + name for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_SHAPES: dict[str, tuple[tuple[str, str], ...]] = {
    "resource": (
        ("name", "name"),
        ("*AverageUtilization", "$.averageUtilization"),
        ("*AverageValue", "$.averageValue"),
    ),
    "containerResource": (
        ("name", "name"),
        ("*AverageUtilization", "$.averageUtilization"),
        ("*AverageValue", "$.averageValue"),
        ("container", "container"),
    ),
    "pods": (("metricName", "metric.name"), ("*AverageValue", "$.averageValue"), ("selector", "metric.selector")),
    "object": (
        ("target", "describedObject"),
        ("metricName", "metric.name"),
        ("*Value", "$.value"),
        ("selector", "metric.selector"),
        ("averageValue", "$.averageValue"),
    ),
    "external": (
        ("metricName", "metric.name"),
        ("metricSelector", "metric.selector"),
        ("*Value", "$.value"),
        ("*AverageValue", "$.averageValue"),
    ),
}
"""By kind of metric: version 1's fields, and where version 2 has them. `*` and `$` are `target` or `current`."""
_WRITTEN = {("object", "target"): "*Value", ("pods", "target"): "*AverageValue", ("external", "current"): "*Value"}
_WRITTEN |= {(kind, "current"): "*AverageValue" for kind in ("resource", "containerResource", "pods")}
_WRITTEN["object", "current"] = "*Value"
"""Amounts that version 1 always writes."""


def in_version(value: JsonObject, of: GroupVersion) -> JsonObject:
    """The object as this group and version has it: itself where it is of that version."""
    written = str(value.get("apiVersion"))
    if written == str(of):
        return value
    kind = value.get("kind")
    if kind == "Event":
        made = _renamed(value, _EVENT if of.group else {new: old for old, new in _EVENT.items()})
    else:
        made = _as_version_1(value) if of.version == "v1" else _as_version_2(value)
    made = {**made, "apiVersion": str(of)}
    name = type_of(str(of), str(kind))
    try:
        return made if name is None else canonical(made, name)
    except MisfitError:
        return made


def _renamed(value: JsonObject, names: Mapping[str, str]) -> JsonObject:
    return {names.get(name, name): item for name, item in value.items()}


def _utilization(metric: JsonObject, which: str) -> Json:
    """The cpu's utilization, which version 1 has a field for; None of another metric."""
    resource = member(metric, "resource")
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    return member(resource, which).get("averageUtilization")


def _as_version_1(value: JsonObject) -> JsonObject:
    spec, status = member(value, "spec"), member(value, "status")
    metrics, current = objects(spec, "metrics"), objects(status, "currentMetrics")
    annotations: dict[str, Json] = _without(value)
    usual = [_utilization(metric, "target") for metric in metrics]
    others: list[Json] = [
        _metric_1(metric, "target") for metric, used in zip(metrics, usual, strict=True) if used is None
    ]
    if others:
        annotations[_METRICS] = _text(others)
    if current:
        annotations[_CURRENT] = _text([_metric_1(metric, "current") for metric in current])
    if spec.get("behavior") is not None:
        annotations[_BEHAVIOR] = _text(_internal_behavior(member(spec, "behavior")))
    if status.get("conditions"):
        annotations[_CONDITIONS] = _text(status["conditions"])
    used = next((used for used in usual if used is not None), None)
    now = [found for found in (_utilization(metric, "current") for metric in current) if found is not None]
    return {
        **value,
        "metadata": _annotated(value, annotations),
        "spec": {**_but(spec, "metrics", "behavior"), "targetCPUUtilizationPercentage": used},
        "status": {
            **_but(status, "currentMetrics", "conditions"),
            "currentCPUUtilizationPercentage": now[-1] if now else None,
        },
    }


def _as_version_2(value: JsonObject) -> JsonObject:
    spec, status = member(value, "spec"), member(value, "status")
    annotations = member(member(value, "metadata"), "annotations")
    metrics: list[Json] = [_metric_2(metric, "target") for metric in _read(annotations.get(_METRICS))]
    used = spec.get("targetCPUUtilizationPercentage")
    if used is not None or not metrics:
        target: JsonObject = {"type": "Utilization", "averageUtilization": 80 if used is None else used}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": target}})
    current: list[Json] = [_metric_2(metric, "current") for metric in _read(annotations.get(_CURRENT))]
    now = status.get("currentCPUUtilizationPercentage")
    if not current and now is not None:
        current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": now}}}]
    conditions: list[Json] = [*_read(annotations.get(_CONDITIONS))]
    return {
        **value,
        "metadata": _annotated(value, _without(value)),
        "spec": {
            **_but(spec, "targetCPUUtilizationPercentage"),
            "metrics": metrics,
            "behavior": _external_behavior(annotations.get(_BEHAVIOR)),
        },
        "status": {
            **_but(status, "currentCPUUtilizationPercentage"),
            "currentMetrics": current or None,
            "conditions": conditions,
        },
    }


def _metric_1(metric: JsonObject, which: str) -> JsonObject:
    """A metric of version 2 in version 1's form."""
    made: JsonObject = {"type": metric.get("type")}
    for kind, shape in _SHAPES.items():
        source = metric.get(kind)
        if not isinstance(source, dict):
            continue
        inner: JsonObject = {}
        for name, place in shape:
            found = _found(source, place.replace("$", which))
            if found is None and _WRITTEN.get((kind, which)) == name:
                found = "0"
            if found is not None:
                inner[_named(name, which)] = found
        made[kind] = inner
    return made


def _metric_2(metric: JsonObject, which: str) -> JsonObject:
    """A metric of version 1 in version 2's form."""
    made: JsonObject = {"type": metric.get("type")}
    for kind, shape in _SHAPES.items():
        source = metric.get(kind)
        if not isinstance(source, dict):
            continue
        inner: JsonObject = {}
        for name, place in shape:
            found = source.get(_named(name, which))
            if found is not None:
                _put(inner, place.replace("$", which), found)
        amounts = inner.get(which)
        if which == "target" and isinstance(amounts, dict):
            inner[which] = {"type": _amount_type(amounts), **amounts}
        made[kind] = inner
    return made


def _amount_type(amounts: JsonObject) -> str:
    if "averageUtilization" in amounts:
        return "Utilization"
    if "averageValue" in amounts:
        if amounts.get("value") == "0":
            del amounts["value"]
        return "AverageValue"
    return "Value"


def _named(name: str, which: str) -> str:
    return name.replace("*", which)


def _found(source: JsonObject, place: str) -> Json:
    holder, _, name = place.rpartition(".")
    return (member(source, holder) if holder else source).get(name)


def _put(made: JsonObject, place: str, value: Json) -> None:
    holder, _, name = place.rpartition(".")
    inside = made.setdefault(holder, {}) if holder else made
    if isinstance(inside, dict):
        inside[name] = value


def _internal_behavior(behavior: JsonObject) -> JsonObject:
    """A behavior as the server's own type prints it, without names for JSON."""
    made: JsonObject = {}
    for side in ("scaleUp", "scaleDown"):
        rules = behavior.get(side)
        made[_capital(side)] = _internal_rules(rules) if isinstance(rules, dict) else None
    return made


def _internal_rules(rules: JsonObject) -> JsonObject:
    made: JsonObject = {
        _capital(name): rules.get(name)
        for name in ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    }
    if rules.get("policies") is not None:
        made["Policies"] = [
            {_capital(name): policy.get(name) for name in ("type", "value", "periodSeconds")}
            for policy in objects(rules, "policies")
        ]
    return made


def _external_behavior(text: Json) -> Json:
    try:
        found: Json = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return _small(found) if isinstance(found, dict) and any(found.values()) else None


def _small(value: Json) -> Json:
    """The same with names that begin with a small letter, and without nulls."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _small(item) for name, item in value.items() if item is not None}
    return [_small(item) for item in value] if isinstance(value, list) else value


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]


def _read(text: Json) -> list[JsonObject]:
    """The objects in the list that an annotation holds; none where it holds no such thing."""
    try:
        found: Json = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _text(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _without(value: JsonObject) -> dict[str, Json]:
    """The annotations but those that stand for fields."""
    ours = {_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR}
    annotations = member(member(value, "metadata"), "annotations")
    return {name: text for name, text in annotations.items() if name not in ours}


def _annotated(value: JsonObject, annotations: dict[str, Json]) -> JsonObject:
    return {**member(value, "metadata"), "annotations": annotations or None}


def _but(value: JsonObject, *names: str) -> JsonObject:
    return {name: item for name, item in value.items() if name not in names}
