"""One step of a field's path, as `fieldsV1` writes it.

Specification: structured-merge-diff v6, fieldpath: `f:name` is a field or a map's key, `k:{"name":"a"}` an item of a
list by the values of its keys, `v:"a"` an item of a set by its value, `i:0` one by its place. Names of keys stand in
alphabetical order. Whole numbers are written without a fraction, and `<`, `>`, `&` in texts as Go's encoder escapes
them. A step has one spelling here, so that steps are equal if their texts are.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from podward.api.gotext import quote
from podward.api.json_value import Json

_LARGE = 1e21  # from here on Go writes an exponent
_KNOWN = 256  # spellings that are kept; a longer text than this is not


def field(name: str) -> str:
    """The step to a field, or to a key of a map."""
    return f"f:{name}"


def keyed(values: list[tuple[str, Json]]) -> str:
    """The step to the item with these keys, which are in alphabetical order."""
    return "k:{" + ",".join(f"{scalar(name)}:{scalar(value)}" for name, value in values) + "}"


def valued(value: Json) -> str:
    """The step to the item of a set."""
    return f"v:{scalar(value)}"


def scalar(value: Json) -> str:
    """A value's JSON text in Go's spelling."""
    if isinstance(value, float) and abs(value) < _LARGE and value.is_integer():
        return str(int(value))
    text = msgspec.json.encode(value).decode()
    if isinstance(value, str) and not text.isalnum():
        for char, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u2028", "\\u2028")):
            if char in text:
                text = text.replace(char, escape)
    return text


def canonical(step: str) -> str | None:
    """The one spelling of a step that a client wrote; None where its sort is not known, or it is no step."""
    return (_known_canonical if len(step) < _KNOWN else _canonical)(step)


def _canonical(step: str) -> str | None:
    sort, text = step[:2], step[2:]
    if sort == "f:":
        return step
    if sort == "i:":
        return f"i:{int(text)}" if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() else None
    value = _decoded(text) if sort in ("k:", "v:") else None
    if sort == "v:" and value is not None and not isinstance(value, dict | list):
        return valued(value)
    return keyed(sorted(value.items())) if sort == "k:" and isinstance(value, dict) else None


_known_canonical = lru_cache(2048)(_canonical)


def _decoded(text: str) -> Json:
    try:
        found: Json = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return found


def printed(step: str) -> str:
    """A step as messages show it: `.name`, `[name="a"]`, `[="a"]`, `[0]`."""
    sort, text = step[:2], step[2:]
    if sort == "f:":
        return f".{text}"
    value = _decoded(text)
    if sort == "k:" and isinstance(value, dict):
        return "[" + ",".join(f"{name}={_printed_value(item)}" for name, item in value.items()) + "]"
    return f"[={_printed_value(value)}]" if sort == "v:" else f"[{text}]"


def _printed_value(value: Json) -> str:
    if isinstance(value, str):
        return quote(value)
    return "null" if value is None else scalar(value)


Rank = tuple[int, list[tuple[int, "float | str"] | str]]


def rank(step: str) -> Rank:
    """The order of steps: fields, items by keys, items by value, items by place; numbers before texts."""
    sort, text = step[:2], step[2:]
    if sort == "k:":
        value = _decoded(text)
        pairs = value.items() if isinstance(value, dict) else ()
        return 1, [part for name, item in pairs for part in (name, _value_rank(item))]
    if sort == "v:":
        return 2, [_value_rank(_decoded(text))]
    return (3, [(0, int(text))]) if sort == "i:" else (0, [step])


def _value_rank(value: Json) -> tuple[int, float | str]:
    if isinstance(value, bool):
        return 2, float(value)
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, 0)
