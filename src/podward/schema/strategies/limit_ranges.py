"""LimitRanges: for each type and resource, what is the least, the most, the default.

Specification: Kubernetes, ValidateLimitRange and its parts, and the strategy in pkg/registry/core/limitrange: a change
is validated as a new object is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from podward.api.quantity import Quantity
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import anew, by, in_order, walks
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, Place, duplicate, each, forbidden, invalid, refused, required
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import text
from podward.schema.validation.resources import HUGE_PAGES, amounts, container_name, resource_name
from podward.schema.validation.rules import Code, Inside
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_TYPES = frozenset(("Pod", "Container", "PersistentVolumeClaim"))
_FIELDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_MOST_MILLI = ((1 << 63) - 1) // 1000
_ONE = 10**9
Limits: TypeAlias = Mapping[str, Mapping[str, Quantity]]
"""Of each field, its amounts by resource."""


def _limits(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    found: list[Decision] = []
    seen: set[str] = set()
    for index, limit in enumerate(objects(spec, "limits")):
        place, kind = at / "limits" / index, text(limit, "type")
        if kind not in _TYPES:
            found.append(_type(kind, place / "type"))
        if kind in seen:
            found.append(duplicate(place / "type", kind))
        seen.add(kind)
        found.append(_limit(limit, kind, place))
    return merge(*found)


def _type(kind: str, at: Place) -> Decision:
    if faults := key_faults(kind):
        return each(at, kind, faults)
    return NOTHING if "/" in kind else invalid(at, kind, "must be a standard limit type or fully qualified")


def _limit(limit: JsonObject, kind: str, at: Place) -> Decision:
    found: list[Decision] = []
    rule = container_name if kind in {"Pod", "Container"} else resource_name
    limits: dict[str, Mapping[str, Quantity]] = {}
    for field in _FIELDS:
        written = amounts(limit, field)
        if kind == "Pod" and field.startswith("default"):
            if written:
                found.append(forbidden(at / field, "may not be specified when `type` is 'Pod'"))
            limits[field] = {}
            continue
        if field == "maxLimitRequestRatio" and kind == "PersistentVolumeClaim" and not _bounds_storage(limit):
            detail = "either minimum or maximum storage value is required, but neither was provided"
            found.append(required(at / "limits", detail))
        limits[field] = written
        found += [refused(at / field / Key(name), name, faults) for name in written if (faults := rule(name))]
    for name in sorted({name for of in limits.values() for name in of}):
        found.append(_consistent(name, limits, at))
    return merge(*found)


def _bounds_storage(limit: JsonObject) -> bool:
    return "storage" in member(limit, "min") or "storage" in member(limit, "max")


_PAIRS = (
    ("min", "max", "min", "min value {} is greater than max value {}"),
    ("min", "defaultRequest", "defaultRequest", "min value {} is greater than default request value {}"),
    ("defaultRequest", "max", "defaultRequest", "default request value {} is greater than max value {}"),
    ("defaultRequest", "default", "defaultRequest", "default request value {} is greater than default limit value {}"),
    ("min", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "max", "default value {} is greater than max value {}"),
)
"""What must not be greater than what, the one of which the value is printed, and the sentence."""


def _consistent(name: str, limits: Limits, at: Place) -> Decision:
    """What the amounts of one resource have to do with each other."""
    of = {field: written[name] for field, written in limits.items() if name in written}
    found: list[Decision] = []
    for less, more, shown, sentence in _PAIRS:
        if less in of and more in of and of[less].units > of[more].units:
            field = "default" if {less, more} in ({"min", "default"}, {"default", "max"}) else shown
            found.append(invalid(at / field / Key(name), str(of[shown]), sentence.format(of[less], of[more])))
    found.append(_ratio(name, of, at / "maxLimitRequestRatio" / Key(name)))
    overcommitted = "/" not in name or "kubernetes.io/" in name
    if (not overcommitted or name.startswith(HUGE_PAGES)) and "default" in of and "defaultRequest" in of:
        limit, request = of["default"], of["defaultRequest"]
        if limit.units != request.units:
            detail = f"default value {limit} must equal to defaultRequest value {request} in {name}"
            found.append(invalid(at / "defaultRequest" / Key(name), str(request), detail))
    return merge(*found)


def _ratio(name: str, of: Mapping[str, Quantity], at: Place) -> Decision:
    del name
    ratio, found = of.get("maxLimitRequestRatio"), NOTHING
    if ratio is None:
        return NOTHING
    if ratio.units < _ONE:
        found = invalid(at, str(ratio), f"ratio {ratio} is less than 1")
    if "min" not in of or "max" not in of:
        return found
    value, least, most = float(ratio.value), of["min"].value, of["max"].value
    if max(ratio.value, least, most) < _MOST_MILLI:
        value, least, most = ratio.milli_value / 1000, of["min"].milli_value, of["max"].milli_value
    bound = most / least if least else float("inf") if most else float("nan")
    if value > bound:
        found += invalid(at, str(ratio), f"ratio {ratio} is greater than max/min = {bound:f}")
    return found


_WALKS = walks({"LimitRange": (Inside("spec", "LimitRangeSpec"),), "LimitRangeSpec": (Code(_limits, ("limits",)),)})
_NEW = in_order(object_meta.new(names.SUBDOMAIN, namespaced=True), by("LimitRange", _WALKS))


def _named(obj: JsonObject) -> JsonObject:
    """Where there is no name, one is made up; the uid will do."""
    of = member(obj, "metadata")
    return obj if of.get("name") else {**obj, "metadata": {**of, "name": of.get("uid")}}


LIMIT_RANGE = Strategy(
    validate=_NEW, validate_update=anew(_NEW), prepare_for_create=_named, allow_create_on_update=True
)
