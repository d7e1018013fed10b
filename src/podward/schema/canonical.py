"""An object in the form in which Go writes it: checked against its type and made anew in one walk.

Specification: encoding/json with the JSON tags of Kubernetes, as `godecode.gotypes` knows them. `omitempty` leaves out
false, 0, "", nil, and empty lists and maps, but never a struct, nor a quantity or IntOrString that is no pointer. What
is not left out and not set is written: zero, an empty text, and null for a list, a map, a pointer, arbitrary JSON, and
for every time that is no pointer but the creation time (`omitzero`). A list or map that is not left out is null where
it is empty, as it comes out of storage. Quantities, times and bytes are written in their own form.

This is the way that nearly every body goes: about what does not fit, `godecode.decoding` is asked.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, cast

from podward.api.quantity import QuantityError
from podward.api.quantity import parse as parse_quantity
from podward.schema import kinds
from podward.schema.godecode.gotypes import GoType, fields_of
from podward.schema.godecode.times import GoTimeError, written, written_micro
from podward.schema.scalars import is_bytes, is_int32, is_int64, is_int_or_string, is_time

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

Make: TypeAlias = "Callable[[Json], Json]"
"""The value in Go's form. Raises MisfitError."""


class MisfitError(Exception):
    """The value is not of its type, has a field that the type has not, or a null among its items."""


def canonical(value: Json, struct: str) -> JsonObject:
    """The object of this type in `TYPES` as Go writes it; shares lists and maps of texts. Raises MisfitError."""
    return cast("JsonObject", _READ[struct](value))


def canonical_as_stored(value: Json, struct: str) -> JsonObject:
    """The same as it comes out of storage."""
    return cast("JsonObject", _STORED[struct](value))


_UNSET = frozenset(("v1.Time", "v1.MicroTime", "v1.FieldsV1", "v1.JSON", "slice", "map", "[]uint8"))
_ZERO: dict[str, Json] = {"string": "", "bool": False, "resource.Quantity": "0"}
_NEVER_OMITTED = frozenset(
    ("struct", "resource.Quantity", "intstr.IntOrString", "v1.Time", "v1.MicroTime", "v1.FieldsV1")
)
_KEPT_EMPTY = frozenset(("v1.DeploymentTriggerPolicies",))
"""Lists of which none is something else than an empty one: OpenShift's, of what triggers a rollout."""
_CANONICAL_TIME, _CANONICAL_MICRO_TIME = len("2006-01-02T15:04:05Z"), len("2006-01-02T15:04:05.000000Z")
_MOST_DIGITS = 1e21
_ABSENT = object()


class _Makes(dict[str, Make]):
    """The function of each struct: made when it is first asked for."""

    def __init__(self, unset: frozenset[str]) -> None:
        super().__init__()
        self.unset = unset
        """The kinds that are unset where they are empty, also if they are not left out."""

    def __missing__(self, of: str) -> Make:
        made = self[of] = _struct(of, self)
        return made


_READ = _Makes(frozenset())
_STORED = _Makes(frozenset(("slice", "map", "[]uint8")))


def _struct(of: str, makes: _Makes) -> Make:  # noqa: C901 - as for the function that it makes
    types = fields_of(of)
    texts = {name: wanted.pointer or not wanted.omitted for name, wanted in types.items() if wanted.kind == "string"}
    always = tuple([(name, _zero(wanted, makes)) for name, wanted in types.items() if _is_written(name, wanted)])
    fields: dict[str, tuple[Make, bool]] = {}  # as far as they were met

    def make(value: Json) -> Json:  # noqa: C901 - each object is worth not being looked at by several
        if type(value) is not dict:
            raise MisfitError
        made: JsonObject = {}
        for name, item in value.items():
            if type(item) is str:
                kept = texts.get(name)
                if kept is not None:
                    if item or kept:
                        made[name] = item
                    continue
            field = fields.get(name)
            if field is None:
                if name not in types:
                    raise MisfitError
                wanted = types[name]
                field = fields[name] = _maker(wanted, makes), _is_omittable(wanted, makes)
            if item is not None:
                whole = field[0](item)
                if whole or not field[1]:
                    made[name] = whole
        for name, zero in always:
            if name not in made:
                made[name] = zero({}) if callable(zero) else zero
        return made

    return make


def _is_omittable(wanted: GoType, makes: _Makes) -> bool:
    """Whether the field is left out, or written anew as unset, where its value is empty."""
    if wanted.pointer or wanted.kind in _NEVER_OMITTED or wanted.name in _KEPT_EMPTY:
        return False
    return wanted.omitted or wanted.kind in makes.unset


