"""Affinity to nodes and to other Pods.

Specification: Kubernetes, validateAffinity and all below it. A node selector has at least one term; a node's name
is the only field that can be selected by. Weights are 1 to 100. Namespaces are printed under `namespace`, and a label
that a Pod term has both as a key to match and in its selector under the key's index at the term itself. The labels'
values of preferred terms may be anything.
"""

from __future__ import annotations

from collections.abc import Callable

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation import labels
from podward.schema.validation.field import each, forbidden, invalid, invalid_value, required
from podward.schema.validation.names import label, subdomain_faults
from podward.schema.validation.raw import number, strings, text, texts

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_MOST_WEIGHT = 100


def check(raw: JsonObject, at: Path) -> Decision:
    """The Pod's `affinity`."""
    found = [_nodes(member(raw, "nodeAffinity"), at / "nodeAffinity")]
    found += [_pods(member(raw, name), at / name) for name in ("podAffinity", "podAntiAffinity")]
    return merge(*found)


def match_keys(raw: JsonObject, mismatch: list[str], at: Path) -> Decision:
    """The `matchLabelKeys` beside a selector, and those that must not match."""
    matched, chosen = texts(raw, "matchLabelKeys"), raw.get("labelSelector")
    found: list[Decision] = []
    for name, keys in (("matchLabelKeys", matched), ("mismatchLabelKeys", mismatch)):
        if keys and chosen is None:
            found.append(forbidden(at / name, "must not be specified when labelSelector is not set"))
        elif keys:
            found += [labels.key(key, at / name / index) for index, key in enumerate(keys)]
    if isinstance(chosen, dict):
        found.append(_selected_twice(matched, chosen, at))
    for index, key in enumerate(matched):
        if key in mismatch:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            found.append(invalid(at / "matchLabelKeys" / index, key, detail))
    return merge(*found)


def _selected_twice(matched: list[str], chosen: JsonObject, at: Path) -> Decision:
    places = {key: index for index, key in enumerate(matched)}
    seen = set(strings(chosen, "matchLabels"))
    found: list[Decision] = []
    for expression in objects(chosen, "matchExpressions"):
        key = text(expression, "key")
        if key in places and key in seen:
            found.append(invalid(at / places[key], key, "exists in both matchLabelKeys and labelSelector"))
        seen.add(key)
    return merge(*found)


def _nodes(raw: JsonObject, at: Path) -> Decision:
    found: list[Decision] = []
    if raw.get(_REQUIRED) is not None:
        terms, place = objects(member(raw, _REQUIRED), "nodeSelectorTerms"), at / _REQUIRED / "nodeSelectorTerms"
        if not terms:
            found.append(required(place, "must have at least one node selector term"))
        for index, term in enumerate(terms):
            found.append(_node_term(term, _strict_expression, place / index))
    for index, preference in enumerate(objects(raw, _PREFERRED)):
        place = at / _PREFERRED / index
        term = member(preference, "preference")
        found += [_weight(preference, place), _node_term(term, _expression, place / "preference")]
    return merge(*found)


def _weight(raw: JsonObject, at: Path) -> Decision:
    weight = number(raw, "weight")
    return Decision() if 0 < weight <= _MOST_WEIGHT else invalid(at / "weight", weight, "must be in the range 1-100")


def _node_term(term: JsonObject, rule: Callable[[JsonObject, Path], Decision], at: Path) -> Decision:
    expressions, fields = objects(term, "matchExpressions"), objects(term, "matchFields")
    return merge(
        *(rule(item, at / "matchExpressions" / index) for index, item in enumerate(expressions)),
        *(_field(item, at / "matchFields" / index) for index, item in enumerate(fields)),
    )


def _strict_expression(raw: JsonObject, at: Path) -> Decision:
    """An expression whose values are those of labels."""
    found = [_expression(raw, at)]
    for index, value in enumerate(texts(raw, "values")):
        found.append(each(at / "values" / index, value, labels.value_faults(value)))
    return merge(*found)


def _expression(raw: JsonObject, at: Path) -> Decision:
    operator, values = text(raw, "operator"), texts(raw, "values")
    found = Decision()
    if operator in {"In", "NotIn"}:
        if not values:
            found = required(at / "values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found = forbidden(at / "values", detail)
    elif operator in {"Gt", "Lt"}:
        if len(values) != 1:
            found = required(at / "values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        found = invalid_value(at / "operator", operator, "not a valid selector operator")
    return found + labels.key(text(raw, "key"), at / "key")


def _field(raw: JsonObject, at: Path) -> Decision:
    operator, key, values = text(raw, "operator"), text(raw, "key"), texts(raw, "values")
    found: list[Decision] = []
    if operator not in {"In", "NotIn"}:
        found.append(invalid_value(at / "operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(required(at / "values", detail))
    if key != "metadata.name":
        found.append(invalid(at / "key", key, "not a valid field selector key"))
    else:
        found += [each(at / "values" / i, value, subdomain_faults(value)) for i, value in enumerate(values)]
    return merge(*found)


def _pods(raw: JsonObject, at: Path) -> Decision:
    found = [_pod_term(term, at / _REQUIRED / index) for index, term in enumerate(objects(raw, _REQUIRED))]
    for index, preference in enumerate(objects(raw, _PREFERRED)):
        place = at / _PREFERRED / index
        term = member(preference, "podAffinityTerm")
        found += [_weight(preference, place), _pod_term(term, place / "podAffinityTerm")]
    return merge(*found)


def _pod_term(term: JsonObject, at: Path) -> Decision:
    selectors = ("labelSelector", "namespaceSelector")
    found = [labels.selector(member(term, name), at / name) for name in selectors if term.get(name) is not None]
    found += [label(namespace, at / "namespace") for namespace in texts(term, "namespaces")]
    found.append(match_keys(term, texts(term, "mismatchLabelKeys"), at))
    key = text(term, "topologyKey")
    if not key:
        found.append(required(at / "topologyKey", "can not be empty"))
    return merge(*found, labels.key(key, at / "topologyKey"))
