"""The typed value is folded out of a Decision; nothing is computed a second time."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, ValidationError

from podward.decision import Decision, Origin, Outcome, Source, Unknown, assign, merge, refuse
from podward.path import Key, path

SOURCE = Source(Origin.RULE, "test")


class Inner(Struct, frozen=True):
    uid: int | None = None
    names: tuple[str, ...] = ()


class Outer(Struct, frozen=True):
    inner: Inner = Inner()
    items: tuple[Inner, ...] = ()
    table: dict[str, str] = {}


def test_parents_are_created_and_items_come_in_order() -> None:
    decision = merge(
        assign(path("inner", "uid"), 7, "", SOURCE),
        assign(path("items", 0, "uid"), 1, "", SOURCE),
        assign(path("items", 1), Inner(2), "", SOURCE),
        assign(path("table", Key("a.b")), "c", "", SOURCE),
    )
    assert decision.fold(Outer) == Outer(Inner(7), (Inner(1), Inner(2)), {"a.b": "c"})


def test_a_later_assignment_replaces_an_earlier_one() -> None:
    decision = assign(path("inner", "uid"), 1, "", SOURCE) + assign(path("inner", "uid"), 2, "", SOURCE)
    assert decision.fold(Outer).inner.uid == 2
    found = decision.assignment(path("inner", "uid"))
    assert found is not None
    assert found.value == 2


def test_a_hole_in_a_list_is_a_defect_of_the_stage() -> None:
    with pytest.raises(IndexError, match="in order"):
        assign(path("items", 1), Inner(), "", SOURCE).fold(Outer)


def test_a_value_of_the_wrong_type_is_a_defect_of_the_stage() -> None:
    with pytest.raises(ValidationError):
        assign(path("inner", "uid"), "zero", "", SOURCE).fold(Outer)


def test_the_source_of_a_place_is_the_closest_assignment_that_contains_it() -> None:
    whole, part = Source(Origin.DEFAULT, "whole"), Source(Origin.MANIFEST, "part")
    decision = assign(path("inner"), Inner(1), "", whole) + assign(path("inner", "uid"), 2, "", part)
    outcome = Outcome(Outer(), decision)
    assert outcome.source(path("inner", "uid"), SOURCE) == part
    assert outcome.source(path("inner", "names"), SOURCE) == whole
    assert outcome.source(path("table"), SOURCE) == SOURCE


def test_an_empty_decision_refuses_nothing_and_a_violation_is_never_lost() -> None:
    assert not Decision().refused
    decision = Decision() + refuse(path("a"), 1, "no", SOURCE) + Decision()
    assert [v.reason for v in decision.violations] == ["no"]


@given(st.lists(st.integers(0, 99), max_size=8))
def test_moving_a_decision_keeps_its_values(values: list[int]) -> None:
    decision = merge(*(assign(path(i, "uid"), v, "", SOURCE) for i, v in enumerate(values)))
    assert tuple(i.uid for i in decision.at(path("items")).fold(Outer).items) == tuple(values)


HIDDEN = Unknown("nobody looked", "look")


def test_what_is_unknown_is_left_out_of_the_typed_value_and_found_at_its_place() -> None:
    decision = merge(
        assign(path("inner", "uid"), 7, "", SOURCE),
        assign(path("inner", "uid"), HIDDEN, "an earlier value is gone", SOURCE),
        assign(path("items", 0, "uid"), 1, "", SOURCE),
        assign(path("items", 1), HIDDEN, "", SOURCE),
    )
    assert decision.fold(Outer) == Outer(Inner(), (Inner(1),))
    assert decision.unknown(path("inner", "uid")) == HIDDEN
    assert decision.unknown(path("inner")) == HIDDEN, "a part of it is unknown"
    assert decision.unknown(path("items", 1, "names")) == HIDDEN, "it is inside of what is unknown"
    assert decision.unknown(path("items", 0)) is None
    assert decision.unknown(path("table")) is None


def test_each_reason_for_not_knowing_is_told_once() -> None:
    other = Unknown("gone", "bring it back")
    decision = merge(
        *(assign(path("table", Key(str(i))), v, "", SOURCE) for i, v in enumerate((HIDDEN, other, HIDDEN)))
    )
    assert decision.unknowns == (HIDDEN, other)
    assert assign(path("inner"), Inner(), "", SOURCE).unknowns == ()


def test_an_unknown_value_is_an_object_that_says_so_in_json() -> None:
    assert msgspec.json.encode(HIDDEN) == b'{"unknown":"nobody looked","remedy":"look"}'
