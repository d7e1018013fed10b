"""Kubernetes' own functions in CEL, gathered from a file for each of its libraries.

A row says a function's name, whether it is a method, the types that it takes and yields, and what it does. Types that
CEL does not have (`IP`, `Quantity` …) are kinds of their own to the compiler; a value of one is bytes, in which
`opaque` writes what it is. IP and CIDR are their text alone, so that CEL's own `string` tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # it has no types

from podward.schema.cel import addresses, authorizing, json_pointers, lists, quantities, semver, urls
from podward.schema.cel.rows import OPAQUE, Function, kind_of

_ROWS: tuple[Function, ...] = (
    *quantities.FUNCTIONS,
    *addresses.FUNCTIONS,
    *urls.FUNCTIONS,
    *json_pointers.FUNCTIONS,
    *lists.FUNCTIONS,
    *semver.FUNCTIONS,
    *authorizing.FUNCTIONS,
)
_KINDS = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bytes": cel.Type.BYTES,
    "dyn": cel.Type.DYN,
    "list": cel.Type.LIST,
    "list(string)": cel.Type.List(cel.Type.STRING),
    "map(string, string)": cel.Type.Map(cel.Type.STRING, cel.Type.STRING),
    "timestamp": cel.Type.TIMESTAMP,
    "map(string, list(string))": cel.Type.Map(cel.Type.STRING, cel.Type.List(cel.Type.STRING)),
}


def checked_type(kind: str) -> Any:  # noqa: ANN401 - the library's own
    """The type of this name to the compiler."""
    return cel.Type.AbstractType(OPAQUE[kind]) if kind in OPAQUE else _KINDS[kind]


def evaluated_type(kind: str) -> Any:  # noqa: ANN401 - the library's own
    """The type of this name where expressions are evaluated."""
    return cel.Type.BYTES if kind in OPAQUE else _KINDS[kind]


@lru_cache(2)
def declared(*, without_lists: bool) -> list[Any]:
    """The functions as the compiler knows them."""
    return [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}_{number}", checked_type(row.yields), [checked_type(kind) for kind in row.takes], row.method
                )
                for number, row in enumerate(rows)
            ],
        )
        for name, rows in _by_name(_known(without_lists=without_lists))
    ]


def constructors(names: Iterable[str]) -> list[Any]:
    """Functions of these names, which make objects of the types of these names of what is in a map."""
    return [
        cel.FunctionDecl(name, [cel.Overload(f"{name}_made", cel.Type.AbstractType(name), [cel.Type.MAP])])
        for name in names
    ]


@lru_cache(2)
def implemented(*, without_lists: bool) -> list[Any]:
    """The functions as they are evaluated: those that take the same bytes look at them to know which is meant."""
    found = []
    for name, rows in _by_name(_known(without_lists=without_lists)):
        same: dict[tuple[bool, tuple[str, ...]], list[Function]] = {}
        for row in rows:
            takes = tuple("bytes" if kind in OPAQUE else kind for kind in row.takes)
            same.setdefault((row.method, takes), []).append(row)
        overloads = [
            cel.Overload(
                f"{name}_{number}",
                evaluated_type(alike[0].yields),
                [_KINDS[kind] for kind in takes],
                method,
                impl=_chosen(name, tuple(alike)),
            )
            for number, ((method, takes), alike) in enumerate(same.items())
        ]
        found.append(cel.FunctionDecl(name, overloads))
    return found


def _known(*, without_lists: bool) -> Iterable[Function]:
    return (row for row in _ROWS if not (without_lists and any(kind.startswith("list") for kind in row.takes)))


def _by_name(rows: Iterable[Function]) -> Iterable[tuple[str, list[Function]]]:
    found: dict[str, list[Function]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row)
    return found.items()


def _chosen(name: str, rows: tuple[Function, ...]) -> Callable[..., Any]:
    """What the row does whose types the arguments have."""

    def call(*arguments: Any) -> Any:  # noqa: ANN401 - what CEL hands over
        given = [bytes(each) if isinstance(each, bytearray) else each for each in arguments]
        for row in rows:
            if all(kind not in OPAQUE or kind_of(value) == kind for kind, value in zip(row.takes, given, strict=True)):
                return row.does(*given)
        raise ValueError(f"no such overload: {name}")

    return call
