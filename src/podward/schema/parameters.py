"""The parameters of an OpenShift Template, filled in as `oc process` does without any `-p`.

Specification: github.com/openshift/library-go, pkg/template: in every string of the objects, also in keys, `${NAME}`
is replaced by the parameter's value. A string that is nothing but `${{NAME}}` becomes what the value is in JSON: a
number, a truth value, an object; what is no JSON stays a string. A name that no parameter has stays as it is.
`generate: expression` makes a value that matches `from`: `[a-z0-9]{8}`.

Here a generated value is always the same, so that a report is. A parameter without a value has to be given by whoever
processes the template: where it is a whole string its own name stands for it, where `${{NAME}}` is a whole string
nothing does, and within a string nothing does unless it is required.
"""

from __future__ import annotations

from re import Match, fullmatch, sub
from typing import TYPE_CHECKING

from msgspec import DecodeError, Struct
from msgspec.json import decode

from podward.api.json_value import kind_of, type_in_words
from podward.documents.document import Document
from podward.errors import InputError, LimitError
from podward.path import Path, path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from podward.api.json_value import Json, JsonObject
    from podward.documents.parsed_value import Lines

_REFERENCE = r"\$\{(?:([A-Za-z0-9_]+)|\{([A-Za-z0-9_]+)\})\}"
_WHOLE = r"\$\{\{([A-Za-z0-9_]+)\}\}"
_RANGE = r"\[([^\]]+)\](?:\{(\d{1,3})\})?|\\([wdaA])(?:\{(\d{1,3})\})?"
_ROOM, _GROWTH = 32 * 1024, 8
"""How much text may become of a Template's strings: a file has many Templates, and all are held at once."""
_MOST_BESIDE = 1000
"""Objects in a list that has a Template among them: the list is copied for each."""
_MOST_INSIDE = 50
"""Brackets in a value that is read as JSON: one with more would nest too deep."""
_FIRST_OF_CLASS = {"w": "a", "d": "0", "a": "a", "A": "!"}


class _Parameter(Struct, frozen=True):
    """A parameter; `value` is None where nobody but a caller can say it."""

    name: str
    value: str | None
    required: bool

    @property
    def alone(self) -> str:
        """What stands for it where it is the whole string."""
        return self.name.lower().replace("_", "-") if self.value is None else self.value

    @property
    def within(self) -> str:
        """What stands for it beside other characters."""
        return self.alone if self.required else self.value or ""


def filled(document: Document, at: Path) -> Document:
    """The document with the parameters of the Template at this place filled in, each field on the line it has.

    Raises InputError for parameters that are none, and for a Template that would grow too much.
    """
    template = _node(document.raw, at)
    known = {each.name: each for each in _parameters(document, template, at)}
    filling = _Filling(document, known, at)
    line, lines = document.inside(Path())
    raw, inside = filling.at_place(document.raw, lines, at)
    return Document(document.name, raw if isinstance(raw, dict) else document.raw, line, inside)


def objects_in(document: Document, at: Path) -> Iterator[tuple[Path, JsonObject]]:
    """The objects of the Template at this place. Raises InputError for one that is none."""
    listed = _node(document.raw, at).get("objects")
    for index, each in enumerate(listed if isinstance(listed, list) else ()):
        place = at / "objects" / index
        if not isinstance(each, dict):
            raise InputError(f"{place}: expected an object, found {kind_of(each)}", where=document.where(place))
        yield place, each


def _node(raw: JsonObject, at: Path) -> JsonObject:
    node: Json = raw
    for step in at.segments:
        node = node[step]  # type: ignore[index]  # the Template was found there
    return node if isinstance(node, dict) else {}


def _parameters(document: Document, template: JsonObject, at: Path) -> Iterator[_Parameter]:
    listed = template.get("parameters")
    for index, each in enumerate(listed if isinstance(listed, list) else ()):
        place = at + path("parameters", index)
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise InputError(f"{place}: expected a parameter with a name", where=document.where(place))
        value = each.get("value")
        if value is not None and not isinstance(value, str):
            what = f"{place / 'value'}: expected a string, found {type_in_words(value)}"
            raise InputError(what, where=document.where(place / "value"), advice="write it in quotes")
        if not value and each.get("generate") == "expression":
            value = _generated(str(each.get("from") or ""))
        yield _Parameter(str(each["name"]), value, each.get("required") is True)


