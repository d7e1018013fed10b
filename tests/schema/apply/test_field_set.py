"""Sets of fields: their algebra, and the form in which they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.schema.apply.field_set import (
    FieldSet,
    as_json,
    decoded,
    difference,
    intersection,
    is_field,
    of_paths,
    paths,
    recursive_difference,
    union,
)

NAMES = st.sampled_from("abc")
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(tuple), max_size=8).map(set)


def members(found: FieldSet, prefix: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    mine: set[tuple[str, ...]] = set()
    for step, node in found.items():
        if step != ".":
            path = (*prefix, step[2:])
            mine |= members(node, path) | ({path} if is_field(node) else set())
    return mine


@given(PATHS, PATHS)
def test_the_algebra_is_that_of_sets_of_paths(one: set[tuple[str, ...]], other: set[tuple[str, ...]]) -> None:
    left, right = of_paths(*one), of_paths(*other)
    assert members(union(left, right)) == one | other
    assert members(intersection(left, right)) == one & other
    assert members(difference(left, right)) == one - other
    kept = {path for path in one if not any(path[: len(gone)] == gone for gone in other)}
    assert members(recursive_difference(left, right)) == kept
    assert (difference(left, right) == {}) == (one <= other)


@given(PATHS)
def test_what_is_written_is_read_again(one: set[tuple[str, ...]]) -> None:
    found = of_paths(*one)
    assert decoded(as_json(found)) == found
    assert len(list(paths(found))) == len(one)


def test_steps_are_written_in_the_servers_order() -> None:
    found: FieldSet = {
        'v:"b"': {},
        "f:b": {},
        'k:{"port":443}': {},
        'k:{"port":80}': {},
        "f:a": {},
        ".": {},
        "v:2": {},
        "v:10": {},
        "i:0": {},
    }
    written = as_json(found)
    assert isinstance(written, dict)
    assert list(written) == [
        ".",
        "f:a",
        "f:b",
        'k:{"port":80}',
        'k:{"port":443}',
        "v:2",
        "v:10",
        'v:"b"',
        "i:0",
    ]


def test_every_spelling_of_a_step_is_read_as_the_one() -> None:
    read = decoded({'k:{ "b":1.0,"a":"<"}': {}, 'k:{"a":"\\u003c","b":1}': {"f:x": {}}, "v:true": {".": {}}})
    assert read == {'k:{"a":"\\u003c","b":1}': {".": {}, "f:x": {}}, "v:true": {}}


def test_steps_of_a_later_release_are_left_out() -> None:
    assert decoded({"z:new": {"f:a": {}}, "f:a": {}}) == {"f:a": {}}


@pytest.mark.parametrize(
    "written",
    [[], "f:a", {"f": {}}, {"fa": {}}, {"k:{": {}}, {"i:x": {}}, {"f:a": 1}, {"v:": {}}, {"v:" + "[" * 100_000: {}}],
)
def test_what_is_no_set_is_refused(written: object) -> None:
    assert decoded(written) is None  # type: ignore[arg-type]


def test_a_set_that_nests_too_deep_is_refused() -> None:
    written: dict[str, object] = {}
    for _ in range(5000):
        written = {"f:a": written}
    assert decoded(written) is None  # type: ignore[arg-type]


def test_paths_are_printed_as_in_messages() -> None:
    found: FieldSet = {
        "f:b": {},
        "f:a": {'k:{"name":"x","port":80}': {".": {}, "f:z": {}}, 'v:"q"': {}},
    }
    assert list(paths(found)) == [".b", '.a[name="x",port=80]', '.a[="q"]', '.a[name="x",port=80].z']
