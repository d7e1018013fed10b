"""HorizontalPodAutoscalers, and Scale, which other resources have as a subresource.

Specification: Kubernetes, pkg/apis/autoscaling/validation and the strategy in
pkg/registry/autoscaling/horizontalpodautoscaler, about version 2. Each metric has the source that its type says and no
other; what is scaled is in an API group, and so is no Pod; what is stored may stay as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta, workloads
from podward.schema.strategies.kind import changes, in_order, keeping, without
from podward.schema.strategies.names import segment_faults
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, STATUS, not_negative
from podward.schema.validation.field import (
    NOTHING,
    Place,
    each,
    forbidden,
    invalid,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, pointer, text
from podward.schema.validation.resources import container_name

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_SOURCES = {"object": "Object", "external": "External", "pods": "Pods", "resource": "Resource",
            "containerResource": "ContainerResource"}  # fmt: skip
"""In the server's order, the field and the type."""
_TYPES = tuple(sorted(_SOURCES.values()))
_MISSING, _OTHER = "must populate information for the given metric source", "must populate the given metric source only"
_TARGETS = ("Utilization", "Value", "AverageValue")
_LONGEST_PERIOD, _LONGEST_WINDOW = 1800, 3600
_SELECT, _POLICIES = ("Disabled", "Max", "Min"), ("Percent", "Pods")
_NO_VALUE, _TWO_VALUES = (
    "must set either a target raw value or a target utilization",
    "may not set both a target raw value and a target utilization",
)
_NEEDED = {
    "object": "must set either a target value or averageValue",
    "external": "must set either a target value for metric or a per-pod target",
}


class _Leave:
    """What a stored autoscaler makes it allowed to leave."""

    __slots__ = ("any_object", "any_target", "least", "no_group")

    def __init__(self, spec: JsonObject, before: JsonObject | None) -> None:
        target = member(spec, "scaleTargetRef")
        self.least = 0 if before is not None and before.get("minReplicas") == 0 else 1
        stored = None if before is None else member(before, "scaleTargetRef")
        same_kind = stored is not None and all(
            text(stored, name) == text(target, name) for name in ("apiVersion", "kind")
        )
        self.any_target = same_kind
        self.no_group = text(target, "kind") == "ReplicationController"
        metrics = objects(before, "metrics") if before is not None else []
        described = [member(member(metric, "object"), "describedObject") for metric in metrics if metric.get("object")]
        self.any_object = any(_version_fault(text(each_one, "apiVersion"), no_group=True) for each_one in described)


def _version_fault(version: str, *, no_group: bool) -> str:
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    group = version.partition("/")[0] if "/" in version else ""
    return "" if group or no_group else "apiVersion must specify API group"


