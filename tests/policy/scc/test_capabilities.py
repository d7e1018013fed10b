"""capabilities: what is added, what is dropped, and what may not be added."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation

PLACE = "spec.containers[0].securityContext.capabilities"


def run(decide: Callable[..., Decision], scc: JsonObject, capabilities: JsonObject | None) -> Decision:
    container: JsonObject = {"name": "c", "securityContext": {"capabilities": capabilities}}
    return decide({"allowedCapabilities": None, **scc}, {"containers": [container]})


def test_a_container_that_says_nothing_gets_both_lists(decide: Callable[..., Decision]) -> None:
    scc: JsonObject = {"defaultAddCapabilities": ["B", "A", "B"], "requiredDropCapabilities": ["D", "C"]}
    silent: list[JsonObject | None] = [None, {}, {"add": [], "drop": []}]
    for nothing in silent:
        made = run(decide, scc, nothing)
        assert {str(one.path): one.value for one in made.assignments} == {
            f"{PLACE}.add": ("A", "B"),
            f"{PLACE}.drop": ("C", "D"),
        }
        assert not made.violations


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ({"drop": ["A"]}, {f"{PLACE}.drop": ("A", "D")}),  # the container's drop takes the default away
        ({"drop": ["D"]}, {f"{PLACE}.add": ("A",)}),
        ({"add": ["A"], "drop": ["D", "C"]}, {}),
        ({"add": ["A"], "drop": ["D", "C", "D"]}, {}),  # unsorted and doubled, but complete
        ({"drop": ["D", "C"]}, {f"{PLACE}.add": ("A",), f"{PLACE}.drop": ("C", "D")}),  # sorted with the other
        ({"add": ["A"], "drop": ["d"]}, {f"{PLACE}.drop": ("D", "d")}),
        ({"add": ["A"], "drop": ["ALL"]}, {f"{PLACE}.drop": ("ALL", "D")}),
    ],
)
def test_what_is_given_to_a_container_that_says_something(
    decide: Callable[..., Decision], asked: JsonObject, given: JsonObject
) -> None:
    made = run(decide, {"defaultAddCapabilities": ["A"], "requiredDropCapabilities": ["D"]}, asked)
    assert not made.violations
    assert {str(one.path): one.value for one in made.assignments} == given


@pytest.mark.parametrize(
    ("scc", "added", "refused"),
    [
        ({}, ["B", "A", "B"], [("B", 0), ("A", 1), ("B", 2)]),
        ({"requiredDropCapabilities": ["D"]}, ["B", "A", "B"], [("A", 1), ("B", 0)]),
        ({"allowedCapabilities": ["A"], "defaultAddCapabilities": ["B"]}, ["A", "B", "C"], [("C", 2)]),
        (
            {"allowedCapabilities": ["NET_ADMIN"]},
            ["CAP_NET_ADMIN", "net_admin"],
            [("CAP_NET_ADMIN", 0), ("net_admin", 1)],
        ),
        ({"allowedCapabilities": ["ALL"]}, ["KILL"], [("KILL", 0)]),
        ({"allowedCapabilities": ["*"]}, ["ALL", "KILL"], []),
    ],
)
def test_what_may_not_be_added(
    decide: Callable[..., Decision], scc: JsonObject, added: list[str], refused: list[tuple[str, int]]
) -> None:
    made = run(decide, scc, {"add": list(added)})
    assert [(str(one.path), one.printed) for one in made.violations if isinstance(one, SccViolation)] == [
        (
            f"{PLACE}.add[{index}]",
            f'provider mine: .containers[0].capabilities.add: Invalid value: "{name}": capability may not be added',
        )
        for name, index in refused
    ]
