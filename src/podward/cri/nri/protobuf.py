"""Messages of `podward.api.nri` and `messages` as bytes of Protobuf, and back.

Protobuf's own library reads and writes; the descriptors that it needs are made of the types. A field that a message has
not is refused: what a plugin asks for is done or refused, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Protocol, TypeAlias, TypeVar, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, EncodeError
from google.protobuf.message import Message as Wire
from google.protobuf.unknown_fields import UnknownFieldSet
from msgspec import Struct, inspect

from podward.api.nri import Message
from podward.cri.nri import messages  # noqa: F401 - so that all messages are known
from podward.errors import InputError

PACKAGE = "nri"

Value: TypeAlias = "bool | int | str | bytes | Message | tuple[Value, ...] | Mapping[str, Value] | None"

M = TypeVar("M", bound=Message)

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "string": _Field.TYPE_STRING,
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
}
_WRAPPERS = {f"Optional_{name}": _SCALARS[name] for name in ("bool", "int64", "uint32", "uint64", "string")}
_STRINGS = "Optional_strings"


class ProtobufError(InputError):
    """The bytes are no such message, or have fields that it has not."""


class UnknownFieldError(ProtobufError):
    """A message has a field of a later version of NRI."""


class _Shape(Struct, frozen=True):
    """One field: `wire` is a scalar's name, or `message` the type of what it holds, or both are empty: a wrapper's.

    `label` is what is around it: "", "repeated" or "map", whose keys are `key`.
    """

    name: str
    number: int
    label: str = ""
    wire: str = ""
    message: type[Message] | None = None
    wrapper: str = ""
    key: str = ""


class _Repeated(Protocol):
    def add(self) -> Wire: ...
    def append(self, value: Value) -> None: ...


def encode(message: Message) -> bytes:
    """The message's bytes. Raises ProtobufError for a number that is too large or text that is no text."""
    try:
        return _filled(_wire_class(type(message))(), message).SerializeToString()
    except (ValueError, TypeError, EncodeError) as error:
        raise ProtobufError(f"{type(message).__name__} cannot be written: {error}") from error


def decode(kind: type[M], data: bytes) -> M:
    """The message of these bytes. Raises ProtobufError where they are none, or where it has more fields."""
    wire = _wire_class(kind)()
    try:
        wire.ParseFromString(data)
    except DecodeError as error:
        raise ProtobufError(f"no {kind.__name__}: {error}") from error
    return _read(kind, wire)


def _filled(wire: Wire, message: Message) -> Wire:
    for shape in _shapes(type(message)):
        value: Value = getattr(message, shape.name)
        if value is None or value in ((), {}):
            if value == () and shape.wrapper:
                getattr(wire, shape.name).SetInParent()
            continue
        if shape.label == "map":
            _fill_map(getattr(wire, shape.name), shape, cast("Mapping[str, Value]", value))
        elif shape.label == "repeated":
            _fill_list(getattr(wire, shape.name), shape, cast("tuple[Value, ...]", value))
        elif shape.wrapper == _STRINGS:
            getattr(wire, shape.name).value.extend(value)
        elif shape.wrapper:
            holder = getattr(wire, shape.name)
            holder.SetInParent()
            holder.value = value
        elif shape.message is not None:
            holder = getattr(wire, shape.name)
            holder.SetInParent()
            _filled(holder, cast("Message", value))
        else:
            setattr(wire, shape.name, value)
    return wire


def _fill_list(items: _Repeated, shape: _Shape, values: tuple[Value, ...]) -> None:
    for value in values:
        if shape.message is None:
            items.append(value)
        else:
            _filled(items.add(), cast("Message", value))


