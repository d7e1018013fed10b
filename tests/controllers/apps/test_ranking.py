"""Which Pods go first."""

from __future__ import annotations

import pytest
from workload_samples import NOW, pod

from podward.api.json_value import JsonObject
from podward.controllers.apps.ownership import name_of
from podward.controllers.apps.ranking import COST, surplus

READY = 3600.0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("a", node=""), pod("b", phase="Pending")),
        (pod("a", phase="Pending"), pod("b", phase="Unknown")),
        (pod("a", phase="Unknown"), pod("b")),
        (pod("a"), pod("b", ready=READY)),
        (pod("a", ready=READY, annotations={COST: "-1"}), pod("b", ready=1.0)),
        (pod("a", ready=1.0), pod("b", ready=READY)),
        (pod("a", ready=READY, restarts=2), pod("b", ready=READY, restarts=1)),
        (pod("a", age=10), pod("b", age=1000)),
        (pod("a", age=2000), pod("b", age=1990)),  # as old, by a logarithm: the lower uid
        (pod("a", annotations={COST: "x"}, age=10), pod("b", age=1000)),
    ],
)
def test_the_first_goes(first: JsonObject, second: JsonObject) -> None:
    for pods in ([first, second], [second, first]):
        assert [name_of(each) for each in surplus(pods, [], 1, NOW)] == ["a"]


def test_of_equals_the_one_with_more_related_pods_on_its_node_goes() -> None:
    crowded, alone = pod("z", ready=READY, node="n1"), pod("a", ready=READY, node="n2")
    related = [pod("other", node="n1"), crowded, alone]
    assert surplus([alone, crowded], related, 1, NOW) == [crowded]


def test_all_go_in_their_order_where_none_may_stay() -> None:
    pods = [pod("b", ready=READY), pod("a", node="")]
    assert surplus(pods, [], 2, NOW) == pods
