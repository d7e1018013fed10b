"""JSON values as Go prints them: messages of Kubernetes' components hold them.

Specification: package fmt, for what encoding/json decodes into: map[string]interface {}, []interface {}, string, int64,
float64, bool and nil.
"""

from __future__ import annotations

import msgspec

from podward.api.json_value import Json

_PRINTABLE = 4000  # bits: Python refuses to print much larger integers in decimal


def plain(value: Json) -> str:
    """A value as `%v` prints it: `map[a:1 b:[x]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{name}:{plain(item)}" for name, item in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(plain, value)) + "]"
    if value is None:
        return "<nil>"
    return value if isinstance(value, str) else number(value)


def syntax(value: Json) -> str:
    """A value as `%#v` prints it: `map[string]interface {}{"a":1}`."""
    if isinstance(value, dict):
        items = ", ".join(f"{_text(name)}:{syntax(item)}" for name, item in sorted(value.items()))
        return f"map[string]interface {{}}{{{items}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(syntax, value))}}}"
    if value is None:
        return "interface {}(nil)"
    return _text(value) if isinstance(value, str) else number(value)


def number(value: bool | float) -> str:  # noqa: FBT001 - a value of JSON
    """A number or a boolean."""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _PRINTABLE:
        return "+Inf"
    return str(int(value)) if abs(value) < 1e21 and value == int(value) else str(value)


def type_name(value: Json) -> str:
    """The type of a value, as `%T` prints it."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    return "int64" if isinstance(value, int) else "float64" if isinstance(value, float) else "string"


def _text(value: str) -> str:
    return msgspec.json.encode(value).decode()
