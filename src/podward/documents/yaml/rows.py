"""Reading one row of a YAML document, without the rows around it: the plain subset of YAML that tools write.

Specification: YAML 1.1 as libyaml reads it. A row is in the subset if libyaml can read it in one way only, whatever
the other rows are, provided that `fast` finds it where a key or a list's item may stand. Such rows are:
- blank, or a comment;
- `key: value`, `key:`, `- value`, `- key: value` or `- key:`, with a comment after it or none. A key is a short word
  or quoted; a value is plain, quoted, a simple flow collection (`[]`, `{}`, `["sh", "-c"]`, `{add: [NET_ADMIN]}`), or
  the head of a literal block (`|`, `|-`, `|+`). `scalars` decides what a value means, as for every other reader.
The row has printable characters only: no tab, no carriage return, nothing that breaks lines or that libyaml refuses.

Everything else (anchors, aliases, tags, merge keys, folded blocks, values over several rows, `? `, `- - `) is outside
of the subset: `composer` reads such documents. Rows repeat themselves within and across manifests, so rows that were
read are remembered.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING, TypeAlias

from podward.documents.parsed_value import OutsideSubsetError
from podward.documents.yaml import scalars
from podward.documents.yaml.flow import flow_collection, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import Json

SCALAR, OPEN, FLOW, LITERAL = None, 1, 2, 3
"""The kinds of values: a scalar on the row; one that is below the row, or null; a flow collection; a literal block."""

NO_KEY = ""
"""The key of a row that has none: no other is empty."""

Row: TypeAlias = "tuple[int, int | None, str, Json, int | None]"
"""A row: its level, its inner level, its key, its value, and the kind of the value.

The level is twice the column of a key, or twice the column of a dash plus 1: so a list is deeper than a key in the same
column. The inner level is that of the key after a dash, None if the row has no dash or no key after it. The level is -1
for blank rows and comments. The value of a literal block is its chomping: ``, `-` or `+`.
"""


class Rows(dict[str, Row]):
    """All rows that were read so far, by their text. Looking up a new row reads it. Raises OutsideSubsetError."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        super().__init__()
        self._heads: dict[str, tuple[int, int | None, str]] = {}

    def __missing__(self, row: str) -> Row:
        head, colon, rest = row.partition(": ")
        if not row.isprintable():
            raise OutsideSubsetError
        place = self._heads.get(head) if colon else None
        if place is None:
            found = self._unknown(row, head, colon, rest)
        elif rest[:1] in _LETTERS and " " not in rest and rest[-1] != ":":
            found = (*place, _WORDS.get(rest, rest), SCALAR)  # what most rows have: `_value` would say the same
        elif rest[:1] == '"' and rest[-1] == '"' and rest.count('"') == 2 and "\\" not in rest:
            found = (*place, rest[1:-1], SCALAR)
        else:
            found = place + _value(rest.strip(" "), _NULL)
        if len(row) <= _LONG:
            if len(self) >= _MOST:
                self.clear()
            self[row] = found
        return found

    def _unknown(self, row: str, head: str, colon: str, rest: str) -> Row:
        """Read a row whose key has not been seen at this column before."""
        text = row.lstrip(" ")
        if not text or text[0] == "#":
            return _NOTHING
        if not colon:
            bare = row.rstrip(" ")
            if bare[-1] == ":":
                head, colon = bare[:-1], ":"
        found = _HEAD.fullmatch(head) if colon else None
        if found is None:
            return _item(row, text)
        if len(self._heads) >= _MOST:
            self._heads.clear()
        place = self._heads[head] = _place(*found.groups())
        return place + _value(rest.strip(" "), _NULL)


def _place(indent: str, dash: str | None, quoted: str | None, plain: str | None) -> tuple[int, int | None, str]:
    """The level, the inner level, and the key as Kubernetes reads it."""
    if quoted is not None:
        key = quoted[1:-1]
    else:
        try:
            key = scalars.key(scalars.plain(plain or ""), plain or "")
        except scalars.ScalarError:
            raise OutsideSubsetError from None
    level = 2 * len(indent)
    return (level + 1, level + 2 * len(dash), key) if dash else (level, None, key)


def _item(row: str, text: str) -> Row:
    if text[:2] != "- ":
        raise OutsideSubsetError
    return (2 * (len(row) - len(text)) + 1, None, NO_KEY, *_value(text[2:].strip(" "), None))


def _value(text: str, nothing: tuple[None, int | None] | None) -> tuple[Json, int | None]:
    """The value in `text` and its kind; `nothing` if there is no value, which is an error if `nothing` is None."""
    first = text[:1]
    if first not in _INDICATORS:
        return _plain(text), SCALAR
    if first in _READERS:
        return _READERS[first](text)
    if nothing is not None and first in {"", "#"}:
        return nothing
    raise OutsideSubsetError


def _in_double_quotes(text: str) -> tuple[str, int | None]:
    if text[-1] == '"' and text.count('"') == 2 and "\\" not in text:
        return text[1:-1], SCALAR
    found = _DOUBLE.fullmatch(text)
    if found is None:
        raise OutsideSubsetError
    return unescaped(found[1]), SCALAR


def _in_single_quotes(text: str) -> tuple[str, int | None]:
    found = _SINGLE.fullmatch(text)
    if found is None:
        raise OutsideSubsetError
    return found[1].replace("''", "'"), SCALAR


def _in_flow(text: str) -> tuple[Json, int | None]:
    return flow_collection(text), FLOW


def _head_of_literal(text: str) -> tuple[str, int | None]:
    if text not in _LITERALS:
        raise OutsideSubsetError
    return text[1:], LITERAL


def _after_dash(text: str) -> tuple[Json, int | None]:
    if text[1:2] in {"", " "}:
        raise OutsideSubsetError
    return _plain(text), SCALAR


def _plain(text: str) -> Json:
    if " #" in text:
        text = text[: text.index(" #")].rstrip(" ")
    if text[-1] == ":" or ": " in text:
        raise OutsideSubsetError
    try:
        return scalars.plain(text)
    except scalars.ScalarError:
        raise OutsideSubsetError from None


_LONG = 300  # characters: longer rows are not remembered
_MOST = 100_000  # rows that are remembered, so at most some 40 MB
_NOTHING: Row = (-1, None, NO_KEY, None, SCALAR)
_NULL = (None, OPEN)
_LITERALS = frozenset(("|", "|-", "|+"))
_INDICATORS = frozenset(("", *"-?:,[]{}#&*!|>'\"%@` "))
_WORDS = scalars.WORDS
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_READERS: dict[str, Callable[[str], tuple[Json, int | None]]] = {
    '"': _in_double_quotes,
    "'": _in_single_quotes,
    "[": _in_flow,
    "{": _in_flow,
    "|": _head_of_literal,
    "-": _after_dash,
}
# libyaml takes a key of at most 1,024 characters.
_HEAD = pattern(r"""( *)(- +)?(?:("[^"\\]{1,200}"|'[^'\\]{1,200}')|([A-Za-z0-9_./$][A-Za-z0-9_./$-]{0,200}))""")
_DOUBLE = pattern(r'"((?:[^"\\]|\\["\\nt])*)"(?: +#.*)?')
_SINGLE = pattern(r"'((?:[^']|'')*)'(?: +#.*)?")
