"""JSON patches and merge patches."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject, copied_object
from podward.schema.malformed import Malformed
from podward.schema.patches.json_patch import MOST_OPERATIONS, json_patched
from podward.schema.patches.merge import merge_patched

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "y"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2)


@given(OBJECTS, OBJECTS)
def test_the_patch_between_two_objects_makes_one_of_the_other(one: JsonObject, other: JsonObject) -> None:
    before = copied_object(one)
    patch: Any = jsonpatch.make_patch(one, other).patch
    assert json_patched(one, patch) == other
    assert one == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/nope", "value": 1},
        {"op": "remove", "path": "/nope"},
        {"op": "add", "path": "/nope/x", "value": 1},
        {"op": "add", "path": "/l/9", "value": 1},
        {"op": "add", "path": "/l/x", "value": 1},
        {"op": "move", "from": "/nope", "path": "/x"},
        {"op": "move", "path": "/x"},
        {"op": "copy", "from": 1, "path": "/x"},
        {"op": "add", "path": "", "value": {}},
        {"op": "remove", "path": ""},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "/l/-3", "value": 1},
        {"op": "replace", "path": "", "value": 1},
        {"op": "replace", "path": "", "value": []},
        {"op": "replace", "path": "/l/0", "value": 1},
        {"op": "smash", "path": "/a"},
        {"op": ["add"], "path": "/a"},
        {"path": "/a"},
        {},
    ],
)
def test_an_operation_that_cannot_be_applied_is_refused_without_a_reason(operation: JsonObject) -> None:
    found = json_patched({"a": 1, "l": []}, [operation])
    assert found == Malformed(422, "Invalid", "the server rejected our request due to an error in our request")


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"op": "add"}, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
        ("x", "json: cannot unmarshal string into Go value of type jsonpatch.Patch"),
        (1.5, "json: cannot unmarshal number into Go value of type jsonpatch.Patch"),
        ([True], "json: cannot unmarshal bool into Go value of type jsonpatch.Operation"),
        ([[]], "json: cannot unmarshal array into Go value of type jsonpatch.Operation"),
    ],
)
def test_what_is_no_list_of_operations_is_a_bad_request(patch: Json, message: str) -> None:
    assert json_patched({}, patch) == Malformed(400, "BadRequest", message)


def test_operations_that_are_usual() -> None:
    patch: Json = [
        {"op": "test", "path": "/none"},
        {"op": "add", "path": "/l/-", "value": 3},
        {"op": "add", "path": "/l/0", "value": 0},
        {"op": "copy", "from": "/l", "path": "/m~1n"},
        {"op": "move", "from": "/a", "path": "/b"},
        {"op": "replace", "path": "/l/1", "value": None},
    ]
    assert json_patched({"a": 1, "l": [2]}, patch) == {"b": 1, "l": [0, None, 3], "m/n": [0, 2, 3]}


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "replace", "path": "/new", "value": 1}, {"a": {"b": 1}, "l": [1, 2], "new": 1}),
        ({"op": "copy", "from": "/nope", "path": "/new"}, {"a": {"b": 1}, "l": [1, 2], "new": None}),
        ({"op": "add", "path": "/l/-1", "value": 9}, {"a": {"b": 1}, "l": [1, 2, 9]}),
        ({"op": "remove", "path": "/l/-1"}, {"a": {"b": 1}, "l": [1]}),
        ({"op": "add", "path": "x/a/c", "value": 9}, {"a": {"b": 1, "c": 9}, "l": [1, 2]}),
        ({"op": "add", "path": "/a/~01", "value": 9}, {"a": {"b": 1, "~1": 9}, "l": [1, 2]}),
        ({"op": "replace", "path": "", "value": {"z": 1}}, {"z": 1}),
        ({"op": "test", "path": "", "value": {"a": {"b": 1}, "l": [1, 2]}}, {"a": {"b": 1}, "l": [1, 2]}),
    ],
)
def test_operations_that_the_server_knows_more_widely(operation: JsonObject, expected: JsonObject) -> None:
    assert json_patched({"a": {"b": 1}, "l": [1, 2]}, [operation]) == expected


def test_a_patch_can_be_applied_again() -> None:
    patch: Json = [{"op": "add", "path": "/a", "value": {}}, {"op": "add", "path": "/a/b", "value": 1}]
    before = json.dumps(patch)
    assert json_patched({}, patch) == json_patched({}, patch) == {"a": {"b": 1}}
    assert json.dumps(patch) == before


def test_too_many_operations_and_too_much_copied_is_refused() -> None:
    found = json_patched({}, [{"op": "test", "path": "/a"}] * (MOST_OPERATIONS + 1))
    assert isinstance(found, Malformed)
    assert (found.code, found.message) == (
        413,
        "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
    )
    bomb: Json = [{"op": "copy", "from": "/a", "path": f"/a/{at}"} for at in range(200)]
    assert isinstance(json_patched({"a": {"x": "y" * 100}}, bomb), Malformed)


@pytest.mark.parametrize(
    ("value", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": 1}, {"a": None}, {"b": 1}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({}, {"a": [{"x": None, "y": 1}, None]}, {"a": [{"y": 1}, None]}),
        ({"a": {"b": 1}}, {"a": [1]}, {"a": [1]}),
    ],
)
def test_merge_patches(value: JsonObject, patch: JsonObject, expected: JsonObject) -> None:
    before = copied_object(value)
    assert merge_patched(value, patch) == expected
    assert value == before


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_comes_to_an_end(value: JsonObject, patch: JsonObject) -> None:
    """The first time, a list keeps nulls that it would not keep if it were new: if it replaces an object."""
    twice = merge_patched(merge_patched(value, patch), patch)
    assert merge_patched(twice, patch) == twice
