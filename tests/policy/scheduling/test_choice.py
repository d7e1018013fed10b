"""Where a Pod goes, and what is said where it goes nowhere."""

from __future__ import annotations

import pytest
from msgspec import convert
from pods_and_nodes import node, pod

from podward.api.claim import LabelSelector
from podward.api.json_value import Json, JsonObject
from podward.policy.scheduling.choice import Choice, Cluster, Refusal, choose
from podward.policy.scheduling.facts import NodeFacts, PodFacts
from podward.policy.scheduling.pod_terms import Namespaces, waits_for
from podward.policy.scheduling.preemption import Budget, Preemption, preempt

ZONE = "topology.kubernetes.io/zone"


def chosen(wanted: PodFacts, *nodes: NodeFacts, namespaces: Namespaces | None = None) -> str | tuple[str, ...]:
    found = choose(wanted, Cluster(nodes, namespaces or {}))
    return found.nodes if isinstance(found, Choice) else found.sentence


def test_the_sentence_counts_nodes_by_reason() -> None:
    tainted: Json = [{"key": "a", "effect": "NoSchedule"}]
    nodes = (node("n1"), node("n2"), node("n3", taints=tainted), node("n4", unschedulable=True))
    assert chosen(pod(requests={"cpu": "4", "memory": "8Gi"}), *nodes) == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, "
        "2 Insufficient cpu, 2 Insufficient memory."
    )


def test_without_nodes_there_is_no_count() -> None:
    assert chosen(pod()) == "no nodes available to schedule pods"


def of_name(*names: str) -> JsonObject:
    fields: Json = [{"key": "metadata.name", "operator": "In", "values": [name]} for name in names]
    required: JsonObject = {"nodeSelectorTerms": [{"matchFields": fields}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def test_a_pod_that_names_its_node_is_asked_about_it_alone() -> None:
    nodes = (node("n1"), node("n2"))
    assert chosen(pod(affinity=of_name("n2")), *nodes) == ("n2",)
    assert chosen(pod(affinity=of_name("n2"), requests={"cpu": "4"}), *nodes) == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )
    assert chosen(pod(affinity=of_name("n1", "n2")), *nodes) == (
        "0/2 nodes are available: pod affinity terms conflict."
    )


def test_the_emptier_node_is_better() -> None:
    assert chosen(pod(), node("n1", pod("a", "n1", requests={"cpu": "1"})), node("n2")) == ("n2",)
    assert chosen(pod(), node("n1"), node("n2")) == ("n1", "n2")


def test_preferences_weigh_more_than_a_little_room() -> None:
    term: JsonObject = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    preferred: Json = [{"weight": 1, "preference": term}]
    wanted = pod(affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}})
    assert chosen(wanted, node("n1", pod("a", "n1"), labels={"disk": "ssd"}), node("n2")) == ("n1",)
    avoided: Json = [{"key": "a", "effect": "PreferNoSchedule"}]
    assert chosen(pod(), node("n1", pod("a", "n1")), node("n2", taints=avoided)) == ("n1",)


def pods_term(key: str = "kubernetes.io/hostname", app: str = "db", **more: Json) -> JsonObject:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def side(name: str, *terms: JsonObject) -> JsonObject:
    return {name: {"requiredDuringSchedulingIgnoredDuringExecution": [*terms]}}


