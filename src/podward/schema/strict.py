"""Whether a document has only the fields that its kind has, each of the right type.

Specification: the API server's strict field validation (kubectl's default): a field that the kind doesn't have is an
error, `unknown field "spec.containers[0].foo"`, and all of them are reported; names are case-sensitive; null is as if
the field were absent; each scalar decodes as Go's type decodes (`schema.scalars`). The fields of each kind are in
`schema.table`. A kind that is not in the table is not checked. The items of a `List` are checked each by its own kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of
from podward.errors import InputError
from podward.path import Key, Path
from podward.schema import misplaced
from podward.schema.fit import fits
from podward.schema.scalars import SCALARS
from podward.schema.table import KINDS, TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document

_MOST_REPORTED = 20


class Mistake(Struct, frozen=True):
    """A field that does not fit: its place, what is wrong, and advice.

    `unknown`: the type has no such field.
    """

    path: Path
    what: str
    advice: str = ""
    unknown: bool = False


def mistakes(document: Document) -> tuple[Mistake, ...]:
    """All that does not fit in `document`; unknown fields print relative to the object that they are in."""
    found: list[Mistake] = []
    _object(document.raw, (), found)
    return tuple(found)


def require(document: Document) -> None:
    """Raise InputError, naming every mistake with its line, if there is any."""
    if _fits(document.raw):
        return
    found = mistakes(document)
    if not found:
        return
    first = found[0]
    if len(found) == 1:
        raise InputError(first.what, where=document.where(first.path), advice=first.advice)
    lines = [f"{document.where(mistake.path)}: {mistake.what}" for mistake in found[:_MOST_REPORTED]]
    if len(found) > _MOST_REPORTED:
        lines.append(f"and {len(found) - _MOST_REPORTED} more")
    what = f"{len(found)} fields do not fit:\n  " + "\n  ".join(lines)
    raise InputError(what, where=document.where(first.path), advice=first.advice)


def _fits(raw: JsonObject) -> bool:
    """Whether nothing is wrong, which is sooner found out than what is; a `List` is asked about item by item."""
    name = type_of(raw.get("apiVersion"), raw.get("kind"))
    return name is None or (name != "List" and fits(raw, name))


def type_of(api_version: Json, kind: Json) -> str | None:
    """The name in `schema.table.TYPES` of such an object; None if it isn't there."""
    if not isinstance(kind, str) or not isinstance(api_version, str):
        return None
    return KINDS.get(kind, {}).get(api_version)


def _object(raw: JsonObject, at: tuple[str | int | Key, ...], found: list[Mistake]) -> None:
    name = type_of(raw.get("apiVersion"), raw.get("kind"))
    if name is None:
        return
    walk = _Walk(len(at), found)
    walk.fields(raw, TYPES[name], at)
    items = raw.get("items")
    if name == "List" and isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict):
                _object(item, (*at, "items", index), found)


class _Walk:
    """One object: collects in `found`; `_root` is how many steps of a path lead to the object itself."""

    __slots__ = ("_found", "_root")

    def __init__(self, root: int, found: list[Mistake]) -> None:
        self._root = root
        self._found = found

    def fields(self, value: JsonObject, types: dict[str, str], at: tuple[str | int | Key, ...]) -> None:
        for name, item in value.items():
            code = types.get(name)
            if code is None:
                self._unknown(name, types, at)
            elif item is None:
                continue
            elif (scalar := SCALARS.get(code)) is not None:
                if not scalar[0](item):
                    self._wrong(item, scalar[1], (*at, name))
            else:
                self._inside(item, code, (*at, name))

    def _inside(self, value: Json, code: str, at: tuple[str | int | Key, ...]) -> None:
        if value is None:
            return
        if code[0] == "[":
            if isinstance(value, list):
                for index, item in enumerate(value):
                    self._inside(item, code[1:], (*at, index))
            else:
                self._wrong(value, "a list", at)
        elif (scalar := SCALARS.get(code)) is not None:
            if not scalar[0](value):
                self._wrong(value, scalar[1], at)
        elif not isinstance(value, dict):
            self._wrong(value, "an object", at)
        elif code[0] == "{":
            for name, item in value.items():
                self._inside(item, code[1:], (*at, Key(name)))
        else:
            self.fields(value, TYPES[code], at)

    def _unknown(self, name: str, types: dict[str, str], at: tuple[str | int | Key, ...]) -> None:
        printed = str(Path((*at[self._root :], name)))
        advice = misplaced.advice(Path(at[self._root :]), name) or _similar(name, types)
        self._found.append(Mistake(Path((*at, name)), f'unknown field "{printed}"', advice, unknown=True))

    def _wrong(self, value: Json, expected: str, at: tuple[str | int | Key, ...]) -> None:
        printed = str(Path(at[self._root :]))
        advice = ""
        if isinstance(value, str) and expected in {"true or false", "a 32-bit integer", "a 64-bit integer"}:
            advice = "write it without quotes"
        elif expected == "a string" and not isinstance(value, dict | list):
            advice = "write it in quotes"
        self._found.append(Mistake(Path(at), f"{printed}: expected {expected}, found {kind_of(value)}", advice))


def _similar(name: str, types: dict[str, str]) -> str:
    """Advice that names the field that was probably meant."""
    lowered = name.lower()
    for known in types:
        if known.lower() == lowered:
            return f"did you mean {known}?"
    from difflib import get_close_matches

    close = get_close_matches(name, types, 1)
    return f"did you mean {close[0]}?" if close else ""
