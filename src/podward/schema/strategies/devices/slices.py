"""Slices of a pool of devices: which devices a driver has, on which nodes, with which attributes and capacities.

Specification: Kubernetes, pkg/apis/resource/validation validateResourceSliceSpec and all below it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies.devices import names
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.volume_sources import driver_name
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    Place,
    forbidden,
    invalid,
    invalid_value,
    required,
    too_long,
    too_many,
)
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, pointer, text
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_MOST_DEVICES, _MOST_ADVANCED, _MOST_SETS, _MOST_COUNTERS, _MOST_CONSUMED = 128, 64, 8, 32, 2
_MOST_ATTRIBUTES, _MOST_VALUES, _MOST_TAINTS, _LONGEST_VALUE = 32, 48, 16, 64
_LISTS = ("bools", "ints", "strings", "versions")
_WHERE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
_OF_ONE = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true"
    " in the ResourceSlice spec"
)
_ELSEWHERE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the"
    " ResourceSlice spec"
)
_NUMBER, _BEFORE, _BUILD = r"(0|[1-9]\d*)", r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)", "[0-9a-zA-Z-]+"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_BEFORE}(\.{_BEFORE})*)?(\+{_BUILD}(\.{_BUILD})*)?", re.ASCII
)


def check(spec: JsonObject, old: JsonObject | None) -> Decision:
    """What is wrong with the spec of a slice, or with a change of it."""
    found = [driver_name(text(spec, "driver"), SPEC / "driver"), _pool(member(spec, "pool"), SPEC / "pool")]
    if old is not None:
        found += _fixed(spec, old)
    found += [_nodes(spec), _devices(spec, old)]
    sets, place = objects(spec, "sharedCounters"), SPEC / "sharedCounters"
    return merge(*found, names.members(sets, _MOST_SETS, place, _counter_set, lambda each: text(each, "name")))


def _pool(pool: JsonObject, at: Place) -> Decision:
    found = [names.pool_name(text(pool, "name"), at / "name")]
    count, generation = number(pool, "resourceSliceCount"), number(pool, "generation")
    if count <= 0:
        found.append(invalid(at / "resourceSliceCount", count, "must be greater than zero"))
    if generation < 0:
        found.append(invalid(at / "generation", generation, "must be greater than or equal to zero"))
    return merge(*found)


def _fixed(spec: JsonObject, old: JsonObject) -> list[Decision]:
    pairs = (
        (SPEC / "pool" / "name", text(member(spec, "pool"), "name"), text(member(old, "pool"), "name")),
        (SPEC / "driver", text(spec, "driver"), text(old, "driver")),
        (SPEC / "nodeName", pointer(spec, "nodeName"), pointer(old, "nodeName")),
    )
    return [invalid_value(at, now, "field is immutable") for at, now, before in pairs if now != before]


def _nodes(spec: JsonObject) -> Decision:
    selector = member(spec, "nodeSelector")
    terms = selector.get("nodeSelectorTerms")
    found, chosen = _places(spec, SPEC, "must be either unset or set to a non-empty string")
    if isinstance(spec.get("nodeSelector"), dict) and len(objects(selector, "nodeSelectorTerms")) != 1:
        place, shown = SPEC / "nodeSelector" / "nodeSelectorTerms", internal("[core.NodeSelectorTerm", terms)
        found.append(invalid_value(place, shown, "must have exactly one node selector term"))
    each = spec.get("perDeviceNodeSelection")
    if each is True:
        chosen.append("`perDeviceNodeSelection`")
    elif each is False:
        found.append(invalid(SPEC / "perDeviceNodeSelection", False, "must be either unset or set to true"))
    found.append(_one(chosen, SPEC, _WHERE, ", but multiple fields are set"))
    if spec.get("sharedCounters") is not None and spec.get("devices") is not None:
        found.append(invalid(SPEC, "", "only one of `sharedCounters` or `devices` is allowed"))
    return merge(*found)


def _places(of: JsonObject, at: Place, empty: str) -> tuple[list[Decision], list[str]]:
    """What is wrong with where devices are, and by which fields that is said."""
    node, selector, everywhere = pointer(of, "nodeName"), of.get("nodeSelector"), of.get("allNodes")
    found: list[Decision] = []
    chosen: list[str] = []
    if node:
        chosen.append("`nodeName`")
        found += [invalid(at / "nodeName", node, fault) for fault in subdomain_faults(node)]
    elif node is not None:
        found.append(invalid(at / "nodeName", node, empty))
    if isinstance(selector, dict):
        chosen.append("`nodeSelector`")
        found.append(WALKS["NodeSelector"](selector, Scope(WALKS, "", of), at / "nodeSelector"))
    if everywhere is True:
        chosen.append("`allNodes`")
    elif everywhere is False:
        found.append(invalid(at / "allNodes", False, "must be either unset or set to true"))
    return found, chosen


def _one(chosen: Sequence[str], at: Place, sentence: str, more: str) -> Decision:
    if len(chosen) == 1:
        return NOTHING
    return invalid(at, f"{{{', '.join(chosen)}}}", sentence + more) if chosen else required(at, sentence)


def _counter_set(of: JsonObject, at: Place) -> Decision:
    return _counted(of, "name", at)


def _consumed(of: JsonObject, at: Place) -> Decision:
    return _counted(of, "counterSet", at)


def _counted(of: JsonObject, named: str, at: Place) -> Decision:
    name, counters = text(of, named), member(of, "counters")
    found = [names.label(name, at / named) if name else required(at / named)]
    if not counters:
        found.append(required(at / "counters"))
    elif len(counters) > _MOST_COUNTERS:
        found.append(too_many(at / "counters", len(counters), _MOST_COUNTERS))
    else:
        found += [names.label(counter, at / "counters") for counter in counters]
    return merge(*found)


# --- devices ----------------------------------------------------------------------------------------------------------


def _devices(spec: JsonObject, old: JsonObject | None) -> Decision:
    devices = objects(spec, "devices")
    before = {text(device, "name"): device for device in objects(old or {}, "devices")}
    advanced = any(
        device.get("taints") or device.get("consumesCounters") or any(map(_is_list, _attributes(device)))
        for device in devices
    )

    def device(of: JsonObject, at: Place) -> Decision:
        return _device(of, before.get(text(of, "name")), at, each_its_own=spec.get("perDeviceNodeSelection") is True)

    most = _MOST_ADVANCED if advanced else _MOST_DEVICES
    return names.members(devices, most, SPEC / "devices", device, lambda of: text(of, "name"))


def _attributes(device: JsonObject) -> list[JsonObject]:
    return [each if isinstance(each, dict) else {} for each in member(device, "attributes").values()]


def _is_list(attribute: JsonObject) -> bool:
    return any(attribute.get(name) is not None for name in _LISTS)


def _device(device: JsonObject, old: JsonObject | None, at: Place, *, each_its_own: bool) -> Decision:
    attributes, capacities = member(device, "attributes"), member(device, "capacity")
    found = [names.label(text(device, "name"), at / "name"), _amounts(attributes, capacities, at)]
    for name, attribute in sorted(attributes.items()):
        place = at / "attributes"
        found += [
            names.qualified(name, place),
            _attribute(attribute if isinstance(attribute, dict) else {}, place / Key(name)),
        ]
    for name, capacity in sorted(capacities.items()):
        place = at / "capacity"
        found.append(names.qualified(name, place))
        policy = capacity.get("requestPolicy") if isinstance(capacity, dict) else None
        if policy is not None and device.get("allowMultipleAllocations") is not True:
            found.append(forbidden(place / Key(name) / "requestPolicy", "allowMultipleAllocations must be true"))
    if old is None or old.get("taints") != device.get("taints"):
        found.append(names.items(objects(device, "taints"), _MOST_TAINTS, at / "taints", names.taint))
    consumed, place = objects(device, "consumesCounters"), at / "consumesCounters"
    found.append(names.members(consumed, _MOST_CONSUMED, place, _consumed, lambda of: text(of, "counterSet")))
    if each_its_own:
        wrong, chosen = _places(device, at, "must not be empty")
        found += [*wrong, _one(chosen, at, _OF_ONE, "")]
    elif any(device.get(name) is not None for name in ("nodeName", "nodeSelector", "allNodes")):
        found.append(invalid_value(at, None, _ELSEWHERE))
    return merge(*found, names.binding_conditions(device, at))


def _amounts(attributes: JsonObject, capacities: JsonObject, at: Place) -> Decision:
    count, found = len(attributes) + len(capacities), NOTHING
    if count > _MOST_ATTRIBUTES:
        detail = f"the total number of attributes and capacities must not exceed {_MOST_ATTRIBUTES}"
        found = invalid(at, count, detail)
    values = sum(_values(each) for each in attributes.values())
    if values > _MOST_VALUES:
        found += invalid(at, values, f"the total number of attribute values must not exceed {_MOST_VALUES}")
    return found


def _values(attribute: Json) -> int:
    of = attribute if isinstance(attribute, dict) else {}
    return sum(len(values) for name in _LISTS if isinstance(values := of.get(name), list)) or 1


def _attribute(of: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    said = [name for name in ("bool", "int", "string", "version", *_LISTS) if of.get(name) is not None]
    for name in said:
        value = of[name]
        if isinstance(value, list):
            if not value:
                found.append(invalid_value(at / name, value, "must not be empty if specified"))
            found += [_text(name, item, at / name / index) for index, item in enumerate(value)]
        else:
            found.append(_text(name, value, at / name))
    if not said:
        found.append(invalid(at, "", "exactly one value must be specified"))
    elif len(said) > 1:
        found.append(invalid_value(at, of, "exactly one value must be specified"))
    return merge(*found)


def _text(name: str, value: Json, at: Place) -> Decision:
    if not isinstance(value, str):
        return NOTHING
    found = []
    if name.startswith("version") and not _VERSION.fullmatch(value):
        found.append(invalid(at, value, "must be a string compatible with semver.org spec 2.0.0"))
    if len(value.encode()) > _LONGEST_VALUE:
        found.append(too_long(at, "", _LONGEST_VALUE))
    return merge(*found)
