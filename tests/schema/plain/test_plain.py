"""A workload that is plain brings about exactly one Pod, and nothing can be said against it."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pytest
from changed_workloads import Raw, changed, corpus, document, sound
from hypothesis import given, settings
from hypothesis import strategies as st

from podward.schema.plain.known_valid import plain
from podward.schema.workload import pod_sources
from podward.stages.admission.order import by_registry

ODD: tuple[Any, ...] = (None, "", "-", "x" * 64, 0, -1, 1 << 31, 10**30, True, 1.0, 0.5, [], {}, [None], {"a": None})


def says_the_truth(raw: Raw) -> bool:
    """Whether the document is plain; if so, the claim is asserted."""
    if plain(raw) is None:
        return False
    (source,) = pod_sources(document(raw))
    assert by_registry(source.raw, source.kind).decision.violations == ()
    return True


def test_what_is_plain_is_sound() -> None:
    met = Counter[bool]()

    @settings(max_examples=1500, deadline=None)
    @given(seed=st.integers(0, 2**64))
    def whatever_is_changed(seed: int) -> None:
        met[says_the_truth(changed(seed))] += 1

    whatever_is_changed()
    assert met[True] > met.total() / 4, "too few of these were plain to prove anything"
    assert met[False] > met.total() / 4, "nearly all of these were plain: the changes are too tame"


@pytest.mark.parametrize("raw", sound(), ids=lambda raw: str(raw["kind"]))
def test_a_sound_workload_is_plain_in_every_detail(raw: Raw) -> None:
    assert says_the_truth(raw)


@pytest.mark.parametrize("raw", sound(), ids=lambda raw: str(raw["kind"]))
def test_each_value_replaced_by_each_odd_one(raw: Raw) -> None:
    kept = 0
    for place in places(raw):
        for odd in ODD:
            kept += says_the_truth(replaced(raw, place, odd))
    assert kept > len(places(raw)) / 2, "many of these must be plain still"


def test_most_workloads_of_the_corpus_are_plain() -> None:
    met = Counter(says_the_truth(raw) for raw in corpus())
    assert met[True] > 6 * met[False]


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside the value."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [place for step, item in inside for place in ((*at, step), *places(item, (*at, step)))]


def replaced(raw: Raw, place: tuple[str | int, ...], value: object) -> Raw:
    """A copy with another value at this place."""
    made = copy.deepcopy(raw)
    node: Any = made
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = copy.deepcopy(value)
    return made
