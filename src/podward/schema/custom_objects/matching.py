"""Whether a value matches a schema, and the words about what does not.

Specification: k8s.io/kube-openapi pkg/validation/validate and errors, with apiextensions-apiserver
pkg/apiserver/validation, which makes errors of fields of its results. The order: the type, alternatives, what is asked
of texts and their formats, of numbers, of lists, the enumeration, the fields.
"""

from __future__ import annotations

import json
import math
from typing import TypeAlias

from podward.api.gotext import quote
from podward.api.govalue import number as printed_number
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.cel.patterns import contains
from podward.schema.custom_objects.formats import is_known, matches_format
from podward.schema.validation.internal import go_json

_LEAST, _BEYOND = -(1 << 63), 1 << 63
Fault: TypeAlias = tuple[str, str]
"""A place, and the error about it; no place where the server names none."""

_FORMATS = {"integer": "int64", "number": "double"}
"""Of a value, the format that it has itself."""
_WORDS = {
    ("maximum", False): "less than or equal to",
    ("maximum", True): "less than",
    ("minimum", False): "greater than or equal to",
    ("minimum", True): "greater than",
}


def faults_of(value: Json, schema: JsonObject, at: str = "") -> list[Fault]:
    """What of a value does not match the schema."""
    found = _type(value, schema, at)
    if value is None:
        return [*found, *_enumeration(value, schema, at)]
    found += _alternatives(value, schema, at)
    if isinstance(value, str):
        found += _text(value, schema, at)
    elif isinstance(value, list):
        found += _list(value, schema, at)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found += _number(value, schema, at)
    found += _enumeration(value, schema, at)
    if isinstance(value, dict):
        found += _object(value, schema, at)
    return found


def _too_many(count: int, most: int) -> str:
    return f"Too many: {count}: must have at most {most} item{'' if most == 1 else 's'}"


def _name(at: str) -> str:
    return at.removeprefix(".")


def _invalid(at: str, value: Json, why: str) -> Fault:
    return _name(at), f"Invalid value: {shown(value)}: {_name(at)} in body {why}"


def shown(value: Json) -> str:
    """A value as errors about it print it."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool | int | float):
        return printed_number(value)
    return go_json(value)


# --- types ------------------------------------------------------------------------------------------------------------


def _types(schema: JsonObject) -> tuple[str, ...]:
    if schema.get("x-kubernetes-int-or-string") is True:
        return ("integer", "string")
    kind = schema.get("type")
    return (kind,) if isinstance(kind, str) and kind else ()


def _sort(value: Json) -> str:
    sorts = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return sorts.get(type(value), "null")


def _type(value: Json, schema: JsonObject, at: str) -> list[Fault]:
    types, sort = _types(schema), _sort(value)
    if not types or (value is None and schema.get("nullable") is True) or sort in types:
        return []
    if sort == "integer" and "number" in types:
        return []
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return []
    form = schema.get("format")
    if value is not None and isinstance(form, str) and form and is_known(form, ",".join(types)):
        if not isinstance(value, str | list):
            return [_invalid(at, _FORMATS.get(sort, ""), f"must be of type {form}: {quote(_FORMATS.get(sort, ''))}")]
        if not {"number", "integer"}.intersection(types):
            return []  # a list is left to what is asked of texts, which is nothing
    return [_invalid(at, sort, f"must be of type {','.join(types)}: {quote(sort)}")]


def _text(value: str, schema: JsonObject, at: str) -> list[Fault]:
    found: list[Fault] = []
    most, least, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    if type(most) is int and len(value) > most:
        found.append((_name(at), f"Too long: may not be more than {most} bytes"))
    if type(least) is int and len(value) < least:
        found.append(_invalid(at, value, f"should be at least {least} chars long"))
    if isinstance(pattern, str) and pattern and not contains(value, pattern):
        found.append(_invalid(at, value, f"should match '{pattern}'"))
    form = schema.get("format")
    if isinstance(form, str) and not matches_format(form, value):
        found.append(_invalid(at, value, f"must be of type {form}: {quote(value)}"))
    return found


def _number(value: float, schema: JsonObject, at: str) -> list[Fault]:
    found: list[Fault] = []
    if _types(schema) == ("integer",) and (not float(value).is_integer() or not _LEAST <= value < _BEYOND):
        form = schema.get("format")
        told = f"with format {form}" if form else "(default format)"
        found.append(("<nil>", f'Invalid value: "": Checked value must be of type integer {told} in {_name(at)}'))
    factor = schema.get("multipleOf")
    if isinstance(factor, int | float) and not _is_multiple(value, factor):
        found.append(_invalid(at, value, f"should be a multiple of {printed_number(factor)}"))
    for name in ("maximum", "minimum"):
        bound, alone = schema.get(name), schema.get(f"exclusive{name.title()}") is True
        if isinstance(bound, int | float) and (_is_beyond(value, bound, name) or (alone and value == bound)):
            found.append(_invalid(at, value, f"should be {_WORDS[name, alone]} {printed_number(bound)}"))
    return found


def _is_beyond(value: float, bound: float, name: str) -> bool:
    return value > bound if name == "maximum" else value < bound


def _is_multiple(value: float, factor: float) -> bool:
    if factor <= 0:
        return True
    if type(value) is int and type(factor) is int:
        return value % factor == 0
    quotient = value / factor
    return math.isfinite(quotient) and quotient.is_integer()


def _enumeration(value: Json, schema: JsonObject, at: str) -> list[Fault]:
    allowed = schema.get("enum")
    if not isinstance(allowed, list) or not allowed or any(equal(value, each) for each in allowed):
        return []
    words = [quote(each) if isinstance(each, str) else quote(json.dumps(each)) for each in allowed]
    return [(_name(at), f"Unsupported value: {shown(value)}: supported values: {', '.join(words)}")]


def equal(one: Json, other: Json) -> bool:
    """Whether two values are the same, an empty list and none told apart."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


