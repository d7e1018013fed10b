"""Questions whether somebody may do something, which are answered and not stored.

Specification: Kubernetes, pkg/apis/authorization/validation. A question is about a resource or about a path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import NOTHING, ROOT, Place, each, forbidden, invalid, invalid_value, required
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_SELECTORS = ("fieldSelector", "labelSelector")
_WITHOUT_VALUES = frozenset(("Exists", "DoesNotExist"))
_NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
_ATTRIBUTES = ROOT / "spec.resourceAttributes"


def _asked(spec: JsonObject) -> Decision:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    shown = internal("*authorization.NonResourceAttributes", path)
    if resource is not None and path is not None:
        detail = "cannot be specified in combination with resourceAttributes"
        return invalid_value(SPEC / "nonResourceAttributes", shown, detail)
    if resource is None and path is None:
        detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return invalid_value(SPEC / "resourceAttributes", shown, detail)
    return NOTHING


def _somebody(spec: JsonObject) -> Decision:
    if text(spec, "user") or spec.get("groups"):
        return NOTHING
    return invalid(SPEC / "user", "", "at least one of user or group must be specified")


def _selectors(spec: JsonObject) -> Decision:
    found: list[Decision] = []
    for name in _SELECTORS:
        selector, at = member(spec, "resourceAttributes").get(name), _ATTRIBUTES / name
        if isinstance(selector, dict):
            found.append(_selector(selector, at, labels=name == "labelSelector"))
    return merge(*found)


def _selector(selector: JsonObject, at: Place, *, labels: bool) -> Decision:
    raw, listed = text(selector, "rawSelector"), selector.get("requirements")
    requirements = [item if isinstance(item, dict) else {} for item in listed] if isinstance(listed, list) else []
    found: list[Decision] = []
    if raw and requirements:
        found.append(invalid(at / "rawSelector", raw, "may not specified at the same time as requirements"))
    if not raw and not requirements:
        detail = f"when {at.path} is specified, requirements or rawSelector is required"
        found.append(required(at / "requirements", detail))
    for index, requirement in enumerate(requirements):
        found.append((_label_requirement if labels else _field_requirement)(requirement, at / "requirements" / index))
    return merge(*found)


def _field_requirement(requirement: JsonObject, at: Place) -> Decision:
    values = requirement.get("values")
    found = [] if text(requirement, "key") else [required(at / "key", "must be specified")]
    if text(requirement, "operator") in _WITHOUT_VALUES and values:
        found.append(invalid_value(at / "values", values, _NO_VALUES))
    return merge(_valued(requirement, at), *found)


def _label_requirement(requirement: JsonObject, at: Place) -> Decision:
    key, found = text(requirement, "key"), [_valued(requirement, at)]
    if text(requirement, "operator") in _WITHOUT_VALUES and requirement.get("values"):
        found.append(forbidden(at / "values", _NO_VALUES))
    found.append(each(at / "key", key, key_faults(key)))
    for index, value in enumerate(texts(requirement, "values")):
        found.append(each(at / "values" / index, value, value_faults(value)))
    return merge(*found)


def _valued(requirement: JsonObject, at: Place) -> Decision:
    if text(requirement, "operator") not in {"In", "NotIn"} or requirement.get("values"):
        return NOTHING
    return required(at / "values", "must be specified when `operator` is 'In' or 'NotIn'")


def _bare(obj: JsonObject, detail: str, *excepted: str) -> Decision:
    of = member(obj, "metadata")
    if not any(value for name, value in of.items() if name not in {"managedFields", *excepted}):
        return NOTHING
    return invalid_value(ROOT / "metadata", of, detail)


def _review(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(_asked(spec), _somebody(spec), _selectors(spec), _bare(obj, "must be empty"))


def _own_review(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(_asked(spec), _selectors(spec), _bare(obj, "must be empty"))


def _local_review(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    found = [_asked(spec), _somebody(spec), _selectors(spec)]
    found.append(_bare(obj, "must be empty except for namespace", "namespace"))
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if isinstance(resource, dict) and text(resource, "namespace") != text(member(obj, "metadata"), "namespace"):
        place = ROOT / "spec.resourceAttributes.namespace"
        found.append(invalid(place, text(resource, "namespace"), "must match metadata.namespace"))
    if path is not None:
        shown = internal("*authorization.NonResourceAttributes", path)
        found.append(invalid_value(ROOT / "spec.nonResourceAttributes", shown, "disallowed on this kind of request"))
    return merge(*found)


REVIEW = Strategy(validate=_review, namespaced=False)
OWN_REVIEW = Strategy(validate=_own_review, namespaced=False)
LOCAL_REVIEW = Strategy(validate=_local_review)
