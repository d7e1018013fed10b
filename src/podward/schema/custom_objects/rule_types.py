"""The types that rules see values of a schema as, with their sizes.

Specification: k8s.io/apiserver pkg/cel/common/schemas.go SchemaDeclType, pkg/cel types.go, limits.go and escaping.go: a
field that CEL cannot name, and a value of which the schema does not say what it is, are no part of it. Where a schema
sets no bound, the size of a request does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema.cel.amounts import Amount
from podward.schema.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, Type, list_of, map_of
from podward.schema.validation.raw import text, texts

LONGEST_REQUEST = 3 * 1024 * 1024
_BYTES_OF_A_LETTER = 4
_FORMATS = {"duration": (DURATION, 32, 3), "date": (TIMESTAMP, 12, 12), "date-time": (TIMESTAMP, 32, 21)}
"""What texts of these formats are seen as, and their longest and shortest form in JSON."""
_SIMPLE = {"boolean": (BOOL, 4), "number": (DOUBLE, 1), "integer": (INT, 1)}
_WORDS = (
    "true false null in as break const continue else for function if import let loop package namespace return var void"
    " while"
)
_RESERVED = frozenset(_WORDS.split())
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[.\-/]")
_NAMEABLE = re.compile(r"[A-Za-z_./-][A-Za-z0-9_./-]*")
_TEXT: JsonObject = {"type": "string"}
_OF_OBJECTS: JsonObject = {
    "kind": _TEXT,
    "apiVersion": _TEXT,
    "metadata": {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}},
}


class Declared(Struct):
    """A type with what is known of its size: the most letters, items or entries; the least bytes in JSON."""

    type: Type
    most: int = 0
    least: int = 2
    fields: Mapping[str, Declared] = {}
    element: Declared | None = None
    key: Declared | None = None


def escaped(name: str) -> str:
    """The name of a field in rules."""
    return f"__{name}__" if name in _RESERVED else _ESCAPED.sub(lambda found: _ESCAPES[found.group()], name)


def declared(schema: JsonObject, name: str, *, whole: bool) -> Declared | None:
    """The type of a schema's values, called `name` where it is an object's; `whole`: they are objects of the API."""
    if schema.get("x-kubernetes-int-or-string") is True:
        return Declared(DYN, _longest(schema, _LONGEST), 1)
    kind = text(schema, "type")
    if kind == "array":
        return _list(schema, name)
    if kind == "object" or whole:
        return _object(schema, name, whole=whole)
    if kind == "string":
        return _string(schema)
    simple = _SIMPLE.get(kind)
    return None if simple is None else Declared(simple[0], 0, simple[1])


_LONGEST = LONGEST_REQUEST - 2


def _inner(schema: JsonObject, name: str) -> Declared | None:
    return declared(schema, name, whole=schema.get("x-kubernetes-embedded-resource") is True)


def _bound(schema: JsonObject, name: str) -> int | None:
    found = schema.get(name)
    return max(found, 0) if type(found) is int else None


def _longest(schema: JsonObject, otherwise: int) -> int:
    found = _bound(schema, "maxLength")
    return otherwise if found is None else found * _BYTES_OF_A_LETTER


def _list(schema: JsonObject, name: str) -> Declared | None:
    items = schema.get("items")
    element = _inner(items, f"{name}.@idx") if isinstance(items, dict) else None
    if element is None:
        return None
    most = _bound(schema, "maxItems")
    most = _LONGEST // (element.least + 1) if most is None else most
    return Declared(list_of(element.type), most, element=element)


def _object(schema: JsonObject, name: str, *, whole: bool) -> Declared | None:
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        element = _inner(others, f"{name}.@elem")
        if element is None:
            return None
        most = _bound(schema, "maxProperties")
        most = _LONGEST // (element.least + 6) if most is None else most
        return Declared(map_of(STRING, element.type), most, element=element, key=Declared(STRING))
    properties = {**member(schema, "properties"), **(_OF_OBJECTS if whole else {})}
    needed, fields, least = set(texts(schema, "required")), dict[str, Declared](), 2
    for field, of in properties.items():
        found = _inner(of, f"{name}.{escaped(field)}") if isinstance(of, dict) else None
        if found is None or not isinstance(of, dict):
            continue
        if _NAMEABLE.fullmatch(field):
            fields[escaped(field)] = found
        if field in needed and of.get("default") is None:
            least += len(field.encode()) + found.least + 4
    return Declared(Type("struct", (), name), 0, least, fields)


def _string(schema: JsonObject) -> Declared:
    form = text(schema, "format")
    if form in _FORMATS:
        return Declared(*_FORMATS[form])
    if form == "byte":
        most = _bound(schema, "maxLength")
        return Declared(BYTES, _LONGEST if most is None else most)
    most = _LONGEST
    values = schema.get("enum")
    if isinstance(values, list) and values:
        most = max((len(each.encode()) for each in values if isinstance(each, str)), default=0)
    return Declared(STRING, _longest(schema, most))


def structures(of: Declared) -> dict[str, Mapping[str, Type]]:
    """The fields of all objects in a type, by their names."""
    found: dict[str, Mapping[str, Type]] = {}
    if of.type.kind == "struct":
        found[of.type.name] = {name: field.type for name, field in of.fields.items()}
    for each in (*of.fields.values(), of.element):
        if each is not None:
            found.update(structures(each))
    return found


def size_on(of: Declared, way: tuple[str, ...]) -> Amount | None:
    """The size of what lies on a way from the value on; the first step is the variable that it is called."""
    current: Declared | None = of
    for step in way[1:]:
        if current is None:
            return None
        if step in {"@items", "@values"}:
            current = current.element
        elif step == "@keys":
            current = current.key
        else:
            current = current.fields.get(step)
    return None if current is None else Amount(0, current.most)
