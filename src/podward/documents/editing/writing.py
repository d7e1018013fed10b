"""Writing values as YAML or JSON text.

A string is written without quotes if Kubernetes and other readers of YAML 1.1 and 1.2 take it for a string, else in
double quotes. If the example has quotes, these are used. A string of several lines becomes a literal block if possible.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar
from podward.documents.editing.style import FlowStyle, Style
from podward.documents.yaml import scalars

if TYPE_CHECKING:
    from podward.api.json_value import Json

_PLAIN = pattern(r"[A-Za-z0-9_/.$(][A-Za-z0-9_/.$()@%+=:~^-]*(?: [A-Za-z0-9_/.$()+=~^-][A-Za-z0-9_/.$()@%+=:~^-]*)*")
_LIKE_NUMBER = pattern(r"[-+.]?[0-9][-+0-9_.:eExXoOa-fA-F]*")  # base 60, dates, numbers of YAML 1.2
_COUSINS = {"add": "drop", "drop": "add"}  # fields that are written alike
_WORDS = {None: "null", True: "true", False: "false"}
_OCTAL = pattern(r"0o?[0-7]+")
_ESCAPES = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}


def scalar_text(value: Json, quote: str = "") -> str:
    """A scalar, an empty object or an empty list as text; a string is in the quotes `quote` if they can hold it."""
    if isinstance(value, str):
        if quote == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        if not quote and _is_plain(value):
            return value
        return '"' + "".join(map(_escaped, value)) + '"'
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    return _WORDS[value] if value is None or isinstance(value, bool) else repr(value)


def scalar_like(old: Scalar, written: str, value: Json) -> str:
    """A scalar in the style (quotes or octal digits) of the scalar that it replaces, whose text is `written`."""
    if isinstance(value, str):
        return scalar_text(value, old.style if old.style in {'"', "'"} else "")
    if type(value) is int and value >= 0 and not old.style and _OCTAL.fullmatch(written):
        return f"{'0o' if 'o' in written else '0'}{value:o}"
    return scalar_text(value)


def flow_text(value: Json, style: FlowStyle, indent: str = "") -> str:
    """A value as text in braces or brackets; `indent` is the indentation of the line on which it begins."""
    if not isinstance(value, dict | list) or not value:
        return scalar_text(value, style.quote)
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    unit = style.unit
    if isinstance(value, list) and style.tight and not any(isinstance(item, dict | list) for item in value):
        unit = None
    inner = FlowStyle(style.colon, style.comma, style.pad, style.key_quote, style.quote, unit, style.tight)
    deeper = indent + (unit or "")
    parts = (
        [flow_entry(name, item, inner, deeper) for name, item in value.items()]
        if isinstance(value, dict)
        else [flow_text(item, inner, deeper) for item in value]
    )
    if unit is None:
        return f"{opening}{style.pad}{style.comma.join(parts)}{style.pad}{closing}"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"


def flow_entry(name: str, value: Json, style: FlowStyle, indent: str = "") -> str:
    """A field of an object in braces as text."""
    return f"{scalar_text(name, style.key_quote)}{style.colon}{flow_text(value, style, indent)}"


class BlockWriter:
    """Writes values as lines, without line breaks. `dash` is how many columns a list is indented below its key."""

    __slots__ = ("_dash", "style")

    def __init__(self, style: Style, dash: int) -> None:
        self.style = style
        self._dash = dash

    def lines(self, value: Json, column: int, quote: str = "") -> list[str]:
        """The lines of an object or a list that is not empty, whose keys or dashes stand at `column`.

        `quote` is for the list's strings.
        """
        if isinstance(value, dict):
            return [line for name, item in value.items() for line in self.entry(name, item, column)]
        items = value if isinstance(value, list) else []
        return [line for item in items for line in self.item(item, column, quote=quote)]

    def entry(self, name: str, value: Json, column: int) -> list[str]:
        """The lines of a field."""
        start = " " * column + scalar_text(name, self.style.key_quote) + ":"
        inline = self.inline(name, value)
        if inline is not None:
            return [f"{start} {inline}"]
        if isinstance(value, str):
            return self.literal(value, column, f"{start} ")
        return [start, *self.below(name, value, column)]

    def below(self, name: str, value: Json, column: int) -> list[str]:
        """The lines of an object or a list that is not empty, to follow its key `name`, which is at `column`.

        A list of scalars is written like the document's other lists of that name.
        """
        style = self.style.lists.get(name) or self.style.lists.get(_COUSINS.get(name, ""))
        if style is None or not isinstance(value, list) or any(isinstance(item, dict | list) for item in value):
            return self.lines(value, self.inside(value, column))
        example = self._example(name)
        quote = quote_of(example.items[0]) if isinstance(example, List) else ""
        return [line for item in value for line in self.item(item, column + style.dash, style.gap, quote)]

    def item(self, value: Json, column: int, gap: int = 2, quote: str = "") -> list[str]:
        """The lines of a list's item, whose value begins `gap` columns after its dash."""
        start = " " * column + "-".ljust(gap)
        if isinstance(value, str) and quote:
            return [start + scalar_text(value, quote)]
        inline = self.inline("", value)
        if inline is not None:
            return [start + inline]
        if isinstance(value, str):
            return self.literal(value, column, start)
        lines = self.lines(value, column + gap)
        return [start + lines[0][column + gap :], *lines[1:]]

    def literal(self, value: str, column: int, start: str = "") -> list[str]:
        """A string of several lines as a literal block that follows `start`, which is at `column`."""
        header, *lines = _literal(value)
        return [start + header, *(" " * (column + self.style.step) + line if line else "" for line in lines)]

    def inside(self, value: Json, column: int) -> int:
        """The column of an object or a list below a key at `column`."""
        return column + (self.style.step if isinstance(value, dict) else self._dash)

    def inline(self, name: str, value: Json) -> str | None:
        """The value of the field `name` as text on the key's line; None if the value needs lines of its own."""
        example = self._example(name)
        if isinstance(value, dict | list) and value:
            alike = List if isinstance(value, list) else Map
            if not isinstance(example, alike) or not example.flow:
                return None
            first = example.items[0] if isinstance(example, List) else example.entries[0].value
            return flow_text(value, _with_quote(self.style.flow, first))
        if isinstance(value, str) and _literal(value):
            return None
        return scalar_text(value, quote_of(example) if example else self.style.quote)

    def _example(self, name: str) -> Node | None:
        return self.style.examples.get(name) or self.style.examples.get(_COUSINS.get(name, ""))