def _generated(expression: str) -> str:
    """A value that matches the expression: of every set its first character."""

    def some(found: Match[str]) -> str:
        first = found[1][:1] if found[1] else _FIRST_OF_CLASS[found[3]]
        if first == "\\":
            first = _FIRST_OF_CLASS.get(found[1][1:2], "a")
        return first * int(found[2] or found[4] or 1)

    return sub(_RANGE, some, expression)


class _Filling:
    """Fills in values; counts what it reads and writes."""

    def __init__(self, document: Document, known: Mapping[str, _Parameter], at: Path) -> None:
        self._document = document
        self._known = known
        self._at = at
        self._read = self._written = 0

    def at_place(self, value: Json, lines: Lines, at: Path) -> tuple[Json, Lines]:
        """The value and its lines, with the objects of the Template at `at` filled in."""
        step = at.segments[0] if at.segments else "objects"
        if isinstance(value, list) and len(value) > _MOST_BESIDE:
            what = f"a Template in a list of more than {_MOST_BESIDE:,} objects"
            raise LimitError(what, where=self._document.where(self._at), advice="keep Templates in files of their own")
        here: Json
        if isinstance(value, dict) and isinstance(step, str):
            here = value.get(step)
        else:
            here = value[step] if isinstance(value, list) and isinstance(step, int) else None
        entry = lines.get(step) if isinstance(step, str | int) else None
        number, inside = entry if isinstance(entry, tuple) else (entry or self._document.first_line, {})
        if at.segments:
            here, inside = self.at_place(here, inside, Path(at.segments[1:]))
        else:
            here, inside = self.value(here, inside)
        changed: Lines = {**lines, step: (number, inside)} if isinstance(step, str | int) else lines
        if isinstance(value, dict) and isinstance(step, str):
            return {**value, step: here} if step in value else value, changed
        if isinstance(value, list) and isinstance(step, int):
            return [*value[:step], here, *value[step + 1 :]], changed
        return value, lines

    def value(self, value: Json, lines: Lines) -> tuple[Json, Lines]:
        """A value of an object, and the lines inside of it."""
        if isinstance(value, str):
            return self._string(value), lines
        if isinstance(value, list):
            items: list[Json] = []
            places: Lines = {}
            for index, item in enumerate(value):
                made, places[index] = self._inside(item, lines.get(index))
                items.append(made)
            return items, places
        if not isinstance(value, dict):
            return value, lines
        fields: JsonObject = {}
        places = {}
        for name, item in value.items():
            made = self._text(name) if "$" in name else name
            fields[made], places[made] = self._inside(item, lines.get(name))
        return fields, places

    def _inside(self, item: Json, entry: int | tuple[int, Lines] | None) -> tuple[Json, int | tuple[int, Lines]]:
        if isinstance(entry, tuple):
            made, inside = self.value(item, entry[1])
            return made, (entry[0], inside)
        made, _ = self.value(item, {})
        return made, entry or self._document.first_line

    def _string(self, text: str) -> Json:
        if "${" not in text:
            return text
        whole = fullmatch(_WHOLE, text)
        known = self._known.get(whole[1]) if whole else None
        if known is None:
            return self._text(text)
        if known.value is None:
            return None
        if known.value.count("[") + known.value.count("{") > _MOST_INSIDE:
            return known.value
        try:
            found: Json = decode(known.value)
        except DecodeError:
            return known.value
        return found

    def _text(self, text: str) -> str:
        made = sub(_REFERENCE, lambda found: self._replacement(found, text), text)
        self._read += len(text)
        self._written += len(made)
        if self._written > _ROOM + _GROWTH * self._read:
            what = f"parameters make it more than {_GROWTH} times as long"
            raise LimitError(what, where=self._document.where(self._at), advice="shorten their values")
        return made

    def _replacement(self, found: Match[str], text: str) -> str:
        known = self._known.get(found[1] or found[2])
        if known is None:
            return found[0]
        return known.alone if found[0] == text else known.within
