"""A patched document that shares what no assignment touches is equal to one that is copied whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.json_value import Json, JsonObject, copied_object
from podward.decision import Assignment, Decision, Origin, Source, Value
from podward.documents.patching import applied, overlaid
from podward.path import Key, Path, path

SOURCE = Source(Origin.RULE, "a test")
NAMES = st.sampled_from(["a", "b", "c/d", ""])
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
PLACES = st.lists(NAMES | NAMES.map(Key) | st.integers(0, 2), max_size=4).map(lambda segments: Path(tuple(segments)))


def decided(*pairs: tuple[Path, Value]) -> Decision:
    return Decision(tuple(Assignment(place, value, "because", SOURCE) for place, value in pairs))


@given(st.dictionaries(NAMES, VALUES, max_size=3), st.lists(st.tuples(PLACES, VALUES), max_size=6))
def test_both_make_the_same_and_leave_the_document_alone(raw: JsonObject, places: list[tuple[Path, Json]]) -> None:
    before = copied_object(raw)
    decision = decided(*places)
    try:
        whole: JsonObject | None = applied(raw, decision)
    except (LookupError, TypeError):
        whole = None
    if whole is None:
        with pytest.raises((LookupError, TypeError)):
            overlaid(raw, decision)
    else:
        assert overlaid(raw, decision) == whole
    assert raw == before


def test_what_is_not_touched_is_shared_and_what_is_touched_is_not() -> None:
    untouched: Json = {"x": [1]}
    raw: JsonObject = {"a": {"b": {"c": 1}, "keep": untouched}, "keep": untouched}
    made = overlaid(raw, decided((path("a", "b", "c"), 2), (path("a", "b", "d"), 3)))
    assert made == {"a": {"b": {"c": 2, "d": 3}, "keep": {"x": [1]}}, "keep": {"x": [1]}}
    assert made["keep"] is untouched
    inner = made["a"]
    assert isinstance(inner, dict)
    assert inner["keep"] is untouched
    assert raw == {"a": {"b": {"c": 1}, "keep": untouched}, "keep": untouched}


def test_an_assigned_value_stays_as_it_was_when_a_later_one_goes_into_it() -> None:
    value: dict[str, Value] = {"x": {"y": 1}}
    decision = decided((path("a"), value), (path("a", "x", "y"), 2))
    assert overlaid({}, decision) == {"a": {"x": {"y": 2}}}
    assert value == {"x": {"y": 1}}


def test_what_goes_into_a_value_that_was_replaced_goes_into_the_new_one() -> None:
    new: dict[str, Value] = {"b": {}}
    decision = decided((path("a", "b", "c"), 1), (path("a"), new), (path("a", "b", "d"), 2))
    assert overlaid({}, decision) == {"a": {"b": {"d": 2}}} == applied({}, decision)


def test_none_removes_a_member_and_a_later_value_goes_in_again() -> None:
    raw: JsonObject = {"a": {"b": {"c": 1}, "d": 2}}
    assert (
        overlaid(raw, decided((path("a", "b"), None)))
        == {"a": {"d": 2}}
        == applied(raw, decided((path("a", "b"), None)))
    )
    again = decided((path("a", "b", "c"), 3), (path("a", "b"), None), (path("a", "b", "e"), 4))
    assert overlaid(raw, again) == {"a": {"b": {"e": 4}, "d": 2}} == applied(raw, again)
    assert raw == {"a": {"b": {"c": 1}, "d": 2}}
