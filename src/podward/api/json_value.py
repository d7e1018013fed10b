"""JSON values: documents are kept as these, with nothing added and nothing dropped."""

from __future__ import annotations

from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value. Whole numbers are `int`; `float` is never infinite or NaN."""

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object."""


def copied(value: Json) -> Json:
    """A deep copy; documents nest at most 100 levels, so this can recurse."""
    if type(value) is dict:
        return {key: copied(item) if type(item) in _CONTAINERS else item for key, item in value.items()}
    if type(value) is list:
        return [copied(item) if type(item) in _CONTAINERS else item for item in value]
    return value


def copied_object(value: JsonObject) -> JsonObject:
    """A deep copy of an object."""
    return {key: copied(item) for key, item in value.items()}


def kind_of(value: Json) -> str:
    """A value's JSON type in words, with the value if it is short; for messages."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the string {shortened(value)}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    printed = repr(value) if isinstance(value, float) else hex(value) if value.bit_length() > _PRINTABLE else str(value)
    return f"the number {printed if len(printed) <= _SHORT else printed[:_SHORT] + '…'}"


def type_in_words(value: Json) -> str:
    """A value's JSON type in words, without the value: where it may be a password."""
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else kind_of(value)


def shortened(text: str) -> str:
    """`text` in quotes, cut if it is long, with escapes for what is not printable."""
    cut = text if len(text) <= _SHORT else text[:_SHORT] + "…"
    return '"' + "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut) + '"'


_CONTAINERS = frozenset((dict, list))
_SHORT = 40
_PRINTABLE = 4000  # bits: Python refuses to print much larger integers in decimal
