"""How a document's author writes: what is new is written as what is there.

- Lists: as far inside their key as the innermost list around the place, else as most of the document's lists.
- Objects: as far inside their key as most of the document's objects.
- A field that stands elsewhere in the document is the example for the same field here: its quotes, whether its list or
  object stands in brackets, and where a list's dashes and items stand.
- Keys: in quotes where nearly all keys of the document are.
- In braces and brackets: white space, quotes and one entry per line as in the nearest pair that has entries.
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

    from podward.documents.editing.page import Page

    Kind = TypeVar("Kind", bound=Hashable)

_COMMON = 2  # columns
_WORD = pattern("[A-Za-z][A-Za-z-]{3,}")  # a string that needs no quotes
_NEARLY = 0.75


class FlowStyle(Struct, frozen=True):
    """How objects in braces and lists in brackets are written.

    `key_quote` and `quote` are the quotes of keys and strings, empty for none. `unit` is one level's indentation where
    each entry stands on a line of its own, None where all stand on one line; `tight` whether a list of scalars stands
    on one line even then.
    """

    colon: str = ": "
    comma: str = ", "
    pad: str = ""
    key_quote: str = ""
    quote: str = ""
    unit: str | None = None
    tight: bool = True


class ListStyle(Struct, frozen=True):
    """How a list of scalars is written with dashes: the columns from its key to these, and from these to its items."""

    dash: int
    gap: int


class Style(Struct, frozen=True):
    """How a document is written.

    `step` and `dash` are the columns from a key to the object or the list inside; `lists` is how the lists of the
    `examples` are written; `quote` is that of most strings, `key_quote` that of most keys.
    """

    step: int
    dash: int
    examples: dict[str, Node]
    flow: FlowStyle
    quote: str = ""
    key_quote: str = ""
    lists: dict[str, ListStyle] = {}


def yaml_style(root: Map, page: Page) -> Style:
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
                    lists.update(_list_style(page, node, entry))
                if not node.flow and isinstance(entry.value, Map | List) and not entry.value.flow:
                    offset = page.column(entry.value.body) - page.column(node.body)
                    (steps if isinstance(entry.value, Map) else dashes).append(offset)
        if isinstance(node, Map | List) and node.flow and flow == FlowStyle():
            flow = replace(flow_style(node, page, flow), unit=None, tight=True)
    if root.flow:
        flow = flow_style(root, page, flow)
    step, dash = _most(steps, _COMMON), _most(dashes, _COMMON)
    return Style(step, dash, examples, flow, _habit(quotes), _habit(key_quotes), lists)


def json_style(root: Map, page: Page) -> Style:
    """How the JSON document `root` is written."""
    lists = [node for node in _all(root) if isinstance(node, List) and node.items]
    tight = [page.same_line(node.body, node.end) for node in lists if all(isinstance(i, Scalar) for i in node.items)]
    flow = FlowStyle(key_quote='"', quote='"', tight=_most(tight, otherwise=False))
    for node in reversed(list(_all(root))):
        if isinstance(node, Map | List):
            flow = flow_style(node, page, flow)
    return Style(_COMMON, _COMMON, {}, flow)


def flow_style(node: Map | List, page: Page, around: FlowStyle) -> FlowStyle:
    """How `node`, in braces or brackets, is written; what it does not show is as `around` it."""
    spans = flow_spans(node)
    if not spans:
        return around
    first = spans[0][0]
    if page.same_line(node.body, first):
        style = replace(around, unit=None, pad=page.text[node.body + 1 : first])
    else:
        style = replace(around, unit=page.indent(first).removeprefix(page.indent(node.body)) or "  ")
    if len(spans) > 1 and page.same_line(spans[0][1], spans[1][0]):
        gap = page.text[spans[0][1] : spans[1][0]]
        style = replace(style, comma=gap if gap.strip() == "," else style.comma)
    if isinstance(node, List):
        item = node.items[0]
        return replace(style, quote=item.style) if _is_text(item) and isinstance(item, Scalar) else style
    entry = node.entries[0]
    gap = page.text[entry.key.end : entry.value.start]
    if gap in {":", ": ", " : "}:
        style = replace(style, colon=gap)
    if isinstance(entry.key, Scalar):
        style = replace(style, key_quote=entry.key.style)
    texts = [text for text in map(_example, node.entries) if isinstance(text, Scalar) and _is_text(text)]
    return replace(style, quote=texts[0].style) if texts else style


def flow_spans(node: Map | List) -> list[tuple[int, int]]:
    """From where to where each entry of an object in braces or a list in brackets is written."""
    if isinstance(node, List):
        return [(item.start, item.end) for item in node.items]
    return [(entry.key.start, max(entry.key.end, entry.value.end)) for entry in node.entries]


def _list_style(page: Page, node: Map, entry: Entry) -> dict[str, ListStyle]:
    """How the list of scalars in this field is written; nothing where it is none, or one that tells nothing."""
    written = entry.value
    if node.flow or not isinstance(written, List) or written.flow or not isinstance(written.items[0], Scalar):
        return {}
    dash, item = written.body, written.items[0].start
    offset = page.column(dash) - page.column(node.body)
    if offset < 0 or written.items[0].end == item or not page.same_line(dash, item):
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


def _habit(quotes: Sequence[str]) -> str:
    """The quotes that stand even where none are needed, nearly always; else empty."""
    usual = _most(quotes, "")
    return usual if usual in {"'", '"'} and quotes.count(usual) >= _NEARLY * len(quotes) else ""


def _empty(node: Node) -> bool:
    return node.value in (None, {}, [])


def _most(seen: Sequence[Kind], otherwise: Kind) -> Kind:
    """The most frequent, the first of them where several are; `otherwise` of none."""
    return max(dict.fromkeys(seen), key=seen.count, default=otherwise)
