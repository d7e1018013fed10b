"""Whether a document has only the fields that its kind has, each of the right type.

Specification: the API server's strict field validation (kubectl's default): a field that the kind doesn't have is an
error, `unknown field "spec.containers[0].foo"`, and all of them are reported; names are case-sensitive; null is as if
the field were absent; each scalar decodes as Go's type decodes (`schema.scalars`). The fields of each kind are in
`schema.table`. A kind that is not in the table is not checked. The items of a list are checked each by its own kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import kind_of, type_in_words
from podward.errors import InputError
from podward.path import Key, Path
from podward.schema import misplaced
from podward.schema.fit import fits
from podward.schema.objects import everything_in
from podward.schema.scalars import SCALARS
from podward.schema.table import KINDS, TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.document import Document
    from podward.schema.objects import Item

_MOST_REPORTED = 20
_CONTENTS = frozenset(("data", "stringData", "binaryData"))
"""The fields of Secrets and ConfigMaps that hold their values."""


class Mistake(Struct, frozen=True):
    """A field that does not fit: its place, what is wrong, and advice.

    `unknown`: the type has no such field.
    """

    path: Path
    what: str
    advice: str = ""
    unknown: bool = False


class MisfitError(InputError):
    """Fields of a document do not fit: each `Mistake`, at its place in `document`."""

    def __init__(self, document: Document, found: Sequence[Mistake]) -> None:
        first = found[0]
        if len(found) == 1:
            what, advice = first.what, first.advice
        else:
            lines = [_line(document, mistake) for mistake in found[:_MOST_REPORTED]]
            if len(found) > _MOST_REPORTED:
                lines.append(f"and {len(found) - _MOST_REPORTED} more")
            what, advice = f"{len(found)} fields do not fit:\n  " + "\n  ".join(lines), ""
        super().__init__(what, where=document.where(first.path), advice=advice)
        self.document = document
        self.mistakes = tuple(found)


def _line(document: Document, mistake: Mistake) -> str:
    """One of several mistakes, with the advice that is its own."""
    advice = f" ({mistake.advice})" if mistake.advice else ""
    return f"{document.where(mistake.path)}: {mistake.what}{advice}"


def mistakes(document: Document) -> tuple[Mistake, ...]:
    """All that does not fit in `document`; unknown fields print relative to the object that they are in."""
    found: list[Mistake] = []
    for item, holds in everything_in(document):
        _object(item, holds, found)
    return tuple(found)


def require(document: Document) -> None:
    """Raise MisfitError, naming every mistake with its line, if there is any."""
    require_fit(everything_in(document))


def require_fit(every: Iterable[tuple[Item, bool]]) -> None:
    """The same for a document that `everything_in` has taken apart."""
    found: list[Mistake] = []
    written = None
    for item, holds in every:
        name = type_of(item.api_version, item.kind)
        if name is not None and (holds or not fits(item.raw, name)):
            before = len(found)
            _object(item, holds, found)
            if len(found) > before:
                written = item.document
    if written is not None:
        raise MisfitError(written, found)


def require_template(
    document: Document, template: JsonObject, at: Path, more: tuple[str, ...] | None, *, alone: bool
) -> None:
    """Raise MisfitError for what does not fit in a custom resource's template of a Pod.

    `more` are the fields beside those of a Pod's spec, None where nobody knows them. `alone`: what stands at `at` is
    the spec itself.
    """
    found: list[Mistake] = []
    spec = template.get("spec")
    place = at.segments if alone else (*at.segments, "spec")
    walk = _Walk(len(at.segments), found)
    if isinstance(spec, dict):
        own = {name: value for name, value in spec.items() if name not in (more or ())}
        walk.fields(own, TYPES["PodSpec"], place)
    elif spec is not None:
        walk.wrong(spec, "an object", place)
    metadata = None if alone else template.get("metadata")
    if isinstance(metadata, dict):
        walk.fields(metadata, TYPES["ObjectMeta"], (*at.segments, "metadata"))
    elif metadata is not None:
        walk.wrong(metadata, "an object", (*at.segments, "metadata"))
    kept = found if more is not None else [mistake for mistake in found if not mistake.unknown]
    if kept:
        raise MisfitError(document, kept)


def require_pod(document: Document) -> None:
    """Raise MisfitError for values of the wrong type in a Pod that was put together; fields that a Pod lacks may be."""
    found = [mistake for mistake in mistakes(document) if not mistake.unknown]
    if found:
        raise MisfitError(document, found)


def type_of(api_version: Json, kind: Json) -> str | None:
    """The name in `schema.table.TYPES` of such an object; None if it isn't there."""
    if not isinstance(kind, str) or not isinstance(api_version, str):
        return None
    return KINDS.get(kind, {}).get(api_version)


