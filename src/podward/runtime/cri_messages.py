"""Turns messages of protobuf into the typed messages of `podward.api`, and back.

What becomes what is not written down again: a message and a struct have one name, and a field of the struct is the one
with the same name in JSON. A message that only wraps a number or an enum (Int64Value, ContainerStateValue) is the bare
value, None where it is absent. What the structs have no place for is refused, never dropped: a Windows part, a value
of an enum that nobody knows, a variable that is no UTF-8. Fields that protobuf does not know are not looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from types import NoneType
from typing import TypeVar, get_args, get_type_hints

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from podward.errors import InputError
from podward.runtime import cri_protocol as protocol

Typed = TypeVar("Typed", bound=Struct)
Step = Callable[..., object]
"""What is done with a field's value on its way."""

_OTHER_NAMES = {
    "Capability": {"add": "addCapabilities", "drop": "dropCapabilities", "addAmbient": "addAmbientCapabilities"},
}
"""Fields that have another name in the typed message, by message."""


def typed(message: Message, kind: type[Typed]) -> Typed:
    """The typed form of a message. Raises InputError where it says something that the typed form cannot."""
    read: Callable[[Message], Typed] = _reader(kind)
    return read(message)


def message(value: Struct) -> Message:
    """The message of a typed value. Raises InputError where a value is none of the protocol's."""
    try:
        return _writer(type(value))(value)
    except (ValueError, TypeError) as error:  # what protobuf says of a number out of range, of an enum, of a surrogate
        raise InputError(f"this is no {type(value).__name__}: {error}") from error


class _Row(Struct, frozen=True):
    """A field in both forms.

    `inner` is the typed form of the field's value, or of its items. `wrapper` is the message that just wraps it,
    `wrapped` the only field of that.
    """

    name: str
    field: FieldDescriptor
    inner: object
    default: object
    struct: type[Struct] | None
    wrapper: str
    wrapped: FieldDescriptor | None
    is_map: bool


def _rows(kind: type[Struct]) -> tuple[_Row, ...]:
    of_message = {field.json_name: field for field in _fields(kind.__name__)}
    names, hints = _OTHER_NAMES.get(kind.__name__, {}), get_type_hints(kind)
    return tuple(
        _row(info, of_message[names.get(info.encode_name, info.encode_name)], hints[info.name]) for info in fields(kind)
    )


def _row(info: FieldInfo, field: FieldDescriptor, hint: object) -> _Row:
    inner = next((part for part in get_args(hint) if part not in (NoneType, Ellipsis)), hint)
    struct = inner if isinstance(inner, type) and issubclass(inner, Struct) else None
    wrapper, is_map = "", False
    if field.message_type is not None and struct is None:
        is_map = field.message_type.GetOptions().map_entry
        wrapper = "" if is_map else field.message_type.name
    wrapped = _only(_fields(wrapper)) if wrapper else None
    return _Row(info.name, field, inner, _default(info, field), struct, wrapper, wrapped, is_map)


def _default(info: FieldInfo, field: FieldDescriptor) -> object:
    """What an absent field becomes. That is for protobuf to say, but for messages, which a struct may leave out."""
    if field.has_presence:
        return info.default
    if field.is_repeated:
        return {} if info.default_factory is dict else ()
    return field.enum_type.values_by_number[0].name if field.enum_type is not None else field.default_value


@cache
def _fields(message: str) -> tuple[FieldDescriptor, ...]:
    described = protocol.load().messages[message].DESCRIPTOR.fields
    return tuple(described)  # type: ignore[arg-type]  # those of upb are the same


def _only(listed: tuple[FieldDescriptor, ...]) -> FieldDescriptor:
    (field,) = listed
    return field


# --- from protobuf ----------------------------------------------------------------------------------------------------


@cache
def _reader(kind: type[Typed]) -> Callable[[Message], Typed]:
    rows = _rows(kind)
    known = {row.field.name for row in rows}
    strange = tuple(field for field in _fields(kind.__name__) if field.name not in known)
    get = _getter(rows)
    steps: list[tuple[int, Step]] = []
    may_be_absent: list[tuple[int, str, Step, object]] = []
    for place, row in enumerate(rows):
        step = _reading(row)
        if row.field.has_presence:
            may_be_absent.append((place, row.field.name, step or _as_it_is, row.default))
        elif step is not None:
            steps.append((place, step))

    def read(message: Message) -> Typed:
        if strange:
            _refuse_strange(message, strange)
        values = [*get(message)]
        for place, step in steps:
            values[place] = step(values[place])
        for place, name, step, default in may_be_absent:
            values[place] = step(values[place]) if message.HasField(name) else default
        return kind(*values)

    return read


def _getter(rows: tuple[_Row, ...]) -> Callable[[Message], tuple[object, ...]]:
    """All fields of a message at once; attrgetter makes no tuple of one."""
    names = [row.field.name for row in rows]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda message: tuple(getattr(message, name) for name in names)


def _reading(row: _Row) -> Step | None:
    """What makes the typed value of a field's value; None where it is the same."""
    if row.is_map:
        return dict
    one = _reading_one(row)
    if not row.field.is_repeated:
        return one
    return tuple if one is None else lambda values: tuple(map(one, values))


def _reading_one(row: _Row) -> Step | None:
    if row.struct is not None:
        return _reader(row.struct)
    if row.wrapped is None:
        return _reading_scalar(row.field, row.inner)
    step, get = _reading_scalar(row.wrapped, row.inner), attrgetter(row.wrapped.name)
    return get if step is None else lambda wrapper: step(get(wrapper))


def _reading_scalar(field: FieldDescriptor, kind: object) -> Step | None:
    if field.enum_type is not None:
        return _name_in({value.number: value.name for value in field.enum_type.values}, field)
    return _decode if field.type == FieldDescriptor.TYPE_BYTES and kind is str else None


def _name_in(names: dict[int, str], field: FieldDescriptor) -> Step:
    def name(number: int) -> str:
        found = names.get(number)
        if found is None:
            raise InputError(f"nobody knows the value {number}", where=field.full_name)
        return found

    return name


def _decode(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InputError(
            "the value of a variable is no UTF-8 text", advice="a container's variables are texts"
        ) from None


def _refuse_strange(message: Message, strange: tuple[FieldDescriptor, ...]) -> None:
    for field in strange:
        if message.HasField(field.name) if field.has_presence else getattr(message, field.name):
            raise InputError(f"{field.full_name} is not supported", advice="leave it out")


def _as_it_is(value: object) -> object:
    return value


# --- to protobuf ------------------------------------------------------------------------------------------------------


@cache
def _writer(kind: type[Struct]) -> Callable[[Struct], Message]:
    make = protocol.load().messages[kind.__name__]
    rows = tuple((row.name, row.field.name, row.default, _writing(row)) for row in _rows(kind))

    def write(value: Struct) -> Message:
        values: dict[str, object] = {}
        for name, field, default, step in rows:
            found = getattr(value, name)
            if found != default:
                values[field] = found if step is None else step(found)
        return make(**values)

    return write


def _writing(row: _Row) -> Step | None:
    """What makes the value of a field of the typed value; None where it is the same."""
    one = _writing_one(row)
    if one is None or not row.field.is_repeated:
        return one
    return lambda values: [one(value) for value in values]


def _writing_one(row: _Row) -> Step | None:
    if row.struct is not None:
        return _writer(row.struct)
    if row.wrapped is not None:
        make, name = protocol.load().messages[row.wrapper], row.wrapped.name
        return lambda value: make(**{name: value})
    return str.encode if row.field.type == FieldDescriptor.TYPE_BYTES and row.inner is str else None
