"""What schemas of custom resources may say.

Specification: Kubernetes, ValidateCustomResourceDefinitionOpenAPISchema. Whether rules compile, and what they cost, is
asked in `rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.custom_objects.field_paths import NoFieldError, field_at
from podward.schema.strategies.custom_resources import defaults, rules, structure
from podward.schema.validation.field import (
    NOTHING,
    Place,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
    unsupported_text,
)
from podward.schema.validation.raw import pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_UNSUPPORTED_NAMES = frozenset(_UNSUPPORTED)
_META = frozenset(("metadata", "kind", "apiVersion"))
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_LIST, _MAP, _KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"
_RULES, _UNKNOWN = "x-kubernetes-validations", "x-kubernetes-preserve-unknown-fields"
_EXTENSIONS = frozenset((_LIST, _MAP, _KEYS, _RULES, _UNKNOWN))
_NULLABLE = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"
_DEFAULT = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"


def check(schema: JsonObject, at: Place, *, with_status: bool, unchanged: bool) -> Decision:
    """What is wrong with a whole schema; `with_status`: its status is written apart; `unchanged`: it was let in."""
    found: list[Decision] = []
    if with_status and text(schema, "type") not in {"", "object"}:
        detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        found.append(invalid(at / "type", text(schema, "type"), detail))
    if schema.get("nullable") is True:
        found.append(forbidden(at / "nullable", "nullable cannot be true at the root"))
    of_fields = _schema(schema, at, root=True, meta=False, no_default="")
    if _has_unsupported(schema):
        return merge(*found, of_fields)
    wrong = structure.check(schema, at)
    if not wrong.refused:
        wrong = defaults.check(schema, at)
    found += [wrong, of_fields]
    if not wrong.refused:
        found.append(rules.check(schema, at, of_fields, unchanged=unchanged))
    return merge(*found)


def _has_unsupported(schema: JsonObject) -> bool:
    """Whether there is something in it that no structural schema has: then nobody asks whether it is one."""
    if not _UNSUPPORTED_NAMES.isdisjoint(schema) and any(schema.get(name) for name in _UNSUPPORTED):
        return True
    properties, items = schema.get("properties"), schema.get("items")
    inner = [*properties.values()] if isinstance(properties, dict) else []
    if isinstance(items, list):
        return True
    inner += [items, schema.get("additionalProperties"), schema.get("not")]
    for name in ("allOf", "anyOf", "oneOf"):
        if name in schema:
            inner += objects(schema, name)
    return any(isinstance(each, dict) and _has_unsupported(each) for each in inner)


# --- schemas ----------------------------------------------------------------------------------------------------------


def _schema(schema: JsonObject, at: Place, *, root: bool, meta: bool, no_default: str) -> Decision:
    """`meta`: of what every object has; `no_default`: why there can be no default."""
    found = [_supported(schema, at, meta=meta, no_default=no_default)]
    if schema.get("uniqueItems") is True:
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        found.append(forbidden(at / "uniqueItems", detail))
    found.append(_more(schema, at, meta=meta, no_default=no_default))
    embedded = root or schema.get("x-kubernetes-embedded-resource") is True
    for name, inner in sorted(member(schema, "properties").items()):
        own = embedded and name in _META
        why = f"in top-level {name}" if own and root else no_default
        if isinstance(inner, dict):
            place = at / "properties" / Key(name)
            found.append(_schema(inner, place, root=False, meta=meta or own, no_default=why))
    if isinstance(schema.get("not"), dict):
        found.append(_schema(member(schema, "not"), at / "not", root=False, meta=meta, no_default=no_default))
    for name in ("allOf", "oneOf", "anyOf"):
        for index, inner in enumerate(objects(schema, name) if name in schema else ()):
            found.append(_schema(inner, at / name / index, root=False, meta=meta, no_default=no_default))
    if isinstance(schema.get("items"), dict):
        found.append(_schema(member(schema, "items"), at / "items", root=False, meta=meta, no_default=no_default))
    if not _EXTENSIONS.isdisjoint(schema):
        found += [_extensions(schema, at), _rules(schema, at)]
    wrong = [each for each in found if each is not NOTHING]
    return merge(*wrong) if wrong else NOTHING


def _supported(schema: JsonObject, at: Place, *, meta: bool, no_default: str) -> Decision:
    kind, found = text(schema, "type"), []
    if kind and kind not in _TYPES:
        found.append(unsupported_text(at / "type", kind, _TYPES))
    if schema.get("default") is not None and no_default:
        found.append(forbidden(at / "default", f"must not be set {no_default}"))
    if not _UNSUPPORTED_NAMES.isdisjoint(schema):
        found += [forbidden(at / name, f"{name} is not supported") for name in _UNSUPPORTED if schema.get(name)]
    if kind == "null":
        found.append(forbidden(at / "type", "type cannot be set to null, use nullable as an alternative"))
    if isinstance(schema.get("items"), list) and schema["items"]:
        found.append(forbidden(at / "items", "items must be a schema object and not an array"))
    if meta and schema.get("x-kubernetes-embedded-resource") is True:
        found.append(forbidden(at / "x-kubernetes-embedded-resource", "must not be used inside of resource meta"))
    return merge(*found)


def _more(schema: JsonObject, at: Place, *, meta: bool, no_default: str) -> Decision:
    more, place = schema.get("additionalProperties"), at / "additionalProperties"
    if more is None:
        return NOTHING
    found: list[Decision] = []
    if schema.get("properties") and more is not True:
        found.append(forbidden(place, "additionalProperties and properties are mutual exclusive"))
    why = "inside additionalProperties applying to object metadata" if meta else no_default
    if isinstance(more, dict):
        found.append(_schema(more, place, root=False, meta=meta, no_default=why))
    return merge(*found)


def _extensions(schema: JsonObject, at: Place) -> Decision:
    kind, of_map, of_list = text(schema, "type"), pointer(schema, _MAP), pointer(schema, _LIST)
    found: list[Decision] = []
    if schema.get(_UNKNOWN) is False:
        found.append(invalid(at / _UNKNOWN, False, "must be true or undefined"))
    if of_map is not None:
        found.append(_typed(kind, "object", f"must be object if {_MAP} is specified", at / "type"))
        if of_map not in {"atomic", "granular"}:
            found.append(unsupported_text(at / _MAP, of_map, ("atomic", "granular")))
    if of_list is not None:
        wrong = _typed(kind, "array", f"must be array if {_LIST} is specified", at / "type")
        found.append(wrong if wrong.refused or of_list != "set" else _set(member(schema, "items"), at / "items"))
        if of_list not in {"atomic", "set", "map"}:
            found.append(unsupported_text(at / _LIST, of_list, ("atomic", "set", "map")))
    if schema.get(_KEYS) and of_list != "map":
        detail = f"must be map if {_KEYS} is non-empty"
        found.append(required(at / _LIST, detail) if of_list is None else invalid(at / _LIST, of_list, detail))
    return merge(*found, _map_list(schema, at) if of_list == "map" else NOTHING, _items(schema, of_list, at))


def _typed(kind: str, wanted: str, detail: str, at: Place) -> Decision:
    if kind == wanted:
        return NOTHING
    return invalid(at, kind, detail) if kind else required(at, detail)


def _set(items: JsonObject, at: Place) -> Decision:
    detail, of_list = f"must be atomic as item of a list with {_LIST}=set", pointer(items, _LIST)
    if text(items, "type") == "array" and of_list not in {None, "atomic"}:
        return invalid_value(at / _LIST, of_list, detail)
    if text(items, "type") == "object" and pointer(items, _MAP) != "atomic":
        return invalid_value(at / _MAP, of_list, detail)
    return NOTHING


def _map_list(schema: JsonObject, at: Place) -> Decision:
    keys, items, place = texts(schema, _KEYS), schema.get("items"), at / "items"
    found = [] if keys else [required(at / _KEYS, f"must not be empty if {_LIST} is map")]
    if not isinstance(items, dict):
        return merge(*found, required(place, f"must have a schema if {_LIST} is map"))
    kind = text(items, "type")
    if kind != "object":
        return merge(*found, invalid(place / "type", kind, f"must be object if parent array's {_LIST} is map"))
    fields, shown = member(items, "properties"), [*keys]
    for index, name in enumerate(keys):
        if name not in fields:
            found.append(invalid_value(at / _KEYS, [*shown], "entries must all be names of item properties"))
        elif text(member(fields, name), "type") in {"array", "object"}:
            detail = f"must be a scalar type if parent array's {_LIST} is map"
            found.append(invalid(place / "properties" / Key(name) / "type", kind, detail))
        if name in keys[:index]:
            found.append(invalid_value(at / _KEYS, [*shown], "must not contain duplicate entries"))
    return merge(*found)


def _items(schema: JsonObject, of_list: str | None, at: Place) -> Decision:
    items = schema.get("items")
    if of_list not in {"set", "map"} or not isinstance(items, dict):
        return NOTHING
    found: list[Decision] = []
    if items.get("nullable") is True:
        found.append(forbidden(at / "items" / "nullable", f"cannot be nullable when {_LIST} is {of_list}"))
    fields, needed = member(items, "properties"), texts(items, "required")
    for name in texts(schema, _KEYS) if of_list == "map" else ():
        place, field = at / "items" / "properties" / Key(name), fields.get(name)
        if not isinstance(field, dict):
            continue
        if name not in needed and field.get("default") is None:
            found.append(required(place / "default", _DEFAULT))
        if field.get("nullable") is True:
            found.append(forbidden(place / "nullable", _NULLABLE))
    return merge(*found)


def _rules(schema: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    for index, rule in enumerate(objects(schema, _RULES)):
        place, told, path = at / _RULES / index, text(rule, "messageExpression"), text(rule, "fieldPath")
        found.append(_rule(text(rule, "rule").strip(), text(rule, "message"), place))
        if told and not told.strip():
            detail = "messageExpression must be non-empty if specified"
            found.append(required(place / "messageExpression", detail))
        reason = pointer(rule, "reason")
        if reason is not None and reason not in _REASONS:
            found.append(unsupported(place / "reason", reason, _REASONS))
        if path and not path.strip():
            found.append(invalid(place / "fieldPath", path, "must be non-empty if specified"))
        if _has_lines(path):
            found.append(invalid(place / "fieldPath", path, "must not contain line breaks"))
        if path and not _leads_to_a_field(path, schema):
            found.append(invalid(place / "fieldPath", path, "must be a valid path"))
    return merge(*found)


def _leads_to_a_field(way: str, schema: JsonObject) -> bool:
    try:
        field_at(way, schema)
    except NoFieldError:
        return False
    return True


def _rule(rule: str, message: str, at: Place) -> Decision:
    if not rule:
        return required(at / "rule", "rule is not specified")
    if message and not message.strip():
        return invalid(at / "message", message, "must be non-empty if specified")
    if _has_lines(message.strip()):
        return invalid(at / "message", message, "must not contain line breaks")
    if _has_lines(rule) and not message:
        return required(at / "message", "message must be specified if rule contains line breaks")
    return NOTHING


def _has_lines(written: str) -> bool:
    return "\n" in written or "\r" in written
