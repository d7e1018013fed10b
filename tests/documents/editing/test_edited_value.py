"""What a document means after its changes: as patching has it, and what is said beyond that."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.explanation import Change
from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Value
from podward.documents.editing.edited_value import changed, same
from podward.documents.patching import json_of, put
from podward.path import Key, Path, path


def to(value: Value, *place: str | int | Key) -> Change:
    return Change(Path(place), value)


def test_changes_are_made_as_patching_makes_them() -> None:
    document: JsonObject = {"spec": {"list": [1, None], "none": None}}
    changes = (
        to(True, "spec", "none", "a", "b"),
        to(2, "spec", "list", 1, "x"),
        to(["y"], "spec", "list", 2),
        to("z", "metadata", "labels", Key("a.b/c")),
        to(5, "spec", "list", 0),
    )
    patched = copied_object(document)
    for change in changes:
        put(patched, change.path, json_of(change.value))
    assert changed(document, changes) == patched
    assert document == {"spec": {"list": [1, None], "none": None}}


@given(st.integers(0, 1 << 32))
def test_random_sets_are_made_as_patching_makes_them(seed: int) -> None:
    random = Random(seed)  # noqa: S311  # the same case for the same seed
    patched: JsonObject = {"a": {"b": None}, "c": [0, {"d": 1}]}
    document = copied_object(patched)
    changes = []
    for number in range(4):
        place = random.choice((path("a", "b", "e"), path("c", 0), path("c", 1, "d"), path("c", 2 + number), path("f")))
        change = Change(place, random.choice((number, True, f"text {number}", {"k": [number]})))
        try:
            put(patched, place, json_of(change.value))
        except (LookupError, TypeError):
            continue
        changes.append(change)
    assert same(changed(document, changes), patched)


def test_removing_leaves_an_empty_parent_and_nothing_absent_is_created() -> None:
    document: JsonObject = {"a": {"b": 1}, "c": [1], "d": None}
    changes = (to(None, "a", "b"), to(None, "c", 0), to(None, "d", "x"), to(None, "e", 0, "f"), to(None, "c", 7))
    assert changed(document, changes) == {"a": {}, "c": [], "d": None}


def test_an_index_means_the_item_that_stood_there_at_first() -> None:
    changes = (to(None, "l", 0), to(None, "l", 2), to("B", "l", 1), to("e", "l", 4))
    for order in (changes, changes[::-1]):
        assert changed({"l": ["a", "b", "c", "d"]}, order) == {"l": ["B", "d", "e"]}


def test_a_change_inside_a_removed_item_is_lost_with_it() -> None:
    changes = (to(5, "l", 0, "x"), to(None, "l", 0), to(6, "l", 0, "x"), to(7, "l", 0))
    assert changed({"l": [{"x": 1}, {"x": 2}]}, changes) == {"l": [{"x": 2}]}


@pytest.mark.parametrize("document", [{"l": ["a"]}, {"l": []}, {"l": None}, {}])
def test_what_two_findings_append_at_one_index_is_appended_twice(document: JsonObject) -> None:
    held = document.get("l") or []
    assert isinstance(held, list)
    at = len(held)
    changes = (to({"n": 1}, "l", at), to({"n": 2}, "l", at), to({"n": 1}, "l", at))
    assert changed(document, changes) == {"l": [*held, {"n": 1}, {"n": 2}]}


def test_an_index_beyond_the_end_waits_for_the_items_before() -> None:
    assert changed({"l": ["a"]}, (to("c", "l", 2), to("b", "l", 1))) == {"l": ["a", "b", "c"]}
    with pytest.raises(LookupError):
        changed({"l": ["a"]}, (to("c", "l", 2),))


@pytest.mark.parametrize("change", [to(1, "a", "b"), to(1, "a", 0), to(1, "l", "x"), to(1), to(None)])
def test_a_change_that_does_not_fit_is_no_change(change: Change) -> None:
    with pytest.raises((LookupError, TypeError)):
        changed({"a": 1, "l": []}, (change,))


@pytest.mark.parametrize(
    ("one", "other"), [(True, 1), (0, False), ([True], [1]), ({"a": None}, {}), ("1", 1), ([1], [1, 1])]
)
def test_json_values_that_python_might_mix_up_differ(one: Json, other: Json) -> None:
    assert not same(one, other)
    assert same(one, one)
    assert same(2, 2.0)
