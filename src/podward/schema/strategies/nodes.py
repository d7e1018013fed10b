"""Nodes and RuntimeClasses.

Specification: Kubernetes, ValidateNode and its update, pkg/apis/node/validation and the strategies in
pkg/registry/core/node, pkg/registry/node/runtimeclass. Taints are refused at the metadata, where they once were. What
a node is given once it keeps: its addresses for Pods, its name at a provider.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.api.quantity import parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import path
from podward.schema.strategies import ip, names, object_meta
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.kind import changes, in_order, keeping
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation import labels, resources
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.internal import go_json
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import text, texts
from podward.schema.validation.resources import amount_of
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope
from podward.schema.warnings.scheduling import OLD_NODE_LABELS

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_META, _STATUS = ROOT / "metadata", ROOT / "status"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_FEATURE = re.compile(r"([A-Z][A-Za-z0-9]*)(/[A-Za-z][A-Za-z0-9]*)*")
_LONGEST_FEATURE = 253
_FEATURE_RULE = (
    "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or"
    " MyFeature/mySubFeature), and contain only alphanumeric characters and slashes"
)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _taints(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(objects(member(obj, "spec"), "taints")):
        place, key, value = _META / "taints" / index, text(taint, "key"), text(taint, "value")
        effect = text(taint, "effect")
        found.append(each(place / "key", key, key_faults(key)))
        if faults := value_faults(value):
            found.append(invalid(place / "value", value, ";".join(faults)))
        if effect not in _EFFECTS:
            missing = required(place / "effect")
            found.append(unsupported(place / "effect", effect, _EFFECTS) if effect else missing)
        if (key, effect) in seen:
            found.append(_twice(internal("core.Taint", taint), place, "taints must be unique by key and effect pair"))
        seen.add((key, effect))
    return merge(*found)


def _twice(value: Json, at: Place, detail: str = "") -> Decision:
    return refused(at, value, [f"Duplicate value: {go_json(value)}" + (f": {detail}" if detail else "")])


def _amounts(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    for kind in ("capacity", "allocatable"):
        for name, written in member(member(obj, "status"), kind).items():
            found.append(amount_of(name, parse(str(written)), _STATUS / kind / name))
    return merge(*found)


def _swap(obj: JsonObject) -> Decision:
    capacity = member(member(member(obj, "status"), "nodeInfo"), "swap").get("capacity")
    if type(capacity) is not int or capacity > 0:
        return NOTHING
    return invalid(_META / "nodeSwapStatus" / "capacity", capacity, "must be greater than zero")


def _features(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    written, place = texts(member(obj, "status"), "declaredFeatures"), _STATUS / "declaredFeatures"
    for index, name in enumerate(written):
        if len(name.encode()) > _LONGEST_FEATURE:
            detail = f'invalid feature name "{name}": must be no more than {_LONGEST_FEATURE} characters'
            found.append(invalid(place / index, name, detail))
        elif not _FEATURE.fullmatch(name):
            found.append(invalid(place / index, name, f'invalid feature name "{name}": {_FEATURE_RULE}'))
        following = written[index + 1] if index + 1 < len(written) else None
        if following == name:
            found.append(duplicate(place / (index + 1), name))
        elif following is not None and name > following:
            found.append(invalid(place / (index + 1), following, "list must be sorted alphabetically"))
    return merge(*found)


def _ranges(obj: JsonObject) -> Decision:
    written, place = texts(member(obj, "spec"), "podCIDRs"), SPEC / "podCIDRs"
    found = [ip.address_range(value, place / index) for index, value in enumerate(written)]
    if len(written) > 1:
        families = {":" in value for value in written}
        if len(families) != len(written):
            shown: Json = [*written]
            found.append(invalid_value(place, shown, "may specify no more than one CIDR for each IP family"))
    return merge(*found)


def _addresses(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    seen: set[tuple[str, str]] = set()
    for index, address in enumerate(objects(member(obj, "status"), "addresses")):
        kind, value = text(address, "type"), text(address, "address")
        if (kind, value) in seen:
            found.append(_twice({"Type": kind, "Address": value}, _STATUS / "addresses" / index))
        seen.add((kind, value))
    return merge(*found)


def _kept(obj: JsonObject, old: JsonObject) -> Decision:
    spec, before, found = member(obj, "spec"), member(old, "spec"), []
    stored, now = texts(before, "podCIDRs"), texts(spec, "podCIDRs")
    if stored:
        changed = sum(one != other for one, other in zip(stored, now, strict=False))
        detail = 'node updates may not change podCIDR except from "" to valid'
        times = 1 if len(stored) != len(now) else changed
        found += [forbidden(SPEC / "podCIDRs", detail) for _ in range(times)]
    provider = text(before, "providerID")
    if provider and provider != text(spec, "providerID"):
        detail = 'node updates may not change providerID except from "" to valid'
        found.append(forbidden(SPEC / "providerID", detail))
    return merge(*found)


def _external_name(obj: JsonObject, old: JsonObject) -> Decision:
    if text(member(obj, "spec"), "externalID") == text(member(old, "spec"), "externalID"):
        return NOTHING
    return forbidden(SPEC / "externalID", "may not be updated")


def _without_source(obj: JsonObject) -> JsonObject:
    """Configuration of a kubelet is no longer read from the server."""
    spec, status = member(obj, "spec"), member(obj, "status")
    made = dict(obj)
    if "configSource" in spec:
        made["spec"] = {name: value for name, value in spec.items() if name != "configSource"}
    if "config" in status:
        made["status"] = {name: value for name, value in status.items() if name != "config"}
    return made


def _warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    spec, found = member(obj, "spec"), []
    if spec.get("configSource") is not None:
        found.append("spec.configSource: the feature is removed")
    if text(spec, "externalID"):
        found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
    for index, value in enumerate(texts(spec, "podCIDRs")):
        found += ip.range_warned(value, path("spec", "podCIDRs", index))
    return tuple(found)


_VALIDATE = in_order(object_meta.new(names.SUBDOMAIN, namespaced=False), _taints, _amounts, _swap, _features, _ranges)
_CHANGED = changes(
    object_meta.changed,
    lambda obj, _old: _amounts(obj),
    lambda obj, _old: _features(obj),
    lambda obj, _old: _addresses(obj),
    _kept,
    lambda obj, _old: _taints(obj),
    _external_name,
)
_KEEPING = keeping("status")
NODE = Strategy(
    validate=_VALIDATE,
    validate_update=changes(lambda obj, _old: _VALIDATE(obj), _CHANGED),
    prepare_for_create=_without_source,
    prepare_for_update=lambda obj, old: _without_source(_KEEPING(obj, old)),
    warnings=_warnings,
    namespaced=False,
)
NODE_STATUS = Strategy(
    validate_update=_CHANGED,
    prepare_for_update=lambda obj, old: _without_source(keeping_spec()(obj, old)),
    namespaced=False,
)


# --- RuntimeClasses ---------------------------------------------------------------------------------------------------


def _runtime(obj: JsonObject) -> Decision:
    handler, found = text(obj, "handler"), []
    place, overhead = ROOT / "handler", member(member(obj, "overhead"), "podFixed")
    found.append(each(place, handler, label_faults(handler)) if handler else required(place))
    if overhead:
        found.append(resources.check({"limits": overhead}, frozenset(), ROOT / "overhead"))
    scheduling, at = member(obj, "scheduling"), ROOT / "scheduling"
    if scheduling.get("nodeSelector"):
        found.append(labels.of("nodeSelector")(scheduling, Scope(WALKS, "", obj), at))
    return merge(*found, _tolerations(scheduling, at / "tolerations"))


def _tolerations(scheduling: JsonObject, at: Place) -> Decision:
    written, scope = objects(scheduling, "tolerations"), Scope(WALKS, "", scheduling)
    found = [WALKS["Toleration"](toleration, scope, at / index) for index, toleration in enumerate(written)]
    seen: set[tuple[str, ...]] = set()
    for index, toleration in enumerate(written):
        key = tuple(text(toleration, name) for name in ("key", "operator", "value", "effect"))
        if key in seen:
            seconds = toleration.get("tolerationSeconds")
            shown: Json = dict(zip(("Key", "Operator", "Value", "Effect"), key, strict=True))
            shown = {**shown, "TolerationSeconds": seconds} if isinstance(shown, dict) else shown
            found.append(_twice(shown, at / index))
        seen.add(key)
    return merge(*found)


def _same_handler(obj: JsonObject, old: JsonObject) -> Decision:
    handler = text(obj, "handler")
    return NOTHING if handler == text(old, "handler") else invalid(ROOT / "handler", handler, "field is immutable")


def _runtime_warnings(obj: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    chosen = member(member(obj, "scheduling"), "nodeSelector")
    return tuple(f"scheduling.nodeSelector: {OLD_NODE_LABELS[name]}" for name in chosen if name in OLD_NODE_LABELS)


_NEW_RUNTIME = in_order(object_meta.any_new(names.SUBDOMAIN, namespaced=False), _runtime)
RUNTIME_CLASS = Strategy(
    validate=_NEW_RUNTIME,
    validate_update=changes(lambda obj, _old: _NEW_RUNTIME(obj), object_meta.any_changed, _same_handler),
    warnings=_runtime_warnings,
    allow_create_on_update=True,
    allow_unconditional_update=False,
    namespaced=False,
)
