"""Random Services and endpoints: going step by step leads to the same rules as loading the last ones alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_lab import Lab
from proofs import examples

from podward.policy.proxy.routes import Machine, Route, Target
from podward.policy.proxy.ruleset import Ruleset, ruleset
from podward.policy.proxy.transaction import difference, emptied_by, whole

pytestmark = pytest.mark.needs("root", "nft")
TABLE = "podward-proof"
MACHINE = Machine(frozenset(("n1",)), "", ("10.9.0.0/24",), ("10.0.0.0/24",))
TARGETS = st.lists(
    st.builds(Target, st.sampled_from(["10.9.0.2", "10.9.0.3", "10.8.0.4"]), st.just(8080), st.booleans()),
    max_size=3,
    unique_by=str,
).map(tuple)


@st.composite
def routes(draw: st.DrawFn) -> tuple[Route, ...]:
    """Some of four routes, each of another address."""
    numbers = draw(st.sets(st.integers(1, 4)))
    return tuple(draw(route_of(number)) for number in sorted(numbers))


def route_of(number: int) -> st.SearchStrategy[Route]:
    return st.builds(
        Route,
        st.just(("shop", f"s{number}")),
        st.sampled_from(["http", ""]),
        st.sampled_from(["tcp", "udp"]),
        st.just(f"10.0.0.{number}"),
        st.sampled_from([80, 81]),
        st.sampled_from([0, 30000 + number]),
        st.sampled_from([(), (f"192.0.2.{number}",)]),
        st.sampled_from([(), (f"198.51.100.{number}",)]),
        st.sampled_from([(), ("198.51.100.0/24",)]),
        st.sampled_from([0, 5]),
        st.booleans(),
        st.booleans(),
        TARGETS,
        TARGETS,
        st.booleans(),
    )


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with ExitStack() as ended:
        yield Lab(ended)


@pytest.mark.proof
@settings(max_examples=examples(10))
@given(st.lists(routes(), min_size=2, max_size=6))
def test_steps_come_to_what_the_whole_is(lab: Lab, states: list[tuple[Route, ...]]) -> None:
    steps = [ruleset(each, MACHINE) for each in states]
    lab.load(whole(TABLE, steps[0]))
    emptied: frozenset[str] = frozenset()
    for old, new in itertools.pairwise([*steps, steps[-1]]):
        lab.load(difference(TABLE, old, new, emptied))
        emptied = emptied_by(old, new)
    stepwise = listed(lab)

    lab.load(whole(TABLE, steps[-1]))

    assert stepwise == listed(lab)


def listed(lab: Lab) -> list[str]:
    return sorted(line.strip() for line in lab.machine.run(f"nft -s list table ip {TABLE}").splitlines())


def test_nothing_changes_where_nothing_differs() -> None:
    rules: Ruleset = ruleset((), MACHINE)

    assert not difference(TABLE, rules, rules)
