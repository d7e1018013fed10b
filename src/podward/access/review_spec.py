"""The spec of an access review: read as what authorizers are asked, and written for those that are asked over HTTP.

Specification: Kubernetes, pkg/registry/authorization/util, and k8s.io/apiserver, plugin/pkg/authorizer/webhook. What
of a selector is not understood is left out, so that more is asked for, never less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.asked_selectors import of_fields, of_labels
from podward.api.authorization import Attributes, Requirement
from podward.api.caller import User
from podward.schema.validation.labels import key_faults, value_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject

_NO_PATH = "\0"  # a path that no rule names, and `*` alone covers: an empty one would be a resource's request
_FIELD_OPERATORS = frozenset(("In", "NotIn"))
_LABEL_OPERATORS = frozenset(("In", "NotIn", "Exists", "DoesNotExist"))


def user_of(spec: JsonObject) -> User:
    """The user that the spec of a SubjectAccessReview names."""
    extra = as_object(spec.get("extra"))
    values = {key: _texts(value) for key, value in extra.items()}
    return User(text(spec, "user"), _texts(spec.get("groups")), text(spec, "uid"), values)


def attributes_of(spec: JsonObject, user: User) -> tuple[Attributes, tuple[str, ...]]:
    """What is asked about, and sentences about what of it was not understood."""
    asked = spec.get("resourceAttributes")
    if not isinstance(asked, dict):
        other = as_object(spec.get("nonResourceAttributes"))
        return Attributes(user, text(other, "verb"), path=text(other, "path") or _NO_PATH), ()
    fields, field_fault = _requirements(asked, "fieldSelector", _FIELD_OPERATORS)
    labels, label_fault = _requirements(asked, "labelSelector", _LABEL_OPERATORS)
    words = {key: text(asked, key) for key in ("verb", "group", "resource", "subresource", "name", "namespace")}
    version = text(asked, "version") or "*"
    wanted = Attributes(user=user, version=version, **words, field_selector=fields, label_selector=labels)
    return wanted, tuple(fault for fault in (field_fault, label_fault) if fault)


def spec_of(wanted: Attributes) -> JsonObject:
    """The spec of the SubjectAccessReview that asks this."""
    user = wanted.user
    spec: JsonObject = {}
    if wanted.path:
        spec["nonResourceAttributes"] = _filled((("path", wanted.path), ("verb", wanted.verb)))
    else:
        fields = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
        asked = _filled(tuple((field, getattr(wanted, field)) for field in fields))
        for name, selector in (("fieldSelector", wanted.field_selector), ("labelSelector", wanted.label_selector)):
            if selector:
                asked[name] = {"requirements": [_written(requirement) for requirement in selector]}
        spec["resourceAttributes"] = asked
    extra: JsonObject = {key: list(values) for key, values in user.extra.items()}
    written: tuple[tuple[str, Json], ...] = (
        ("user", user.username), ("groups", list(user.groups)), ("extra", extra), ("uid", user.uid),
    )  # fmt: skip
    return {**spec, **{name: value for name, value in written if value}}


def as_object(value: Json) -> JsonObject:
    """The value, or an empty object where it is none."""
    return value if isinstance(value, dict) else {}


def text(raw: JsonObject, key: str) -> str:
    """The string of this name, or an empty one."""
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _requirements(asked: JsonObject, name: str, allowed: frozenset[str]) -> tuple[tuple[Requirement, ...], str]:
    selector = as_object(asked.get(name))
    written, raw = selector.get("requirements"), text(selector, "rawSelector")
    listed = written if isinstance(written, list) else []
    if raw and not listed:
        read = (of_fields if allowed is _FIELD_OPERATORS else of_labels)(raw)
        return read or (), "" if read is not None else f"spec.resourceAttributes.{name} ignored due to parse error"
    found = []
    for each in listed:
        one = as_object(each)
        requirement = Requirement(text(one, "key"), text(one, "operator"), _texts(one.get("values")))
        if _understood(requirement, allowed):
            found.append(requirement)
    if len(found) == len(listed):
        return tuple(found), ""
    how = "partially ignored" if found else "ignored"
    return tuple(found), f"spec.resourceAttributes.{name} {how} due to parse error"


def _understood(requirement: Requirement, allowed: frozenset[str]) -> bool:
    if requirement.operator not in allowed:
        return False
    if allowed is _FIELD_OPERATORS:
        return len(requirement.values) == 1
    return not key_faults(requirement.key) and not any(map(value_faults, requirement.values))


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _filled(pairs: Sequence[tuple[str, str]]) -> JsonObject:
    return {name: value for name, value in pairs if value}


def _written(requirement: Requirement) -> JsonObject:
    raw: JsonObject = {"key": requirement.key, "operator": requirement.operator}
    if requirement.values:
        raw["values"] = list(requirement.values)
    return raw
