"""An expression in which times that come as texts are read as times.

Ours: the library behind this takes no times inside of lists and maps. They come as texts; wherever the types say that
an expression reads a time out of a value, `timestamp(…)` or `duration(…)` is written around that. Lists of times that
are compared as a whole stay lists of texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from podward.schema.cel.checking import Checked
from podward.schema.cel.source import bare
from podward.schema.cel.syntax import Node, Unreadable, read

_TIMES = frozenset(("timestamp", "duration"))
_NAME = re.compile(r"\s*\w+")


def wrapped(checked: Checked) -> str:
    """The text to be evaluated."""
    text, plain = checked.tree.text, bare(checked.tree.text)
    inserted: list[tuple[int, int, str]] = []
    for node, kind in _reading(checked, checked.tree.root):
        span = _span(node, checked.tree.places, plain)
        if span is not None:
            inserted += [(span[0], -span[1], f"{kind}("), (span[1], 1 << 30, ")")]
    made, done = [], 0
    for at, _, piece in sorted(inserted):
        made += [text[done:at], piece]
        done = at
    whole = "".join([*made, text[done:]])
    return text if isinstance(read(whole), Unreadable) else whole


def _reading(checked: Checked, node: Node) -> Iterator[tuple[Node, str]]:
    """The parts that read a time, each with its kind."""
    kind = checked.types[node.id].kind if node.id in checked.types else ""
    reads = node.kind in {"ident", "select"} or (node.kind == "call" and node.name == "_[_]")
    if reads and kind in _TIMES and not node.test and not node.name.startswith("@"):
        yield node, kind
    for each in (node.target, *node.args):
        if each is not None:
            yield from _reading(checked, each)


def _span(node: Node, places: dict[int, int], plain: str) -> tuple[int, int] | None:
    begin, at = _begin(node, places), places.get(node.id)
    if begin is None or at is None:
        return None
    if node.kind == "call":
        end = _closing(plain, at)
        return None if end is None else (begin, end)
    found = _NAME.match(plain, at + (node.kind == "select"))
    return None if found is None else (begin, found.end())


def _begin(node: Node, places: dict[int, int]) -> int | None:
    """Where the text of a chain begins; None of another expression."""
    while node.kind != "ident":
        inner = node.target if node.kind == "select" else node.args[0] if node.name == "_[_]" else None
        if inner is None:
            return None
        node = inner
    return places.get(node.id)


def _closing(plain: str, at: int) -> int | None:
    depth = 0
    for place in range(at, len(plain)):
        depth += (plain[place] in "[({") - (plain[place] in "])}")
        if not depth:
            return place + 1
    return None