def _spec(spec: JsonObject, before: JsonObject | None) -> Decision:
    leave, least, most = _Leave(spec, before), spec.get("minReplicas"), number(spec, "maxReplicas")
    found: list[Decision] = []
    if type(least) is int and least < leave.least:
        found.append(invalid(SPEC / "minReplicas", least, f"must be greater than or equal to {leave.least}"))
    if most == 0:
        found.append(required(SPEC / "maxReplicas", "must be set and greater than 0"))
    elif most < 0:
        found.append(invalid(SPEC / "maxReplicas", most, "must be greater than or equal to 1"))
    if type(least) is int and most < least:
        found.append(invalid(SPEC / "maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    target = member(spec, "scaleTargetRef")
    found.append(_reference(target, SPEC / "scaleTargetRef", any_version=leave.any_target, no_group=leave.no_group))
    metrics = objects(spec, "metrics")
    found += [_metric(metric, leave, SPEC / "metrics" / index) for index, metric in enumerate(metrics)]
    if least == 0 and not any(text(metric, "type") in {"Object", "External"} for metric in metrics):
        detail = "must specify at least one Object or External metric to support scaling to zero replicas"
        found.append(forbidden(SPEC / "metrics", detail))
    behavior = member(spec, "behavior")
    for name in ("scaleUp", "scaleDown"):
        rules = behavior.get(name)
        if isinstance(rules, dict):
            found.append(_rules(rules, SPEC / "behavior" / name))
    return merge(*found)


def _reference(reference: JsonObject, at: Place, *, any_version: bool, no_group: bool) -> Decision:
    found: list[Decision] = []
    for name in ("kind", "name"):
        value = text(reference, name)
        found.append(each(at / name, value, segment_faults(value)) if value else required(at / name))
    version = text(reference, "apiVersion")
    fault = "" if any_version else _version_fault(version, no_group=no_group)
    return merge(*found, invalid(at / "apiVersion", version, fault) if fault else NOTHING)


# --- metrics ----------------------------------------------------------------------------------------------------------


def _metric(metric: JsonObject, leave: _Leave, at: Place) -> Decision:
    kind, found = text(metric, "type"), list[Decision]()
    if not kind:
        found.append(required(at / "type", "must specify a metric source type"))
    if kind not in _TYPES:
        found.append(unsupported(at / "type", kind, _TYPES))
    present = [name for name in _SOURCES if metric.get(name) is not None]
    if present:
        first = present[0]
        found.append(_source(first, member(metric, first), leave, at / first))
    expected = next((name for name, of in _SOURCES.items() if of == kind), "")
    if not expected:
        found.append(unsupported(at / "type", kind, _TYPES))
    elif expected not in present:
        found.append(required(at / expected, _MISSING))
    if len(present) != 1:
        found += [forbidden(at / name, _OTHER) for name in sorted(present) if name != expected]
    return merge(*found)


def _source(kind: str, source: JsonObject, leave: _Leave, at: Place) -> Decision:
    target, of_target = member(source, "target"), at / "target"
    found: list[Decision] = []
    if kind == "object":
        described = member(source, "describedObject")
        found.append(_reference(described, at / "describedObject", any_version=leave.any_object, no_group=True))
    if kind in {"object", "external", "pods"}:
        name, place = text(member(source, "metric"), "name"), at / "metric" / "name"
        found.append(each(place, name, segment_faults(name)) if name else required(place, "must specify a metric name"))
    else:
        found.append(_resource(kind, source, at))
    return merge(*found, _target(target, of_target), _values(kind, target, of_target))


def _resource(kind: str, source: JsonObject, at: Place) -> Decision:
    name, container = text(source, "name"), text(source, "container")
    if not name:
        found = required(at / "name", "must specify a resource name")
    else:
        found = refused(at / "name", name, container_name(name)) if kind == "containerResource" else NOTHING
    if kind != "containerResource":
        return found
    if not container:
        return found + required(at / "container", "must specify a container")
    return found + each(at / "container", container, label_faults(container))


def _target(target: JsonObject, at: Place) -> Decision:
    kind, found = text(target, "type"), NOTHING
    if not kind:
        found = required(at / "type", "must specify a metric target type")
    if kind not in _TARGETS:
        found += invalid(at / "type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        written = target.get(name)
        amount = None if written is None else parse(str(written))
        if amount is not None and amount.units <= 0:
            found += invalid(at / name, str(amount), "must be positive")
    utilization = target.get("averageUtilization")
    if type(utilization) is int and utilization < 1:
        found += invalid(at / "averageUtilization", utilization, "must be greater than 0")
    return found


def _values(kind: str, target: JsonObject, at: Place) -> Decision:
    """Which of its values a target must have, and may have."""
    value, average = target.get("value") is not None, target.get("averageValue") is not None
    utilization, found = target.get("averageUtilization") is not None, NOTHING
    if kind == "pods":
        return NOTHING if average else required(at / "averageValue", "must specify a positive target averageValue")
    if kind in {"resource", "containerResource"}:
        if not utilization and not average:
            return required(at / "averageUtilization", _NO_VALUE)
        return forbidden(at / "averageValue", _TWO_VALUES) if utilization and average else NOTHING
    if not value and not average:
        found = required(at / "averageValue", _NEEDED[kind])
    if kind == "external" and value and average:
        found = forbidden(at / "value", "may not set both a target value for metric and a per-pod target")
    return found


# --- behaviour --------------------------------------------------------------------------------------------------------


def _rules(rules: JsonObject, at: Place) -> Decision:
    window, place = number(rules, "stabilizationWindowSeconds"), at / "stabilizationWindowSeconds"
    found: list[Decision] = []
    if window < 0:
        found.append(invalid(place, window, "must be greater than or equal to zero"))
    if window > _LONGEST_WINDOW:
        found.append(invalid(place, window, f"must be less than or equal to {_LONGEST_WINDOW}"))
    select = pointer(rules, "selectPolicy")
    if select is not None and select not in _SELECT:
        found.append(unsupported(at / "selectPolicy", select, _SELECT))
    policies = objects(rules, "policies")
    if not policies:
        found.append(required(at / "policies", "must specify at least one Policy"))
    found += [_policy(policy, at / "policies" / index) for index, policy in enumerate(policies)]
    tolerance = rules.get("tolerance")
    if tolerance is not None and parse(str(tolerance)).units < 0:
        found.append(invalid(at / "tolerance", str(tolerance), "must be greater than or equal to 0"))
    return merge(*found)


def _policy(policy: JsonObject, at: Place) -> Decision:
    kind, value, period, found = text(policy, "type"), number(policy, "value"), number(policy, "periodSeconds"), NOTHING
    if kind not in _POLICIES:
        found = unsupported(at / "type", kind, _POLICIES)
    for name, amount in (("value", value), ("periodSeconds", period)):
        if amount <= 0:
            found += invalid(at / name, amount, "must be greater than zero")
    if period > _LONGEST_PERIOD:
        found += invalid(at / "periodSeconds", period, f"must be less than or equal to {_LONGEST_PERIOD}")
    return found


def _new(obj: JsonObject) -> Decision:
    return _spec(member(obj, "spec"), None)


def _changed(obj: JsonObject, old: JsonObject) -> Decision:
    return _spec(member(obj, "spec"), member(old, "spec"))


def _status(obj: JsonObject, _old: JsonObject) -> Decision:
    return not_negative(member(obj, "status"), ("currentReplicas", "desiredReplicas"), STATUS)


_META = object_meta.new(names.SUBDOMAIN, namespaced=True)
AUTOSCALER = Strategy(
    validate=in_order(_META, _new),
    validate_update=changes(object_meta.changed, _changed),
    prepare_for_create=without("status"),
    prepare_for_update=keeping("status"),
)
AUTOSCALER_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _status),
    prepare_for_update=workloads.keeping_spec(),
)