def _is_written(name: str, wanted: GoType) -> bool:
    if wanted.pointer:
        return not wanted.omitted
    if wanted.kind in _NEVER_OMITTED:
        return name != "creationTimestamp"
    return not wanted.omitted


def _zero(wanted: GoType, makes: _Makes) -> Json | Make:
    if wanted.pointer or wanted.kind in _UNSET:
        return None
    if wanted.kind == "struct":
        return lambda value: makes[wanted.of](value)  # noqa: PLW0108 - it is made when it is first needed
    return _ZERO.get(wanted.kind, 0)


def _maker(wanted: GoType, makes: _Makes) -> Make:
    element = wanted.element
    if wanted.kind == "struct":
        return makes[wanted.of]
    if element is not None:
        return _several(element, list if wanted.kind == "slice" else dict, makes)
    return _SCALARS[wanted.kind]


def _several(element: GoType, shape: type[list[Json] | dict[str, Json]], makes: _Makes) -> Make:
    if element.kind == "string":
        return _text_list if shape is list else _text_map
    # Of a struct, which may hold itself, the function is looked up when it is asked.
    make = None if element.kind == "struct" else _maker(element, makes)

    def list_of(value: Json) -> Json:
        if type(value) is not list:
            raise MisfitError
        inside = make or makes[element.of]
        return [inside(item) for item in value]

    def map_of(value: Json) -> Json:
        if type(value) is not dict:
            raise MisfitError
        inside = make or makes[element.of]
        return {name: inside(item) for name, item in value.items()}

    return list_of if shape is list else map_of


def _text_list(value: Json) -> Json:
    if type(value) is not list:
        raise MisfitError
    for item in value:
        if type(item) is not str:
            raise MisfitError
    return value


def _text_map(value: Json) -> Json:
    if type(value) is not dict:
        raise MisfitError
    for item in value.values():
        if type(item) is not str:
            raise MisfitError
    return value


def _checked(fits: Callable[[Json], bool]) -> Make:
    def make(value: Json) -> Json:
        if not fits(value):
            raise MisfitError
        return value

    return make


def _text(value: Json) -> Json:
    if type(value) is not str:
        raise MisfitError
    return value


def _boolean(value: Json) -> Json:
    if type(value) is not bool:
        raise MisfitError
    return value


def _quantity(value: Json) -> Json:
    if type(value) is int:
        value = str(value)
    if type(value) is not str:  # of a number with a dot or an exponent only its literal tells
        raise MisfitError
    try:
        return str(parse_quantity(value))
    except QuantityError:
        raise MisfitError from None


def _time(value: Json) -> Json:
    if not is_time(value):
        raise MisfitError
    text = cast("str", value)
    return text if len(text) == _CANONICAL_TIME and text[-1] == "Z" else written(text)


def _micro_time(value: Json) -> Json:
    if type(value) is not str:
        raise MisfitError
    try:
        return written_micro(value)
    except GoTimeError:
        raise MisfitError from None


def _bytes(value: Json) -> Json:
    if not is_bytes(value):
        raise MisfitError
    return b2a_base64(a2b_base64(cast("str", value)), newline=False).decode()


def _number(value: Json) -> Json:
    if not kinds.is_number(value):
        raise MisfitError
    if type(value) is float and value.is_integer() and abs(value) < _MOST_DIGITS:
        return int(value)
    return value


def _schema_or_list(value: Json) -> Json:
    schema = _READ["JSONSchemaProps"]
    return [schema(item) for item in value] if type(value) is list else schema(value)


def _schema_or_boolean(value: Json) -> Json:
    return value if type(value) is bool else _READ["JSONSchemaProps"](value)


def _schema_or_names(value: Json) -> Json:
    return [_text(item) for item in value] if type(value) is list else _READ["JSONSchemaProps"](value)


_SCALARS: dict[str, Make] = {
    "string": _text,
    "bool": _boolean,
    "int32": _checked(is_int32),
    "int64": _checked(is_int64),
    "resource.Quantity": _quantity,
    "intstr.IntOrString": _checked(is_int_or_string),
    "v1.Time": _time,
    "v1.MicroTime": _micro_time,
    "v1.FieldsV1": lambda value: value,
    "v1.JSON": lambda value: value,
    "float64": _number,
    "[]uint8": _bytes,
    "v1.JSONSchemaPropsOrArray": _schema_or_list,
    "v1.JSONSchemaPropsOrBool": _schema_or_boolean,
    "v1.JSONSchemaPropsOrStringArray": _schema_or_names,
}