@pytest.mark.parametrize(
    ("affinity", "labels", "expected"),
    [
        (side("podAffinity", pods_term()), {}, ("n1",)),
        (side("podAffinity", pods_term(ZONE)), {}, ("n1", "n2")),
        (side("podAntiAffinity", pods_term()), {}, ("n2", "n3")),
        (side("podAntiAffinity", pods_term(ZONE)), {}, ("n3",)),
        (side("podAffinity", pods_term(app="web")), {"app": "web"}, ("n1", "n2", "n3")),
        (side("podAffinity", pods_term(app="web")), {}, "3 node(s) didn't match pod affinity rules"),
        (side("podAffinity", pods_term("rack")), {}, "3 node(s) didn't match pod affinity rules"),
        (side("podAntiAffinity", pods_term(), pods_term(app="x", key="rack")), {}, ("n2", "n3")),
        (side("podAffinity", pods_term(namespaces=["other"])), {}, "3 node(s) didn't match pod affinity rules"),
        (side("podAntiAffinity", pods_term(namespaceSelector={})), {}, ("n2", "n3")),
        (
            side("podAffinity", pods_term(namespaceSelector={"matchLabels": {"team": "a"}})),
            {},
            ("n1",),
        ),
    ],
)
def test_pods_are_near_or_far_as_they_want(
    affinity: JsonObject, labels: JsonObject, expected: tuple[str, ...] | str
) -> None:
    nodes = (
        node("n1", pod("db", "n1", {"app": "db"}), labels={ZONE: "a"}),
        node("n2", pod("b", "n2"), labels={ZONE: "a"}),
        node("n3", pod("c", "n3"), labels={ZONE: "b"}),
    )
    found = chosen(pod("web", "", labels, affinity=affinity), *nodes, namespaces={"default": {"team": "a"}})
    assert found == (expected if isinstance(expected, tuple) else f"0/3 nodes are available: {expected}.")


def test_a_pod_that_is_there_keeps_others_away() -> None:
    alone = pod("db", "n1", {"app": "db"}, affinity=side("podAntiAffinity", pods_term(app="web")))
    assert chosen(pod("web", "", {"app": "web"}), node("n1", alone), node("n2")) == ("n2",)
    assert chosen(pod("web", "", {"app": "web"}), node("n1", alone)) == (
        "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules."
    )


def spread(**more: Json) -> Json:
    constraint: JsonObject = {
        "maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}}, **more,
    }  # fmt: skip
    return [constraint]


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        (spread(), ("n2",)),
        (spread(maxSkew=2), ("n1", "n2")),
        (spread(minDomains=3), ("n2",)),
        (spread(topologyKey="rack"), "2 node(s) didn't match pod topology spread constraints (missing required label)"),
        (spread(whenUnsatisfiable="ScheduleAnyway"), ("n2",)),
        (spread(labelSelector={"matchLabels": {"app": "db"}}), ("n1", "n2")),
    ],
)
def test_pods_are_spread(constraints: Json, expected: tuple[str, ...] | str) -> None:
    nodes = (
        node("n1", pod("a", "n1", {"app": "web"}), labels={ZONE: "a"}),
        node("n2", pod("b", "n2"), labels={ZONE: "b"}),
    )
    found = chosen(pod("c", "", {"app": "web"}, topologySpreadConstraints=constraints), *nodes)
    assert found == (expected if isinstance(expected, tuple) else f"0/2 nodes are available: {expected}.")


def test_pods_that_belong_together_are_kept_apart_though_they_do_not_say_so() -> None:
    web: JsonObject = {"app": "web"}
    there = [
        node("n1", pod("a", "n1", labels=web), labels={ZONE: "z1"}),
        node("n2", labels={ZONE: "z1"}, allocatable={"cpu": "64"}),
        node("n3", pod("b", "n3", labels={"app": "db"}), labels={ZONE: "z2"}),
        node("n4"),
    ]
    together = (LabelSelector(match_labels={"app": "web"}),)
    cluster, wanted = Cluster(there), pod(labels=web, requests={"cpu": "100m"})
    assert choose(wanted, cluster) == Choice(("n2",))
    assert choose(wanted, cluster, together) == Choice(("n4",))
    said = pod(labels=web, requests={"cpu": "100m"}, topologySpreadConstraints=spread(topologyKey=ZONE))
    assert choose(said, Cluster(there[:3]), together) == Choice(("n3",))


