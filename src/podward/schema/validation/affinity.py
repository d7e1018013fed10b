"""Affinity to nodes and to other Pods: what the fields of a term have to do with each other; the rest is in `table`.

Specification: Kubernetes, validateAffinity and all below it. A node's name is the only field that can be selected by.
Namespaces are printed under `namespace`, and a label that a Pod term has both as a key to match and in its selector
under the key's index at the term itself.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation import labels
from podward.schema.validation.field import NOTHING, Place, each, forbidden, invalid, invalid_value, required
from podward.schema.validation.names import label, subdomain_faults
from podward.schema.validation.raw import strings, text, texts
from podward.schema.validation.walk import Scope


def match_keys(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `matchLabelKeys` beside a selector, and those that must not match."""
    matched, mismatch, chosen = texts(raw, "matchLabelKeys"), texts(raw, "mismatchLabelKeys"), raw.get("labelSelector")
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


def _selected_twice(matched: list[str], chosen: JsonObject, at: Place) -> Decision:
    places = {key: index for index, key in enumerate(matched)}
    seen = set(strings(chosen, "matchLabels"))
    found: list[Decision] = []
    for expression in objects(chosen, "matchExpressions"):
        key = text(expression, "key")
        if key in places and key in seen:
            found.append(invalid(at / places[key], key, "exists in both matchLabelKeys and labelSelector"))
        seen.add(key)
    return merge(*found)


def namespaces(term: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The `namespaces` of a Pod term."""
    return merge(*(label(name, at / "namespace") for name in texts(term, "namespaces")))


def operator(requirement: JsonObject, scope: Scope, at: Place) -> Decision:
    """The operator of a node term's expression, and how many values it has then."""
    written, values = text(requirement, "operator"), texts(requirement, "values")
    if written in {"Gt", "Lt"}:
        detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        return NOTHING if len(values) == 1 else required(at / "values", detail)
    return labels.operator(requirement, scope, at)


def field(raw: JsonObject, _scope: Scope, at: Place) -> Decision:
    """An expression about a field of the node."""
    written, key, values = text(raw, "operator"), text(raw, "key"), texts(raw, "values")
    found: list[Decision] = []
    if written not in {"In", "NotIn"}:
        found.append(invalid_value(at / "operator", written, "not a valid selector operator"))
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(required(at / "values", detail))
    if key != "metadata.name":
        found.append(invalid(at / "key", key, "not a valid field selector key"))
    else:
        found += [each(at / "values" / i, value, subdomain_faults(value)) for i, value in enumerate(values)]
    return merge(*found)
