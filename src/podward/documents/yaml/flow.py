"""Reading flow collections that stand on one row: `[]`, `{}`, `["sh", "-c"]`, `{add: [NET_ADMIN], drop: [ALL]}`.

Specification: YAML 1.1 as libyaml reads it, limited to an unambiguous part: plain scalars of letters, digits and a few
signs, quoted scalars with the commonest escapes, no empty entries, no comma at the end.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from podward.documents.parsed_value import OutsideSubsetError
from podward.documents.yaml import scalars

if TYPE_CHECKING:
    from podward.api.json_value import Json
    from podward.documents.parsed_value import Lines


def flow_collection(text: str) -> Json:
    """The list or the object in `text`; a comment may follow it. Raises OutsideSubsetError."""
    value, at = _collection(text, 0, 1)
    if at != len(text) and not _COMMENT.fullmatch(text, at):
        raise OutsideSubsetError
    return value


def flow_lines(value: Json, line: int) -> Lines:
    """The lines inside of a flow collection: all of it is on this one line."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {key: (line, flow_lines(item, line)) if isinstance(item, dict | list) else line for key, item in entries}


def unescaped(text: str) -> str:
    r"""The string that is written between double quotes; its only escapes are `\"`, `\\`, `\n` and `\t`."""
    return _ESCAPE.sub(lambda escape: _ESCAPES[escape[0][1]], text) if "\\" in text else text


def _collection(text: str, at: int, depth: int) -> tuple[Json, int]:
    """The collection that begins at `at`, and where it ends."""
    if depth > _MAX_DEPTH:
        raise OutsideSubsetError
    items: list[Json] = []
    fields: dict[str, Json] = {}
    listing = text[at] == "["
    close = "]" if listing else "}"
    at = _past_spaces(text, at + 1)
    if text[at : at + 1] == close:
        return items if listing else fields, at + 1
    while True:
        name = None
        if not listing:
            name, at = _key(text, at)
            if name in fields:
                raise OutsideSubsetError
        if text[at : at + 1] in _OPENINGS:
            value, at = _collection(text, at, depth + 1)
        else:
            value, _, at = _scalar(text, at)
        if name is None:
            items.append(value)
        else:
            fields[name] = value
        at = _past_spaces(text, at)
        if text[at : at + 1] == close:
            return items if listing else fields, at + 1
        if text[at : at + 1] != ",":
            raise OutsideSubsetError
        at = _past_spaces(text, at + 1)


def _key(text: str, at: int) -> tuple[str, int]:
    value, written, at = _scalar(text, at)
    if text[at : at + 2] != ": " or len(written) > _LONGEST_KEY:
        raise OutsideSubsetError
    try:
        return scalars.key(value, written), _past_spaces(text, at + 1)
    except scalars.ScalarError:
        raise OutsideSubsetError from None


def _scalar(text: str, at: int) -> tuple[scalars.Scalar, str, int]:
    """A scalar's value, how it is written, and where it ends."""
    found = _SCALAR.match(text, at)
    if found is None:
        raise OutsideSubsetError
    written = found[found.lastindex or 0]
    if found.lastindex == _DOUBLE:
        return unescaped(written), written, found.end()
    if found.lastindex == _SINGLE:
        return written.replace("''", "'"), written, found.end()
    try:
        return scalars.plain(written), written, found.end()
    except scalars.ScalarError:
        raise OutsideSubsetError from None


def _past_spaces(text: str, at: int) -> int:
    while text.startswith(" ", at):
        at += 1
    return at


_MAX_DEPTH = 5
_LONGEST_KEY = 200  # libyaml takes 1,024 characters
_OPENINGS = frozenset("[{")
_DOUBLE, _SINGLE = 1, 2
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_ESCAPE = pattern(r"\\.")
_COMMENT = pattern(" +#.*")
_SCALAR = pattern(
    r""""((?:[^"\\]|\\["\\nt])*)"|'((?:[^']|'')*)'|((?:[A-Za-z0-9_./]|-(?=[A-Za-z0-9_./-]))"""
    r"""(?:[A-Za-z0-9_./@+=$()*%~-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9_./]))*)"""
)
