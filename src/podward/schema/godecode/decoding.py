"""Decoding an object as the API server does: its errors, and its Go value as JSON without what Go would not keep.

Specification: sigs.k8s.io/json UnmarshalStrict (encoding/json, but field names are case-sensitive):
- A value that does not fit its Go type is an error, of which the first in the document is reported, with the innermost
  struct and the names of all fields on the way, embedded structs too: indexes and map keys are no part of it. The rest
  is decoded still.
- A type that decodes itself (quantity, time, integer or string) fails at once, whatever went before.
- Without such an error: fields that the struct does not have and fields that stand twice are *strict* errors, at most
  100, each once, with indexes and map keys in their paths.
- null makes a pointer, list or map nil and leaves anything else alone. A field that stands twice is decoded onto the
  value of the first; a list keeps its earlier items as far as the new one is long.
- Schemas of custom resources: where a schema or something else may stand, the type decodes itself, and what is in it is
  no strict error. Arbitrary JSON is kept as it is.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.quantity import QuantityError
from podward.api.quantity import parse as parse_quantity
from podward.schema.godecode.base64 import base64_error
from podward.schema.godecode.gotypes import GoType, fields_of, way_to
from podward.schema.godecode.gotypes import struct as struct_type
from podward.schema.godecode.times import GoTimeError, parse_micro
from podward.schema.godecode.times import parse as parse_time
from podward.schema.godecode.tree import Members, Number, Tree, clean, integer, plain

_MOST_STRICT = 100
_LIMITS = {"int32": 1 << 31, "int64": 1 << 63}
_ZEROS: dict[str, Json] = {
    "string": "", "bool": False, "int32": 0, "int64": 0, "resource.Quantity": "0", "intstr.IntOrString": 0,
    "float64": 0, "[]uint8": "",
}  # fmt: skip
_DECODES_ITSELF = frozenset((
    "resource.Quantity", "v1.Time", "v1.MicroTime", "intstr.IntOrString", "v1.FieldsV1", "v1.JSON",
    "v1.JSONSchemaPropsOrArray", "v1.JSONSchemaPropsOrBool", "v1.JSONSchemaPropsOrStringArray",
))  # fmt: skip
_KEPT_ON_NULL = frozenset(_LIMITS) | {"string", "bool", "struct", "float64"}
_TIMES = {"v1.Time": parse_time, "v1.MicroTime": parse_micro}


class GoDecodeError(ValueError):
    """The value does not fit the Go type; the message is the server's."""


class Decoded(Struct, frozen=True):
    """The struct's fields that are set, as JSON without null and unknown fields; and the strict errors."""

    value: JsonObject
    strict_errors: tuple[str, ...]


def decode(tree: Tree, struct: str) -> Decoded:
    """Decode into the Go struct of this name in `schema.table.TYPES`. Raises GoDecodeError."""
    walk = _Walk()
    value = walk.value(tree, struct_type(struct), {})
    if walk.error is not None:
        raise GoDecodeError(walk.error)
    return Decoded(value if isinstance(value, dict) else {}, tuple(walk.strict_errors))


