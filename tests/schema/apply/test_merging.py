"""Comparing, merging and removing by schema, on a schema with every sort of list and map."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.checking import faults
from podward.schema.apply.comparing import compared
from podward.schema.apply.custom_types import custom
from podward.schema.apply.field_set import FieldSet, intersection, union
from podward.schema.apply.merging import merged
from podward.schema.apply.ownership import owned
from podward.schema.apply.reconciling import reconciled
from podward.schema.apply.removing import removed

ITEM: JsonObject = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "port": {"type": "integer", "default": 1}, "v": {"type": "string"}},
}
SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "number": {"type": "integer"},
        "flag": {"type": "boolean"},
        "either": {"x-kubernetes-int-or-string": True},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}}},
        "list": {"type": "array", "items": {"type": "string"}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "items": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "name"],
            "items": ITEM,
        },
        "any": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
TYPE = custom(SCHEMA)
BOTH = """errors:
  .text: expected string, got &value.valueUnstructured{Value:1}
  .flag: expected boolean, got &{0}"""

WORDS = st.sampled_from("abcd")
ITEMS = st.lists(
    st.fixed_dictionaries({"name": WORDS}, optional={"v": WORDS}), max_size=4, unique_by=lambda item: item["name"]
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "text": WORDS,
        "number": st.integers(0, 3),
        "map": st.dictionaries(WORDS, WORDS, max_size=3),
        "whole": st.dictionaries(WORDS, WORDS, max_size=2),
        "list": st.lists(WORDS, max_size=2),
        "set": st.lists(WORDS, max_size=3, unique=True),
        "items": ITEMS,
        "any": st.recursive(WORDS, lambda inner: st.dictionaries(WORDS, inner, max_size=2), max_leaves=4),
    },
)


@given(OBJECTS, OBJECTS)
def test_no_field_is_removed_modified_and_added_at_once(old: JsonObject, new: JsonObject) -> None:
    found = compared(TYPE, old, new)
    assert not intersection(found.removed, found.added)
    assert not intersection(found.modified, union(found.removed, found.added)) or _form_changed(old, new)
    back = compared(TYPE, new, old)
    assert (back.added, back.removed) == (found.removed, found.added)
    same = compared(TYPE, new, new)
    assert (same.added, same.removed, same.modified) == ({}, {}, {})


def _form_changed(old: JsonObject, new: JsonObject) -> bool:
    return type(old.get("any")) is not type(new.get("any")) or isinstance(new.get("any"), dict)


@given(OBJECTS, OBJECTS)
def test_what_is_applied_is_there_and_applying_it_again_changes_nothing(live: JsonObject, applied: JsonObject) -> None:
    once = merged(TYPE, live, applied)
    assert merged(TYPE, once, applied) == once
    changes = compared(TYPE, applied, once)
    assert not changes.modified or "any" in applied or _emptied(applied)
    assert not compared(TYPE, live, once).removed or "any" in applied


def _emptied(applied: JsonObject) -> bool:
    return any(value in ({}, []) for value in applied.values())


@given(OBJECTS)
def test_an_object_without_what_it_owns_owns_nothing_more(value: JsonObject) -> None:
    mine = owned(TYPE, value)
    left = removed(TYPE, value, mine)
    assert not intersection(owned(TYPE, left), mine)


@pytest.mark.parametrize(
    ("live", "applied", "expected"),
    [
        ("abc", "b", "abc"),
        ("abc", "cb", "acb"),
        ("abc", "d", "abcd"),
        ("abc", "dc", "abdc"),
        ("abc", "da", "dabc"),
        ("ab", "bca", "bca"),
        ("", "ba", "ba"),
        ("ab", "", "ab"),
        ("acbd", "bc", "abdc"),
    ],
)
def test_items_of_a_set_stand_in_the_order_of_what_is_applied(live: str, applied: str, expected: str) -> None:
    assert merged(TYPE, {"set": [*live]}, {"set": [*applied]}) == {"set": [*expected]}


def test_items_are_merged_by_their_keys_and_the_keys_defaults() -> None:
    live: JsonObject = {"items": [{"name": "a", "port": 1, "v": "x"}, {"name": "a", "port": 2}]}
    found = merged(TYPE, live, {"items": [{"name": "a", "v": "y"}]})
    assert found == {"items": [{"name": "a", "port": 1, "v": "y"}, {"name": "a", "port": 2}]}
    assert owned(TYPE, {"items": [{"name": "a"}]}) == {"f:items": {'k:{"name":"a","port":1}': {".": {}, "f:name": {}}}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "a"}, {"f:text": {}}),
        ({"map": {"k": "v"}}, {"f:map": {"f:k": {}}}),
        ({"map": {}}, {"f:map": {}}),
        ({"map": None}, {"f:map": {}}),
        ({"whole": {"a": "b"}}, {"f:whole": {}}),
        ({"list": ["a"]}, {"f:list": {}}),
        ({"set": ["a", "b"]}, {"f:set": {'v:"a"': {}, 'v:"b"': {}}}),
        ({"set": []}, {}),
        ({"any": {"a": {"b": [1]}}}, {"f:any": {"f:a": {".": {}, "f:b": {}}}}),
        ({"any": [1]}, {"f:any": {}}),
    ],
)
def test_what_a_manager_owns_by_applying(value: JsonObject, expected: FieldSet) -> None:
    assert owned(TYPE, value) == expected


def test_of_what_came_every_level_is_new() -> None:
    found = compared(TYPE, {}, {"map": {"k": "v"}, "items": [{"name": "a"}]})
    assert found.added == {
        "f:map": {".": {}, "f:k": {}},
        "f:items": {".": {}, 'k:{"name":"a","port":1}': {".": {}, "f:name": {}}},
    }


@pytest.mark.parametrize(
    ("old", "new", "modified", "added"),
    [
        ({"text": "a"}, {"text": "b"}, {"f:text": {}}, {}),
        ({"any": 1}, {"any": True}, {"f:any": {}}, {}),
        ({"any": 1}, {"any": 1.0}, {}, {}),
        ({"any": "a"}, {"any": {"x": 1}}, {"f:any": {}}, {"f:any": {"f:x": {}}}),
        ({"map": None}, {"map": {}}, {"f:map": {}}, {}),
        ({"set": ["a", "a"]}, {"set": ["a"]}, {}, {"f:set": {'v:"a"': {}}}),
        ({"list": ["a"]}, {"list": ["b"]}, {"f:list": {}}, {}),
    ],
)
def test_what_is_modified(old: JsonObject, new: JsonObject, modified: FieldSet, added: FieldSet) -> None:
    found = compared(TYPE, old, new)
    assert (found.modified, found.added) == (modified, added)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"nope": 1}, ".nope: field not declared in schema"),
        ({"text": 1}, ".text: expected string, got &value.valueUnstructured{Value:1}"),
        ({"number": "1"}, ".number: expected numeric (int or float), got string"),
        ({"number": True}, ".number: expected numeric (int or float), got bool"),
        ({"flag": 0}, ".flag: expected boolean, got &{0}"),
        ({"either": []}, ".either: expected any scalar, got &{[]}"),
        ({"map": "x"}, ".map: expected map, got &{x}"),
        ({"list": {"a": 1}}, ".list: expected list, got &{map[a:1]}"),
        ({"set": ["a", "a"]}, '.set: duplicate entries for key [="a"]'),
        ({"set": [{}]}, ".set: element 0: associative list without keys has an element that's a map type"),
        ({"items": [None]}, ".items: element 0: associative list with keys may not have a null element"),
        ({"items": [{"name": "a"}, {"name": "a"}]}, '.items: duplicate entries for key [name="a",port=1]'),
        (
            {"text": 1, "flag": 0},
            BOTH,
        ),
        ({"any": {"x": [1, {}]}, "whole": {"a": "b"}, "map": None, "text": None}, ""),
    ],
)
def test_what_cannot_be_applied(value: JsonObject, fault: str) -> None:
    assert faults(TYPE, value) == fault


def test_without_a_schema_the_form_of_a_value_decides() -> None:
    free = custom(None)
    value: JsonObject = {"spec": {"list": [{"name": "a"}], "map": {"x": 1}}}
    assert faults(free, value) == ""
    assert owned(free, value) == {"f:spec": {".": {}, "f:list": {}, "f:map": {".": {}, "f:x": {}}}}


def test_who_owned_something_in_what_is_atomic_now_owns_it_as_a_whole() -> None:
    fields: FieldSet = {
        "f:whole": {"f:a": {}},
        "f:list": {".": {}, "i:0": {}},
        "f:map": {"f:k": {}},
        "f:any": {"f:x": {}},
    }
    assert reconciled(TYPE, fields) == {"f:whole": {}, "f:list": {}, "f:map": {"f:k": {}}, "f:any": {"f:x": {}}}
    kept: FieldSet = {"f:map": {"f:k": {}}}
    assert reconciled(TYPE, kept) is kept


def test_removing_empties_but_keeps_the_containers() -> None:
    value: JsonObject = {"map": {"k": "v"}, "items": [{"name": "a", "v": "x"}], "whole": {"a": "b"}, "list": ["a"]}
    gone: FieldSet = {
        "f:map": {"f:k": {}},
        "f:items": {'k:{"name":"a","port":1}': {"f:v": {}}},
        "f:whole": {"f:a": {}},
        "f:list": {"i:0": {}},
    }
    left: Json = {"map": {}, "items": [{"name": "a"}], "whole": {}, "list": []}
    assert removed(TYPE, value, gone) == left
