"""A workload that is known to be valid brings about exactly one Pod, and nothing can be said against it."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from changed_workloads import Raw, changed, corpus, document, known_sources, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples, part

from podward.path import path
from podward.schema.workload import pod_sources
from podward.stages.admission.order import by_registry

ODD: tuple[Any, ...] = (None, "", "-", "x" * 64, 0, -1, 1 << 31, 10**30, True, 1.0, 0.5, [], {}, [None], {"a": None})
CONFIG: Raw = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}}
OTHER: Raw = {"apiVersion": "example.com/v1", "kind": "Thing", "whatever": 1}


def says_the_truth(raw: Raw) -> bool:
    """Whether the document is a workload that is known to be valid; if so, that is asserted."""
    whole = document(raw)
    known = known_sources(whole)
    if known is None:
        return False
    assert [source.raw for source, _ in known] == [source.raw for source in pod_sources(whole)]
    for source, valid in known:
        assert not valid or by_registry(source.raw, source.kind).decision.violations == ()
    return [valid for _, valid in known] == [True]


@pytest.mark.proof
def test_what_is_known_to_be_valid_is() -> None:
    met = Counter[bool]()

    @settings(max_examples=examples(600, 3000), deadline=None)
    @given(seed=st.integers(0, 2**64))
    def whatever_is_changed(seed: int) -> None:
        met[says_the_truth(changed(seed))] += 1

    whatever_is_changed()
    assert met[True] > met.total() / 5, "too few of these were known to be valid to prove anything"
    assert met[False] > met.total() / 4, "nearly all of these were valid: the changes are too tame"


@pytest.mark.parametrize("raw", sound(), ids=lambda raw: str(raw["kind"]))
def test_a_valid_workload_is_known_in_every_detail(raw: Raw) -> None:
    assert says_the_truth(raw)


@pytest.mark.proof
@pytest.mark.parametrize("raw", sound(), ids=lambda raw: str(raw["kind"]))
def test_each_value_replaced_by_each_odd_one(raw: Raw) -> None:
    made = copy.deepcopy(raw)
    tried = kept = 0
    for turn, place in enumerate(places(raw)):
        for odd in part(ODD, 5, turn):
            with replaced(made, place, odd):
                kept += says_the_truth(made)
            tried += 1
    assert kept > tried / len(ODD) / 2, "many of these must be valid still"
    assert made == raw


def test_most_workloads_of_the_corpus_are_known() -> None:
    met = Counter(says_the_truth(raw) for raw in corpus())
    assert met[True] > 4 * met[False]


# --- lists ------------------------------------------------------------------------------------------------------------


def listed(*items: Any, **fields: Any) -> Raw:  # noqa: ANN401
    return {"apiVersion": "v1", "kind": "List", "items": list(items), **fields}


def test_every_workload_of_a_list_has_its_place() -> None:
    raw = listed(CONFIG, *sound(), OTHER, metadata={"resourceVersion": ""})
    known = known_sources(document(raw))
    assert known is not None
    assert [valid for _, valid in known] == [True] * len(sound())
    for index, (source, _) in enumerate(known):
        assert source.prefix.startswith(path("items", 1 + index))
        assert source.kind == sound()[index]["kind"]


def test_one_item_may_be_wrong_in_what_its_fields_have_to_do_with_each_other() -> None:
    twice = copy.deepcopy(sound()[0])
    containers = twice["spec"]["template"]["spec"]["containers"]
    containers.append(containers[0])
    known = known_sources(document(listed(sound()[1], twice, sound()[2])))
    assert known is not None
    assert [valid for _, valid in known] == [True, False, True]


@pytest.mark.parametrize("items", [[], None])
def test_a_list_may_be_empty(items: object) -> None:
    raw = {**listed(), "items": items}
    assert known_sources(document(raw)) == ()
    assert pod_sources(document(raw)) == ()


@pytest.mark.parametrize(
    "raw",
    [
        listed(sound()[0], {**CONFIG, "data": {"a": 1}}),
        listed(sound()[0], {**sound()[1], "unknown": 1}),
        listed(sound()[0], {"apiVersion": "v1", "kind": ""}),
        listed(sound()[0], {"apiVersion": "", "kind": "Thing"}),
        listed(sound()[0], {"kind": "Thing"}),
        listed(sound()[0], {"apiVersion": 1, "kind": "Thing"}),
        listed(sound()[0], {"apiVersion": "v1", "kind": 1}),
        listed(sound()[0], {"apiVersion": "v1", "kind": "PodList", "items": [sound()[1]]}),
        listed(sound()[0], {"apiVersion": "rbac.authorization.k8s.io/v1beta1", "kind": "Role"}),
        listed(sound()[0], None),
        listed(sound()[0], metadata={"namespace": "a"}),
        listed(sound()[0], unknown=1),
        {**listed(sound()[0]), "apiVersion": "v2"},
        {**listed(sound()[0]), "kind": "PodList"},
        {"apiVersion": "v1", "kind": "Pod"} | {"spec": "none"},
    ],
)
def test_anything_else_is_looked_at_in_full(raw: Raw) -> None:
    assert known_sources(document(raw)) is None


def places(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place inside the value."""
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value))
    return [place for step, item in inside for place in ((*at, step), *places(item, (*at, step)))]


@contextmanager
def replaced(raw: Raw, place: tuple[str | int, ...], value: object) -> Iterator[None]:
    """Another value at this place, for a while: copies of the whole would be most of the work."""
    node: Any = raw
    for step in place[:-1]:
        node = node[step]
    before = node[place[-1]]
    node[place[-1]] = copy.deepcopy(value)
    yield
    node[place[-1]] = before
