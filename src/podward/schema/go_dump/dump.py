"""A template as Go prints it with the names of all types and all fields, also those that are not set.

Specification: Kubernetes, k8s.io/utils/dump ForHash: spew's `%#v` with keys in order, without methods and addresses.
What is empty is as after Protobuf: a list or map without items is nil. Where a type is known from around it, it is not
named again: of the items of a list, of keys and values of a map, and of what a pointer points to.
"""

from __future__ import annotations

import functools

from podward.api.json_value import Json, JsonObject
from podward.schema.go_dump import quantity
from podward.schema.go_dump.types import NAMED, STRUCTS

_TEMPLATE, _NIL = "v1.PodTemplateSpec", "<nil>"
_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"
_SCALARS = frozenset(("string", "bool", "int", "int32", "int64"))


class NotPrintedError(Exception):
    """A value that no template of a workload has."""


def template(value: JsonObject) -> str:
    """A Pod's template. Raises NotPrintedError."""
    return f"({_TEMPLATE}){_value(_TEMPLATE, value)}"


def _typed(of: str, value: Json) -> str:
    """A value with its type before it."""
    if of.startswith("*"):
        return f"({of}){_NIL}" if value is None else f"({of}){_value(of[1:], value)}"
    return f"({of}){_value(of, value)}"


def _value(of: str, value: Json) -> str:
    if of in STRUCTS:
        return _struct(of, value)
    kind = NAMED.get(of, of)
    if kind in _SCALARS:
        return _scalar(kind, value)
    around, _, inner = kind.rpartition("]")
    if not around:
        return _special(kind, value)
    if isinstance(value, dict) and value:
        return f"map[{' '.join(f'{name}:{_value(inner, value[name])}' for name in _in_order(value))}]"
    return f"[{' '.join(_value(inner, each) for each in value)}]" if isinstance(value, list) and value else _NIL


def _scalar(kind: str, value: Json) -> str:
    if kind == "string":
        return value if isinstance(value, str) else ""
    if kind == "bool":
        return "true" if value is True else "false"
    return str(value) if type(value) is int else "0"


def _special(of: str, value: Json) -> str:
    if of == "resource.Quantity":
        try:
            return quantity.dumped("0" if value is None else str(value))
        except ValueError as error:
            raise NotPrintedError(of) from error
    if of == "intstr.IntOrString":
        kind, number, text = (1, 0, value) if isinstance(value, str) else (0, value or 0, "")
        return f"{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}"
    if of == "v1.Time" and value is None:
        return _TIME
    raise NotPrintedError(of)


def _struct(of: str, value: Json) -> str:
    written = value if isinstance(value, dict) else {}
    return f"{{{' '.join(_field(field, written) for field in _fields(of))}}}"


def _field(field: tuple[str, str, str], written: JsonObject) -> str:
    name, of, json = field
    return f"{name}:{_typed(of, written.get(json) if json else written)}"


@functools.cache
def _fields(of: str) -> tuple[tuple[str, str, str], ...]:
    found = (field.split(":") for field in STRUCTS[of].split(" "))
    return tuple((name, kind, json) for name, kind, json in found)


def _in_order(names: JsonObject) -> list[str]:
    """As Go orders texts: by their bytes."""
    return sorted(names, key=lambda name: name.encode("utf-8", "surrogatepass"))