def quote_of(node: Node | None) -> str:
    """The quotes that a string is written in, empty for none."""
    quoted = isinstance(node, Scalar) and isinstance(node.value, str) and node.style in {'"', "'"}
    return node.style if quoted and isinstance(node, Scalar) else ""


def _with_quote(style: FlowStyle, first: Node) -> FlowStyle:
    quote = style.quote if isinstance(first, Alias | Map | List) else quote_of(first)
    return FlowStyle(style.colon, style.comma, style.pad, style.key_quote, quote)


def _literal(value: str) -> list[str]:
    """The header and the lines of a literal block; empty if the string has one line or cannot be written so."""
    body = value.removesuffix("\n")
    lines = body.split("\n")
    clean = all(line.isprintable() and line == line.rstrip() for line in lines)
    if "\n" not in body or not clean or not lines[0] or lines[0][0] == " " or not lines[-1]:
        return []
    return ["|" if value.endswith("\n") else "|-", *lines]


def _is_plain(text: str) -> bool:
    if _PLAIN.fullmatch(text) is None or text[-1] == ":" or ": " in text or _LIKE_NUMBER.fullmatch(text):
        return False
    try:
        return scalars.plain(text) == text
    except scalars.ScalarError:
        return False


def _escaped(char: str) -> str:
    """A character as it stands in double quotes, in YAML and in JSON."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    return char if char.isprintable() or ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
