"""The Tables of custom objects: their name, and what their definition has columns for.

Specification: apiextensions-apiserver pkg/registry/customresource/tableconvertor.
"""

from __future__ import annotations

from collections.abc import Sequence

from podward.api.govalue import number
from podward.api.json_value import Json, JsonObject
from podward.schema.custom_objects.json_paths import first_at
from podward.server.encoding import json_bytes
from podward.server.tables.columns import NAME, Column, Printer
from podward.server.tables.texts import name_of, since

_DESCRIPTION = "Custom resource definition column (in JSONPath format): %s"


def printer_of(columns: Sequence[JsonObject]) -> Printer:
    """How objects with these columns are told."""
    made = tuple(_column(each) for each in columns)

    def cells(obj: JsonObject, now: float) -> list[Json]:
        return [name_of(obj), *(_cell(first_at(obj, column.json_path), column.type, now) for column in made)]

    return Printer((NAME, *made), cells)


def _column(of: JsonObject) -> Column:
    priority, path = of.get("priority"), str(of.get("jsonPath"))
    return Column(
        str(of.get("name")),
        str(of.get("type")),
        str(of.get("format") or ""),
        priority if type(priority) is int else 0,
        str(of.get("description") or _DESCRIPTION % path),
        path,
    )


def _cell(value: Json, kind: str, now: float) -> Json:
    if value is None:
        return None
    if kind == "string":
        return _text(value)
    if kind == "integer":
        return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "number":
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return _age(value, now) if isinstance(value, str) else None


def _age(value: str, now: float) -> str:
    try:
        return since(value, now)
    except ValueError:
        return "<invalid>"


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, bool | int | float) else json_bytes(value).decode()
