"""The simple paths of printer columns: `.spec.size`, `.spec.ports[0].port`, `.conditions[?(@.type=="Ready")].status`.

Specification: client-go util/jsonpath, of which a column's path is one expression without its braces. What a path
holds that is not read here leads nowhere: its cells are empty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from podward.api.json_value import Json


class Filter(Struct, frozen=True):
    """Items of which a field is, or is not, this value."""

    way: tuple[str, ...]
    value: str
    equal: bool


Step: TypeAlias = "str | int | Filter | None"
"""A field, an item, the items that a filter lets through; None is all of them."""

_STEP = re.compile(
    r"\.(?P<all>\*)|\.(?P<field>(?:[^.\[\]\\]|\\.)+)|\[(?P<index>-?\d+)\]|\[(?P<every>\*)\]|\[['\"](?P<key>[^'\"]*)['\"]\]"
    r"|\[\?\(@\.(?P<way>[\w.-]+)\s*(?P<sign>==|!=)\s*(?P<value>'[^']*'|\"[^\"]*\"|[\w.-]+)\)\]"
)


@lru_cache(1024)
def steps_of(path: str) -> tuple[Step, ...] | None:
    """The steps of a path; None of one that is not read here."""
    found: list[Step] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return None
        found.append(_step(step))
        at = step.end()
    return tuple(found)


def _step(found: re.Match[str]) -> Step:
    parts = found.groupdict()
    if parts["index"] is not None:
        return int(parts["index"])
    if parts["way"] is not None:
        return Filter(tuple(parts["way"].split(".")), parts["value"].strip("'\""), parts["sign"] == "==")
    if parts["all"] or parts["every"]:
        return None
    return re.sub(r"\\(.)", r"\1", parts["field"]) if parts["field"] is not None else str(parts["key"])


def first_at(value: Json, path: str) -> Json:
    """The first value at a path; None where there is none."""
    steps = steps_of(path)
    if steps is None:
        return None
    values: Sequence[Json] = (value,)
    for step in steps:
        values = [found for each in values for found in _taken(each, step)]
    return values[0] if values else None


def _taken(value: Json, step: Step) -> Sequence[Json]:
    if isinstance(step, str):
        return (value[step],) if isinstance(value, dict) and step in value else ()
    if isinstance(step, int):
        there = isinstance(value, list) and -len(value) <= step < len(value)
        return (value[step],) if there and isinstance(value, list) else ()
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if step is None:
        return items
    return [item for item in items if (_printed(_field(item, step.way)) == step.value) == step.equal]


def _field(value: Json, way: tuple[str, ...]) -> Json:
    for name in way:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _printed(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