def _object(item: Item, holds: bool, found: list[Mistake]) -> None:  # noqa: FBT001  # what `everything_in` says of it
    """An object's own fields; what a list `holds` comes by itself."""
    name = type_of(item.api_version, item.kind)
    if name is None:
        return
    types, raw = TYPES[name], item.raw
    if holds and isinstance(raw.get("items"), list):
        raw = {field: value for field, value in raw.items() if field != "items" or field not in types}
    _Walk(len(item.at.segments), found).fields(raw, types, item.at.segments)


class _Walk:
    """One object: collects in `found`; `_root` is how many steps of a path lead to the object itself."""

    __slots__ = ("_found", "_root")

    def __init__(self, root: int, found: list[Mistake]) -> None:
        self._root = root
        self._found = found

    def fields(self, value: JsonObject, types: dict[str, str], at: tuple[str | int | Key, ...]) -> None:
        """Note what does not fit in an object of these fields."""
        for name, item in value.items():
            code = types.get(name)
            if code is None:
                self._unknown(name, types, at)
            elif item is None:
                continue
            elif (scalar := SCALARS.get(code)) is not None:
                if not scalar[0](item):
                    self.wrong(item, scalar[1], (*at, name))
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
                self.wrong(value, "a list", at)
        elif (scalar := SCALARS.get(code)) is not None:
            if not scalar[0](value):
                self.wrong(value, scalar[1], at)
        elif not isinstance(value, dict):
            self.wrong(value, "an object", at)
        elif code[0] == "{":
            for name, item in value.items():
                self._inside(item, code[1:], (*at, Key(name)))
        else:
            self.fields(value, TYPES[code], at)

    def _unknown(self, name: str, types: dict[str, str], at: tuple[str | int | Key, ...]) -> None:
        printed = str(Path((*at[self._root :], name)))
        advice = misplaced.advice(Path(at[self._root :]), name) or _similar(name, types)
        self._found.append(Mistake(Path((*at, name)), f'unknown field "{printed}"', advice, unknown=True))

    def wrong(self, value: Json, expected: str, at: tuple[str | int | Key, ...]) -> None:
        """Note a value of another type than expected."""
        printed = str(Path(at[self._root :]))
        advice = ""
        if isinstance(value, str) and expected in {"true or false", "a 32-bit integer", "a 64-bit integer"}:
            advice = "write it without quotes"
        elif expected == "a string" and not isinstance(value, dict | list):
            advice = "write it in quotes"
        found = type_in_words(value) if _may_be_secret(at[self._root :]) else kind_of(value)
        self._found.append(Mistake(Path(at), f"{printed}: expected {expected}, found {found}", advice))


def _may_be_secret(steps: tuple[str | int | Key, ...]) -> bool:
    """Whether what stands there is a value of a Secret, a ConfigMap or a variable: no message repeats one."""
    return steps[0] in _CONTENTS or (steps[-3:-2] == ("env",) and steps[-1] == "value")


def _similar(name: str, types: dict[str, str]) -> str:
    """Advice that names the field that was probably meant."""
    lowered = name.lower()
    for known in types:
        if known.lower() == lowered:
            return f"did you mean {known}?"
    from difflib import get_close_matches

    close = get_close_matches(name, types, 1)
    return f"did you mean {close[0]}?" if close else ""
