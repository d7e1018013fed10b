"""Whether an object is one of a type at all, in the words in which server-side apply refuses it.

Specification: structured-merge-diff v6, typed Validate. An applied object may not have two items with the same keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.govalue import plain, syntax, type_name
from podward.api.json_value import Json, JsonObject
from podward.schema.apply.path_element import field, printed
from podward.schema.apply.types import ListType, MapType, Type, form, misfit, step_to

_SORTS = {
    "numeric": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "untyped": (str, int, float, bool),
}


def faults(kind: Type, value: JsonObject) -> str:
    """What is wrong with an applied object, as one text; empty where nothing is."""
    found = list(_faults(kind, value, ""))
    return found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {each}" for each in found)]) if found else ""


def _faults(kind: Type, value: Json, at: str) -> Iterator[str]:
    found = form(kind, value)
    if isinstance(found, MapType):
        yield from _of_map(found, value, at)
    elif isinstance(found, ListType):
        yield from _of_list(found, value, at)
    elif value is not None:
        fits = isinstance(value, _SORTS[found]) and (found != "numeric" or not isinstance(value, bool))
        if not fits:
            yield _told(at, _expected(found, value))


def _told(at: str, what: str) -> str:
    return f"{at}: {what}" if at else what


def _of_map(kind: MapType, value: Json, at: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield _told(at, f"expected map, got {_pointed(value)}")
        return
    for name, item in value.items():
        declared = kind.fields.get(name) or kind.element
        if declared is None:
            yield _told(at + printed(field(name)), "field not declared in schema")
            return
        yield from _faults(declared, item, at + printed(field(name)))


def _of_list(kind: ListType, value: Json, at: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, list):
        yield _told(at, f"expected list, got {_pointed(value)}")
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        step = f"i:{index}"
        if not kind.atomic:
            step = step_to(kind, item)
            if not step:
                yield _told(at, f"element {index}: {misfit(kind, item)}")
                return
            if step in seen:
                yield _told(at, f"duplicate entries for key {printed(step)}")
            seen.add(step)
        yield from _faults(kind.item, item, at + printed(step))


def _expected(sort: str, value: Json) -> str:
    if sort == "numeric":
        return f"expected numeric (int or float), got {type_name(value)}"
    if sort == "string":
        return f"expected string, got &value.valueUnstructured{{Value:{syntax(value)}}}"
    return f"expected {'boolean' if sort == 'boolean' else 'any scalar'}, got {_pointed(value)}"


def _pointed(value: Json) -> str:
    """A value as Go's `%v` prints the pointer to what holds it."""
    return f"&{{{plain(value)}}}"
