"""Label selectors as the server matches with them: whether they can be used at all, and what they select.

Specification: Kubernetes, metav1.LabelSelectorAsSelector and labels.NewRequirement: keys and values are labels', `In`
and `NotIn` have values, the others have none. No selector selects nothing, an empty one everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.raw import strings, text, texts

_WITH_VALUES, _WITHOUT = frozenset(("In", "NotIn")), frozenset(("Exists", "DoesNotExist"))


def is_selector(selector: JsonObject) -> bool:
    """Whether labels can be matched with it."""
    for name, value in strings(selector, "matchLabels").items():
        if key_faults(name) or value_faults(value):
            return False
    return all(_is_requirement(requirement) for requirement in objects(selector, "matchExpressions"))


def _is_requirement(requirement: JsonObject) -> bool:
    operator, values = text(requirement, "operator"), texts(requirement, "values")
    fits = bool(values) if operator in _WITH_VALUES else operator in _WITHOUT and not values
    return fits and not key_faults(text(requirement, "key")) and not any(map(value_faults, values))


def is_empty(selector: JsonObject) -> bool:
    """Whether it selects everything."""
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def selects(selector: JsonObject, labels: JsonObject) -> bool:
    """Whether these labels match a selector that is one."""
    for name, value in member(selector, "matchLabels").items():
        if labels.get(name) != value:
            return False
    return all(_matches(requirement, labels) for requirement in objects(selector, "matchExpressions"))


def _matches(requirement: JsonObject, labels: Mapping[str, object]) -> bool:
    operator, name = text(requirement, "operator"), text(requirement, "key")
    if operator == "In":
        return name in labels and labels[name] in texts(requirement, "values")
    if operator == "NotIn":
        return name not in labels or labels[name] not in texts(requirement, "values")
    return (name in labels) is (operator == "Exists")


def shown(selector: Json) -> Json:
    """A selector as the server prints it: in order, without what is empty; null where there is none."""
    if not isinstance(selector, dict):
        return None
    made: JsonObject = {}
    labels = strings(selector, "matchLabels")
    if labels:
        made["matchLabels"] = dict(labels)
    requirements: list[Json] = []
    for requirement in objects(selector, "matchExpressions"):
        printed: JsonObject = {"key": text(requirement, "key"), "operator": text(requirement, "operator")}
        if requirement.get("values"):
            printed["values"] = list(texts(requirement, "values"))
        requirements.append(printed)
    if requirements:
        made["matchExpressions"] = requirements
    return made
