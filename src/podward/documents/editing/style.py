"""The style in which a document is written: new parts are written like those that are there.

- A list is indented below its key like the innermost list around it, else like most of the document's lists.
- An object is indented below its key like most of the document's objects.
- If the same field stands elsewhere in the document, it is the example: for quotes, for brackets or braces, and for the
  columns of a list's dashes and items.
- Keys are quoted if nearly all keys of the document are.
- White space, quotes and line breaks in braces and brackets are those of the nearest pair that has entries.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from podward.documents.editing.nodes import Entry, List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from typing import TypeVar

    from podward.documents.editing.source_text import SourceText

    Kind = TypeVar("Kind", bound=Hashable)

_COMMON = 2  # columns
_WORD = pattern("[A-Za-z][A-Za-z-]{3,}")  # a string that needs no quotes
_NEARLY = 0.75


class FlowStyle(Struct, frozen=True):
    """How objects in braces and lists in brackets are written.

    `key_quote` and `quote` are the quotes of keys and strings, empty for none. `unit` is the indentation of one level
    if each entry has a line of its own, None if all entries are on one line. `tight` is whether a list of scalars is on
    one line even then.
    """

    colon: str = ": "
    comma: str = ", "
    pad: str = ""
    key_quote: str = ""
    quote: str = ""
    unit: str | None = None
    tight: bool = True


class ListStyle(Struct, frozen=True):
    """How a list of scalars is written with dashes: columns from its key to a dash, and from a dash to its item."""

    dash: int
    gap: int


class Style(Struct, frozen=True):
    """How a document is written.

    `step` is the columns from a key to an object below it, `dash` those to a list below it. `examples` has a node for
    each field name, `lists` how the lists among these are written. `quote` and `key_quote` are those of most strings
    and keys.
    """

    step: int
    dash: int
    examples: dict[str, Node]
    flow: FlowStyle
    quote: str = ""
    key_quote: str = ""
    lists: dict[str, ListStyle] = {}


def yaml_style(root: Map, source: SourceText) -> Style:
    """How the YAML document `root` is written."""
    steps: list[int] = []
    dashes: list[int] = []
    examples: dict[str, Node] = {}
    flow = FlowStyle()
    quotes: list[str] = []
    key_quotes: list[str] = []
    lists: dict[str, ListStyle] = {}
    for node in _all(root):
        if isinstance(node, Scalar) and isinstance(node.value, str) and _WORD.fullmatch(node.value):
            quotes.append(node.style)
        if isinstance(node, Map):
            for entry in node.entries:
                if isinstance(entry.key, Scalar) and not node.flow and _WORD.fullmatch(entry.name):
                    key_quotes.append(entry.key.style)
                if not _empty(entry.value) and examples.setdefault(entry.name, entry.value) is entry.value:
                    lists.update(_list_style(source, node, entry))
                if not node.flow and isinstance(entry.value, Map | List) and not entry.value.flow:
                    offset = source.column(entry.value.body) - source.column(node.body)
                    (steps if isinstance(entry.value, Map) else dashes).append(offset)
        if isinstance(node, Map | List) and node.flow and flow == FlowStyle():
            flow = replace(flow_style(node, source, flow), unit=None, tight=True)
    if root.flow:
        flow = flow_style(root, source, flow)
    step, dash = _most(steps, _COMMON), _most(dashes, _COMMON)
    return Style(step, dash, examples, flow, _usual_quote(quotes), _usual_quote(key_quotes), lists)


def json_style(root: Map, source: SourceText) -> Style:
    """How the JSON document `root` is written."""
    lists = [node for node in _all(root) if isinstance(node, List) and node.items]
    tight = [source.same_line(node.body, node.end) for node in lists if all(isinstance(i, Scalar) for i in node.items)]
    flow = FlowStyle(key_quote='"', quote='"', tight=_most(tight, otherwise=False))
    for node in reversed(list(_all(root))):
        if isinstance(node, Map | List):
            flow = flow_style(node, source, flow)
    return Style(_COMMON, _COMMON, {}, flow)


def flow_style(node: Map | List, source: SourceText, around: FlowStyle) -> FlowStyle:
    """The style of `node`, which is in braces or brackets; what the node does not show is taken from `around`."""
    spans = _first_spans(node)
    if not spans:
        return around
    first = spans[0][0]
    if source.same_line(node.body, first):
        style = replace(around, unit=None, pad=source.text[node.body + 1 : first])
    else:
        style = replace(around, unit=source.indent(first).removeprefix(source.indent(node.body)) or "  ")
    if len(spans) > 1 and source.same_line(spans[0][1], spans[1][0]):
        gap = source.text[spans[0][1] : spans[1][0]]
        style = replace(style, comma=gap if gap.strip() == "," else style.comma)
    if isinstance(node, List):
        item = node.items[0]
        return replace(style, quote=item.style) if _is_text(item) and isinstance(item, Scalar) else style
    entry = node.entries[0]
    gap = source.text[entry.key.end : entry.value.start]
    if gap in {":", ": ", " : "}:
        style = replace(style, colon=gap)
    if isinstance(entry.key, Scalar):
        style = replace(style, key_quote=entry.key.style)
    texts = (text for text in map(_example, node.entries) if isinstance(text, Scalar) and _is_text(text))
    text = next(texts, None)
    return replace(style, quote=text.style) if text is not None else style


def _first_spans(node: Map | List) -> list[tuple[int, int]]:
    """Where the first two entries begin and end."""
    if isinstance(node, List):
        return [(item.start, item.end) for item in node.items[:2]]
    return [_span(entry) for entry in node.entries[:2]]


def flow_spans(node: Map | List) -> list[tuple[int, int]]:
    """Where each entry of an object in braces or of a list in brackets begins and ends."""
    if isinstance(node, List):
        return [(item.start, item.end) for item in node.items]
    return [_span(entry) for entry in node.entries]


def _span(entry: Entry) -> tuple[int, int]:
    return entry.key.start, max(entry.key.end, entry.value.end)


def _list_style(source: SourceText, node: Map, entry: Entry) -> dict[str, ListStyle]:
    """How the list of scalars in this field is written; empty if it is no such list, or one without an example."""
    written = entry.value
    if node.flow or not isinstance(written, List) or written.flow or not isinstance(written.items[0], Scalar):
        return {}
    dash, item = written.body, written.items[0].start
    offset = source.column(dash) - source.column(node.body)
    if offset < 0 or written.items[0].end == item or not source.same_line(dash, item):
        return {}
    return {entry.name: ListStyle(offset, item - dash)}


def _all(node: Node) -> Iterator[Node]:
    yield node
    for inner in (
        (entry.value for entry in node.entries)
        if isinstance(node, Map)
        else node.items
        if isinstance(node, List)
        else ()
    ):
        yield from _all(inner)


def _example(entry: Entry) -> Node:
    return entry.value.items[0] if isinstance(entry.value, List) and entry.value.items else entry.value


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str) and node.style in {"", '"', "'"}


def _usual_quote(quotes: Sequence[str]) -> str:
    """The quote of nearly all strings that need none; empty if most of these are not quoted."""
    usual = _most(quotes, "")
    return usual if usual in {"'", '"'} and quotes.count(usual) >= _NEARLY * len(quotes) else ""


def _empty(node: Node) -> bool:
    return node.value in (None, {}, [])


def _most(seen: Sequence[Kind], otherwise: Kind) -> Kind:
    """The most frequent value, the first of several; `otherwise` if there is none."""
    return max(dict.fromkeys(seen), key=seen.count, default=otherwise)