class _Walk:
    """Where the decoder is: the innermost struct, the fields on the way, and the same with indexes and keys."""

    __slots__ = ("_fields", "_struct", "_way", "error", "strict_errors")

    def __init__(self) -> None:
        self._struct = ""
        self._fields: tuple[str, ...] = ()
        self._way = ""
        self.error: str | None = None
        self.strict_errors: dict[str, None] = {}

    def value(self, tree: Tree, wanted: GoType, before: Json) -> Json:
        """The decoded value; None is a nil one, or a zero one that nothing was decoded into."""
        if tree is None:
            return None if wanted.nillable or wanted.kind not in _KEPT_ON_NULL else before
        match wanted.kind:
            case kind if kind in _DECODES_ITSELF:
                return self._decodes_itself(tree, kind)
            case "struct" if isinstance(tree, Members):
                return self._struct_of(tree, wanted, before if isinstance(before, dict) else {})
            case "map" if isinstance(tree, Members) and wanted.element is not None:
                return self._map(tree, wanted.element, before if isinstance(before, dict) else {})
            case "slice" if isinstance(tree, list) and not isinstance(tree, Members) and wanted.element is not None:
                return self._slice(tree, wanted.element, before if isinstance(before, list) else [])
            case _:
                return self._scalar(tree, wanted, before)

    def _struct_of(self, members: Members, wanted: GoType, before: JsonObject) -> JsonObject:
        types = fields_of(wanted.of)
        outer = (self._struct, self._fields, self._way)
        seen: set[str] = set()
        for key, tree in members:
            name = clean(key)
            inside = types.get(name)
            if inside is None:
                self._strict("unknown", name)
                continue
            if name in seen:
                self._strict("duplicate", name)
            seen.add(name)
            self._struct = wanted.struct
            self._fields = (*outer[1], *way_to(wanted.of, name))
            self._way = f"{outer[2]}.{name}" if outer[2] else name
            found = self.value(tree, inside, before.get(name))
            if found is None:
                before.pop(name, None)
            else:
                before[name] = found
            self._struct, self._fields, self._way = outer
        return before

    def _map(self, members: Members, element: GoType, before: JsonObject) -> JsonObject:
        outer, seen = self._way, set()
        for key, tree in members:
            name = clean(key)
            if name in seen:
                self._strict("duplicate", name)
            seen.add(name)
            self._way = f"{outer}.{name}" if outer else name
            before[name] = self._or_zero(self.value(tree, element, None), element)
            self._way = outer
        return before

    def _slice(self, trees: list[Tree], element: GoType, before: list[Json]) -> list[Json]:
        outer = self._way
        made: list[Json] = []
        for index, tree in enumerate(trees):
            self._way = f"{outer}[{index}]"
            earlier = before[index] if index < len(before) else None
            made.append(self._or_zero(self.value(tree, element, earlier), element))
            self._way = outer
        return made

    @staticmethod
    def _or_zero(value: Json, element: GoType) -> Json:
        """A nil or untouched item as its type's zero value."""
        if value is not None or element.pointer:
            return value
        return _ZEROS.get(element.kind, {} if element.kind == "struct" else None)

    def _scalar(self, tree: Tree, wanted: GoType, before: Json) -> Json:
        kind = wanted.kind
        if isinstance(tree, Number):
            limit = _LIMITS.get(kind)
            if limit is not None:
                number = integer(tree)
                if number is not None and -limit <= number < limit:
                    return number
                self._save(f"number {tree}", wanted.name)
            elif kind == "float64":
                return plain(tree)
            else:
                self._save("number", wanted.name)
        elif isinstance(tree, bool):
            if kind == "bool":
                return tree
            self._save("bool", wanted.name)
        elif isinstance(tree, str):
            if kind == "string":
                return clean(tree)
            if kind == "[]uint8":
                return self._bytes(clean(tree))
            self._save("string", wanted.name)
        else:
            self._save("object" if isinstance(tree, Members) else "array", wanted.name)
        return before

    def _bytes(self, text: str) -> str:
        wrong = base64_error(text)
        if wrong and self.error is None:
            self.error = wrong
        return "" if wrong else text

    def _decodes_itself(self, tree: Tree, kind: str) -> Json:
        try:
            if kind == "resource.Quantity":
                text = clean(tree) if isinstance(tree, str) else _raw_start(tree)
                parse_quantity(text)
                return text.strip()
            if kind in _TIMES:
                if not isinstance(tree, str) or isinstance(tree, Number):
                    raise GoDecodeError(self._mismatch(_word(tree), "string"))
                _TIMES[kind](clean(tree))
                return clean(tree)
        except (QuantityError, GoTimeError) as error:
            raise GoDecodeError(str(error)) from None
        if kind.startswith("v1.JSONSchema"):
            return self._schema(tree, kind)
        return plain(tree) if kind in {"v1.FieldsV1", "v1.JSON"} else self._int_or_string(tree)

    def _int_or_string(self, tree: Tree) -> Json:
        if isinstance(tree, str) and not isinstance(tree, Number):
            return clean(tree)
        number = integer(tree) if isinstance(tree, Number) else None
        if number is None or not -_LIMITS["int32"] <= number < _LIMITS["int32"]:
            raise GoDecodeError(self._mismatch(f"number {tree}" if isinstance(tree, Number) else _word(tree), "int32"))
        return number

    @staticmethod
    def _schema(tree: Tree, kind: str) -> Json:
        """A schema, or what else may stand in its place: its own decoder knows nothing of the way to it."""
        inside = _Walk()
        made: Json = None
        if isinstance(tree, bool) and kind.endswith("OrBool"):
            return tree
        if isinstance(tree, Members):
            made = inside.value(tree, struct_type("JSONSchemaProps"), {})
        elif isinstance(tree, list) and kind.endswith("Array"):
            element = struct_type("JSONSchemaProps") if kind.endswith("OrArray") else GoType("string", "string")
            made = inside.value(tree, GoType("slice", f"[]{element.name}", element), [])
        elif kind.endswith("OrBool"):
            raise GoDecodeError("boolean or JSON schema expected")
        if inside.error is not None:
            raise GoDecodeError(inside.error)
        return made

    def _mismatch(self, value: str, name: str) -> str:
        if not self._fields:
            return f"json: cannot unmarshal {value} into Go value of type {name}"
        place = f"{self._struct}.{'.'.join(self._fields)}"
        return f"json: cannot unmarshal {value} into Go struct field {place} of type {name}"

    def _save(self, value: str, name: str) -> None:
        if self.error is None:
            self.error = self._mismatch(value, name)

    def _strict(self, what: str, name: str) -> None:
        if len(self.strict_errors) < _MOST_STRICT:
            self.strict_errors[f"{what} field {quote(f'{self._way}.{name}' if self._way else name)}"] = None


def _word(tree: Tree) -> str:
    if isinstance(tree, Members):
        return "object"
    if isinstance(tree, list):
        return "array"
    return "bool" if isinstance(tree, bool) else "number"


def _raw_start(tree: Tree) -> str:
    """As much of a value's JSON as it takes to see that it is no quantity."""
    return str(tree).lower() if isinstance(tree, bool) else "{" if isinstance(tree, Members) else "["