# --- lists and objects ------------------------------------------------------------------------------------------------


def _list(value: list[Json], schema: JsonObject, at: str) -> list[Fault]:
    found: list[Fault] = []
    items = schema.get("items")
    if isinstance(items, dict):
        for index, item in enumerate(value):
            found += faults_of(item, items, f"{at}[{index}]")
    least, most = schema.get("minItems"), schema.get("maxItems")
    if type(least) is int and len(value) < least:
        found.append(_invalid(at, len(value), f"should have at least {least} items"))
    if type(most) is int and len(value) > most:
        found.append((_name(at), _too_many(len(value), most)))
    return found


def _object(value: JsonObject, schema: JsonObject, at: str) -> list[Fault]:
    found: list[Fault] = []
    least, most = schema.get("minProperties"), schema.get("maxProperties")
    if type(least) is int and len(value) < least:
        found.append(_invalid(at, len(value), f"should have at least {least} properties"))
    if type(most) is int and len(value) > most:
        found.append((_name(at), _too_many(len(value), most)))
    properties, others = member(schema, "properties"), schema.get("additionalProperties")
    for name, field in value.items():
        of = properties.get(name, others)
        if isinstance(of, dict):
            found += faults_of(field, of, f"{at}.{name}")
        elif others is False and name not in properties:
            found.append((_name(at), f'Invalid value: "": {_name(at)}.{name} in body is a forbidden property'))
    needed = schema.get("required")
    for wanted in needed if isinstance(needed, list) else ():
        if isinstance(wanted, str) and wanted not in value:
            found.append((_name(f"{at}.{wanted}"), "Required value"))
    return found


# --- alternatives -----------------------------------------------------------------------------------------------------


def _alternatives(value: Json, schema: JsonObject, at: str) -> list[Fault]:
    found: list[Fault] = []
    either = [faults_of(value, each, at) for each in objects(schema, "anyOf")]
    if either and all(either):
        found += [_of_all(f"{quote(_name(at))} must validate at least one schema (anyOf)"), *_shortest(either)]
    one = [faults_of(value, each, at) for each in objects(schema, "oneOf")]
    right = sum(not each for each in one)
    if one and right != 1:
        told = f"Found {right} valid alternatives" if right else "Found none valid"
        found.append(_of_all(f"{quote(_name(at))} must validate one and only one schema (oneOf). {told}"))
        found += [] if right else _shortest(one)
    every = [faults_of(value, each, at) for each in objects(schema, "allOf")]
    if any(every):
        found += [fault for each in every for fault in each]
        told = ". None validated" if all(every) else ""
        found.append(_of_all(f"{quote(_name(at))} must validate all the schemas (allOf){told}"))
    excluded = schema.get("not")
    if isinstance(excluded, dict) and not faults_of(value, excluded, at):
        found.append(_of_all(f"{quote(_name(at))} must not validate the schema (not)"))
    return found


def _shortest(tried: list[list[Fault]]) -> list[Fault]:
    """Of the alternatives, the one that was met best."""
    return min(tried, key=lambda found: len(list(found)))


def _of_all(words: str) -> Fault:
    return "<nil>", f'Invalid value: "": {words}'