def _fill_map(entries: dict[str, Wire | Value], shape: _Shape, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        if shape.message is None:
            entries[key] = value
        else:
            _filled(cast("Wire", entries[key]), cast("Message", value))  # an entry is made when it is looked at


def _read(kind: type[M], wire: Wire) -> M:
    unknown = UnknownFieldSet(wire)
    if len(unknown):
        raise UnknownFieldError(
            f"{kind.__name__} has field {unknown[0].field_number}, which this version does not know",
            advice="use a plugin that is made for an older version of NRI",
        )
    return kind(**{shape.name: _value(wire, shape) for shape in _shapes(kind)})


def _value(wire: Wire, shape: _Shape) -> Value:
    held = getattr(wire, shape.name)
    nested = shape.message
    if shape.label == "map":
        return {key: held[key] if nested is None else _read(nested, held[key]) for key in held}
    if shape.label == "repeated":
        return tuple(held) if nested is None else tuple(_read(nested, item) for item in held)
    if not shape.wrapper and nested is None:
        return cast("Value", held)
    if not wire.HasField(shape.name):
        return None
    if nested is not None:
        return _read(nested, held)
    return tuple(held.value) if shape.wrapper == _STRINGS else cast("Value", held.value)


# --- descriptors, of the types ----------------------------------------------------------------------------------------


@cache
def _shapes(kind: type[Message]) -> tuple[_Shape, ...]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - a Message is a Struct
    return tuple(_shape(field.name, kind.FIRST + i, field.type) for i, field in enumerate(info.fields))


def _shape(name: str, number: int, held: inspect.Type) -> _Shape:
    wire = ""
    if isinstance(held, inspect.Metadata):
        wire = str((held.extra or {}).get("wire", ""))
        held = held.type
    match held:
        case inspect.VarTupleType():
            return _of_item(_Shape(name, number, "repeated"), held.item_type)
        case inspect.DictType():
            return _of_item(_Shape(name, number, "map", key=_scalar(held.key_type)), held.value_type)
        case inspect.UnionType() if wire:
            return _Shape(name, number, wrapper=f"Optional_{wire}")
        case inspect.UnionType():
            present = next(kind for kind in held.types if not isinstance(kind, inspect.NoneType))
            return _of_item(_Shape(name, number), present)
        case _:
            return _Shape(name, number, wire=wire or _scalar(held))


def _of_item(shape: _Shape, item: inspect.Type) -> _Shape:
    """The shape of a list, map or optional field whose items are these."""
    if isinstance(item, inspect.StructType) and issubclass(item.cls, Message):
        return _Shape(shape.name, shape.number, shape.label, message=item.cls, key=shape.key)
    return _Shape(shape.name, shape.number, shape.label, _scalar(item), key=shape.key)


def _scalar(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra or {})["wire"])
    return {inspect.StrType: "string", inspect.BoolType: "bool", inspect.BytesType: "bytes"}[type(kind)]


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """All messages in one file."""
    file = descriptor_pb2.FileDescriptorProto(name="nri.proto", package=PACKAGE, syntax="proto3")
    for name, scalar in (*_WRAPPERS.items(), (_STRINGS, _SCALARS["string"])):
        label = _Field.LABEL_REPEATED if name == _STRINGS else _Field.LABEL_OPTIONAL
        file.message_type.add(name=name).field.add(name="value", number=1, type=scalar, label=label)
    for kind in _all_messages(Message):
        described = file.message_type.add(name=kind.__name__)
        for shape in _shapes(kind):
            _describe(described, shape)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _all_messages(base: type[Message]) -> Iterator[type[Message]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _all_messages(kind)


def _describe(described: descriptor_pb2.DescriptorProto, shape: _Shape) -> None:
    field = described.field.add(name=shape.name, number=shape.number)
    field.label = _Field.LABEL_REPEATED if shape.label else _Field.LABEL_OPTIONAL
    if shape.label == "map":
        entry = described.nested_type.add(name=f"{shape.name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_SCALARS[shape.key], label=_Field.LABEL_OPTIONAL)
        _type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), shape)
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{described.name}.{entry.name}"
    else:
        _type(field, shape)


def _type(field: descriptor_pb2.FieldDescriptorProto, shape: _Shape) -> None:
    if shape.wire:
        field.type = _SCALARS[shape.wire]
        return
    field.type = _Field.TYPE_MESSAGE
    field.type_name = f".{PACKAGE}.{shape.message.__name__ if shape.message is not None else shape.wrapper}"


@cache
def _wire_class(kind: type[Message]) -> type[Wire]:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{kind.__name__}"))
