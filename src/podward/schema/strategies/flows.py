"""FlowSchemas and PriorityLevelConfigurations: which requests wait for which.

Specification: Kubernetes, pkg/apis/flowcontrol/validation and the strategies in pkg/registry/flowcontrol. That the
server's own objects stay as they are is not asked here.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import keeping_status, new_without_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
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
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import number, text, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject

_EXEMPT, _LAST = "exempt", 10000
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_SUBJECTS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}
_METHODS = ("ByNamespace", "ByUser")
_MOST_QUEUES, _MOST_BITS = 10_000_000, 60
_NAMESPACES = "each member of this list must be '*' or a DNS-1123 label; "


# --- FlowSchemas ------------------------------------------------------------------------------------------------------


def _schema(obj: JsonObject) -> Decision:
    spec, place = member(obj, "spec"), SPEC / "matchingPrecedence"
    precedence, found = number(spec, "matchingPrecedence"), [_META(obj)]
    if precedence <= 0:
        found.append(invalid(place, precedence, "must be a positive value"))
    if precedence > _LAST:
        found.append(invalid(place, precedence, f"must not be greater than {_LAST}"))
    if precedence == 1 and text(member(obj, "metadata"), "name") != _EXEMPT:
        found.append(invalid(place, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
    method = spec.get("distinguisherMethod")
    if isinstance(method, dict) and text(method, "type") not in _METHODS:
        shown: Json = {"Type": text(method, "type")}
        found.append(_none_of(shown, SPEC / "distinguisherMethod" / "type", _METHODS))
    level, at = text(member(spec, "priorityLevelConfiguration"), "name"), SPEC / "priorityLevelConfiguration" / "name"
    missing = required(at, "must reference a priority level")
    found.append(each(at, level, subdomain_faults(level)) if level else missing)
    for index, rule in enumerate(objects(spec, "rules")):
        found.append(_rule(rule, SPEC / "rules" / index))
    return merge(*found, _status(obj))


def _none_of(value: Json, at: Place, words: Sequence[str]) -> Decision:
    listed = ", ".join(f'"{word}"' for word in words)
    return refused(at, value, [f"Unsupported value: {go_json(value)}: supported values: {listed}"])


def _rule(rule: JsonObject, at: Place) -> Decision:
    subjects, resources, paths = (objects(rule, name) for name in ("subjects", "resourceRules", "nonResourceRules"))
    found = [_subject(subject, at / "subjects" / index) for index, subject in enumerate(subjects)]
    if not subjects:
        found.append(required(at / "subjects", "subjects must contain at least one value"))
    if not resources and not paths:
        found.append(required(at, "at least one of resourceRules and nonResourceRules has to be non-empty"))
    found += [_resources(each_one, at / "resourceRules" / index) for index, each_one in enumerate(resources)]
    found += [_paths(each_one, at / "nonResourceRules" / index) for index, each_one in enumerate(paths)]
    return merge(*found)


def _subject(subject: JsonObject, at: Place) -> Decision:
    kind = text(subject, "kind")
    if kind not in _SUBJECTS:
        return unsupported(at / "kind", kind, sorted(_SUBJECTS))
    own = _SUBJECTS[kind]
    value, place, found = subject.get(own), at / own, []
    if not isinstance(value, dict):
        found.append(required(place, f"{own} is required when subject kind is '{kind}'"))
    else:
        found.append(_account(value, place) if kind == "ServiceAccount" else _named(value, place))
    for other, name in _SUBJECTS.items():
        if name != own and subject.get(name) is not None:
            found.append(forbidden(at / name, f"{name} is forbidden when subject kind is not '{other}'"))
    return merge(*found)


def _named(value: JsonObject, at: Place) -> Decision:
    return NOTHING if text(value, "name") else required(at / "name")


def _account(value: JsonObject, at: Place) -> Decision:
    name, namespace = text(value, "name"), text(value, "namespace")
    found = _named(value, at)
    if name and name != "*":
        found += each(at / "name", name, subdomain_faults(name))
    if not namespace:
        return found + required(at / "namespace", "must specify namespace for service account")
    return found + each(at / "namespace", namespace, label_faults(namespace))


def _verbs(rule: JsonObject, at: Place) -> Decision:
    written = texts(rule, "verbs")
    if not written:
        return required(at, "verbs must contain at least one value")
    shown: Json = [*written]
    if "*" in written:
        return _alone(written, at, "verbs")
    return NOTHING if set(written) <= set(_VERBS) else _none_of(shown, at, _VERBS)


def _alone(written: list[str], at: Place, what: str) -> Decision:
    if len(written) < 2 or "*" not in written:
        return NOTHING
    shown: Json = [*written]
    return invalid_value(at, shown, f"if '*' is present, must not specify other {what}")


def _resources(rule: JsonObject, at: Place) -> Decision:
    found = [_verbs(rule, at / "verbs")]
    for name, one, other in (("apiGroups", "api group", "api groups"), ("resources", "resource", "resources")):
        written = texts(rule, name)
        missing = required(at / name, f"resource rules must supply at least one {one}")
        found.append(_alone(written, at / name, other) if written else missing)
    namespaces, place = texts(rule, "namespaces"), at / "namespaces"
    if not namespaces and rule.get("clusterScope") is not True:
        detail = "resource rules that are not cluster scoped must supply at least one namespace"
        found.append(required(place, detail))
    elif "*" in namespaces:
        found.append(_alone(namespaces, place, "namespaces"))
    else:
        for index, name in enumerate(namespaces):
            found.append(each(place / index, name, [_NAMESPACES + fault for fault in label_faults(name)]))
    return merge(*found)


def _paths(rule: JsonObject, at: Place) -> Decision:
    found, written, place = _verbs(rule, at / "verbs"), texts(rule, "nonResourceURLs"), at / "nonResourceURLs"
    if not written:
        return found + required(place, "nonResourceURLs must contain at least one value")
    if "*" in written:
        return found + _alone(written, place, "non-resource URLs")
    wrong = [(index, path, _path_fault(path)) for index, path in enumerate(written)]
    return merge(found, *[invalid(place / index, path, fault) for index, path, fault in wrong if fault])


def _path_fault(path: str) -> str:
    if not path:
        return "must not be empty"
    if path == "/":
        return ""
    if not path.startswith("/"):
        return "must start with slash"
    if " " in path or "//" in path:
        return "must not contain white-space" if " " in path else "must not contain double slash"
    stars = path.count("*")
    suffix = stars == 0 or (stars == 1 and path.endswith("/*"))
    return "" if suffix else "wildcard can only do suffix matching"


def _status(obj: JsonObject) -> Decision:
    found: list[Decision] = []
    seen: set[str] = set()
    for index, condition in enumerate(objects(member(obj, "status"), "conditions")):
        kind, place = text(condition, "type"), ROOT / "status" / "conditions" / index / "type"
        if kind in seen:
            found.append(duplicate(place, kind))
        seen.add(kind)
        if not kind:
            found.append(required(place))
    return merge(*found)


# --- PriorityLevelConfigurations --------------------------------------------------------------------------------------


def _level(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    kind, found = text(spec, "type"), [_META(obj)]
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if (text(member(obj, "metadata"), "name") == _EXEMPT) is not (kind == "Exempt"):
        found.append(invalid(SPEC / "type", kind, "must be 'Exempt' if and only if `name` is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            found.append(forbidden(SPEC / "limited", "must be nil if the type is not Limited"))
        if isinstance(exempt, dict):
            found.append(_shares(exempt, SPEC / "exempt"))
    elif kind == "Limited":
        if exempt is not None:
            found.append(forbidden(SPEC / "exempt", "must be nil if the type is Limited"))
        missing = required(SPEC / "limited", "must not be empty when type is Limited")
        found.append(_limited(limited, SPEC / "limited") if isinstance(limited, dict) else missing)
    else:
        found.append(unsupported(SPEC / "type", kind, ("Exempt", "Limited")))
    return merge(*found, _status(obj))


def _count(of: JsonObject, at: Place) -> Decision:
    shares = number(of, "nominalConcurrencyShares")
    detail = "must be a non-negative integer"
    return invalid(at / "nominalConcurrencyShares", shares, detail) if shares < 0 else NOTHING


def _lent(of: JsonObject, at: Place) -> Decision:
    lent, detail = number(of, "lendablePercent"), "must be between 0 and 100, inclusive"
    return NOTHING if 0 <= lent <= 100 else invalid(at / "lendablePercent", lent, detail)


def _shares(of: JsonObject, at: Place) -> Decision:
    return _count(of, at) + _lent(of, at)


def _limited(of: JsonObject, at: Place) -> Decision:
    response, place = member(of, "limitResponse"), at / "limitResponse"
    kind, queuing, found = text(response, "type"), response.get("queuing"), [_count(of, at)]
    if kind == "Reject":
        if queuing is not None:
            found.append(forbidden(place / "queuing", "must be nil if limited.limitResponse.type is not Limited"))
    elif kind == "Queue":
        missing = required(place / "queuing", "must not be empty if limited.limitResponse.type is Limited")
        found.append(_queuing(queuing, place / "queuing") if isinstance(queuing, dict) else missing)
    else:
        found.append(unsupported(place / "type", kind, ("Queue", "Reject")))
    found.append(_lent(of, at))
    borrowed = number(of, "borrowingLimitPercent")
    if borrowed < 0:
        detail = "if specified, must be a non-negative integer"
        found.append(invalid(at / "borrowingLimitPercent", borrowed, detail))
    return merge(*found)


def _queuing(of: JsonObject, at: Place) -> Decision:
    length, queues, hand = (number(of, name) for name in ("queueLengthLimit", "queues", "handSize"))
    found, place = [] if length > 0 else [invalid(at / "queueLengthLimit", length, "must be positive")], at / "handSize"
    if queues <= 0:
        found.append(invalid(at / "queues", queues, "must be positive"))
    elif queues > _MOST_QUEUES:
        found.append(invalid(at / "queues", queues, f"must not be greater than {_MOST_QUEUES}"))
    if hand <= 0:
        found.append(invalid(place, hand, "must be positive"))
    elif hand > queues:
        found.append(invalid(place, hand, f"should not be greater than queues ({queues})"))
    elif _entropy(queues, hand) > _MOST_BITS:
        bits = f"required entropy bits of deckSize {queues} and handSize {hand}"
        found.append(invalid(place, hand, f"{bits} should not be greater than {_MOST_BITS}"))
    return merge(*found)


def _entropy(deck: int, hand: int) -> int:
    """How many bits it takes to deal a hand, rounded up."""
    bits = sum(log2(deck - dealt) for dealt in range(hand))
    return -int(-bits // 1)


_META = object_meta.new(names.SUBDOMAIN, namespaced=False)
FLOW_SCHEMA = Strategy(
    validate=_schema,
    validate_update=lambda obj, _old: _schema(obj),
    prepare_for_create=new_without_status,
    prepare_for_update=keeping_status,
    namespaced=False,
)
PRIORITY_LEVEL = Strategy(
    validate=_level,
    validate_update=lambda obj, _old: _level(obj),
    prepare_for_create=new_without_status,
    prepare_for_update=keeping_status,
    namespaced=False,
)
FLOW_STATUS = Strategy(
    validate_update=lambda obj, _old: _status(obj),
    prepare_for_update=keeping_spec(),
    namespaced=False,
)
