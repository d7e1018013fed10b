"""Lists and sets in CEL: `[3, 1].isSorted()`, `sets.contains([1, 2], [1])`.

Specification: k8s.io/apiserver pkg/cel/library/lists.go, cel-go ext/sets.go and ext/lists.go. Lists have no
`indexOf`, as the library lets nobody add to the one of texts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from podward.schema.cel.rows import Function

_MOST = 10_000  # items of a range


def _least(items: list[Any]) -> Any:  # noqa: ANN401 - of what the list is
    if not items:
        raise ValueError("min called on empty list")
    return min(items)


def _most(items: list[Any]) -> Any:  # noqa: ANN401 - of what the list is
    if not items:
        raise ValueError("max called on empty list")
    return max(items)


def _sum(items: list[Any]) -> Any:  # noqa: ANN401 - of what the list is
    total = items[0] if items else 0
    for item in items[1:]:
        total += item
    return total


def _first(items: list[Any], wanted: Any) -> int:  # noqa: ANN401 - of what the list is
    return next((index for index, item in enumerate(items) if _same(item, wanted)), -1)


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401 - of what the list is
    """CEL's equality: no truth value is a number."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _contains(items: list[Any], others: list[Any]) -> bool:
    return all(_first(items, other) >= 0 for other in others)


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(items):
        raise ValueError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if _first(found, item) < 0:
            found.append(item)
    return found


def _range(count: int) -> list[int]:
    if count > _MOST:
        raise ValueError(f"lists.range() of more than {_MOST} items")
    return list(range(count))


FUNCTIONS = (
    Function("isSorted", ("list",), "bool", lambda items: all(a <= b for a, b in pairwise(items))),
    Function("sum", ("list",), "dyn", _sum),
    Function("min", ("list",), "dyn", _least),
    Function("max", ("list",), "dyn", _most),
    Function("slice", ("list", "int", "int"), "list", _slice),
    Function("distinct", ("list",), "list", _distinct),
    Function("sort", ("list",), "list", sorted),
    Function("lists.range", ("int",), "list", _range, method=False),
    Function("sets.contains", ("list", "list"), "bool", _contains, method=False),
    Function(
        "sets.equivalent",
        ("list", "list"),
        "bool",
        lambda one, other: _contains(one, other) and _contains(other, one),
        method=False,
    ),
    Function(
        "sets.intersects",
        ("list", "list"),
        "bool",
        lambda one, other: any(_first(one, each) >= 0 for each in other),
        method=False,
    ),
)