@pytest.mark.parametrize(
    ("waiting", "waits"),
    [
        (pod(affinity=side("podAffinity", pods_term())), True),
        (pod(affinity=side("podAffinity", pods_term(app="other"))), False),
        (pod(affinity=side("podAntiAffinity", pods_term())), False),
        (pod(topologySpreadConstraints=spread(labelSelector={"matchLabels": {"app": "db"}})), True),
        (pod(topologySpreadConstraints=spread()), False),
        (pod(), False),
    ],
)
def test_a_pod_that_has_got_a_node_is_waited_for_by_those_that_it_concerns(waiting: PodFacts, *, waits: bool) -> None:
    assert waits_for(waiting, pod("db", "n1", {"app": "db"}), {}) is waits


def test_too_few_topologies_count_as_an_empty_one() -> None:
    nodes = (
        node("n1", pod("a", "n1", {"app": "web"}), labels={ZONE: "a"}),
        node("n2", pod("b", "n2", {"app": "web"}), labels={ZONE: "b"}),
    )
    wanted = pod("c", "", {"app": "web"}, topologySpreadConstraints=spread(minDomains=3))
    assert chosen(wanted, *nodes) == (
        "0/2 nodes are available: 2 node(s) didn't match pod topology spread constraints."
    )


def preempted(wanted: PodFacts, *nodes: NodeFacts, budgets: tuple[Budget, ...] = ()) -> Preemption | str:
    cluster = Cluster(nodes)
    found = choose(wanted, cluster)
    assert isinstance(found, Refusal)
    return preempt(wanted, cluster, found, budgets)


def using(name: str, there: str, cpu: str, priority: int = 0, **labels: Json) -> PodFacts:
    return pod(name, there, {**labels}, requests={"cpu": cpu}, priority=priority)


def test_as_few_pods_end_as_possible_and_the_least_important_ones() -> None:
    there = node("n1", using("a", "n1", "1", 5), using("b", "n1", "500m", 1), using("c", "n1", "500m", 3))
    found = preempted(using("vip", "", "1", 10), there)
    assert isinstance(found, Preemption)
    assert (found.node, [victim.name for victim in found.victims]) == ("n1", ["c", "b"])


def test_the_node_where_it_matters_least_is_chosen() -> None:
    nodes = (node("n1", using("a", "n1", "2", 5)), node("n2", using("b", "n2", "2", 1)), node("n3", unschedulable=True))
    found = preempted(using("vip", "", "1", 10), *nodes)
    assert isinstance(found, Preemption)
    assert (found.node, [victim.name for victim in found.victims]) == ("n2", ["b"])


def test_budgets_are_violated_last() -> None:
    there = node("n1", using("a", "n1", "1", 1, app="kept"), using("b", "n1", "1", 2))
    selector = {"matchLabels": {"app": "kept"}}
    budget = Budget("default", convert(selector, LabelSelector), 0)
    found = preempted(using("vip", "", "1", 10), there, budgets=(budget,))
    assert isinstance(found, Preemption)
    assert [victim.name for victim in found.victims] == ["b"]


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        (using("x", "", "1"), using("a", "n1", "2"), "1 No preemption victims found for incoming pod"),
        (using("x", "", "3", 9), using("a", "n1", "2"), "1 Preemption is not helpful for scheduling"),
        (
            pod("x", requests={"cpu": "1"}, priority=9, preemptionPolicy="Never"),
            using("a", "n1", "2"),
            "not eligible due to preemptionPolicy=Never.",
        ),
    ],
)
def test_nobody_ends_in_vain(wanted: PodFacts, there: PodFacts, expected: str) -> None:
    found = preempted(wanted, node("n1", there))
    assert found in {expected, f"0/1 nodes are available: {expected}."}


def test_room_that_is_being_made_is_not_given_to_others() -> None:
    nodes = (node("n1"),)
    waiting = {"n1": (using("vip", "", "2", 10),)}
    assert isinstance(choose(using("x", "", "1", 10), Cluster(nodes, nominated=waiting)), Refusal)
    assert isinstance(choose(using("x", "", "1", 11), Cluster(nodes, nominated=waiting)), Choice)
