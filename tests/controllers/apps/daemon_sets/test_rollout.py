"""The steps of DaemonSets, and which nodes fit."""

from __future__ import annotations

import pytest
from workload_samples import NOW, meta, pod, template, workload

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.daemon_sets import nodes, rollout
from podward.controllers.apps.daemon_sets.nodes import Verdict
from podward.controllers.apps.daemon_sets.rollout import Facts, Plan
from podward.controllers.apps.history import HASH
from podward.controllers.apps.ownership import name_of
from podward.documents.raw_fields import member

RUN, STAY, NO = Verdict(run=True, stay=True), Verdict(run=False, stay=True), Verdict(run=False, stay=False)
READY = 3600.0


def daemon_set(strategy: str = "RollingUpdate", surge: Json = 0, unavailable: Json = 1, **spec: Json) -> JsonObject:
    rolling: JsonObject = {"maxSurge": surge, "maxUnavailable": unavailable}
    update: JsonObject = {"type": strategy, **({"rollingUpdate": rolling} if strategy == "RollingUpdate" else {})}
    return workload("DaemonSet", "web", updateStrategy=update, **spec)


def daemon(name: str, revision: str = "new", /, *, ready: float | None = READY, **more: Json) -> JsonObject:
    return pod(name, ready=ready, labels={"app": "web", HASH: revision}, **more)


def step(owner: JsonObject, verdicts: dict[str, Verdict], pods: dict[str, list[JsonObject]], delay: float = 0) -> Plan:
    return rollout.decide(owner, Facts(verdicts, pods, "new", NOW, lambda _: delay))


def told(plan: Plan) -> tuple[list[str], list[str]]:
    return plan.make, [name_of(each) for each in plan.delete]


@pytest.mark.parametrize(
    ("verdict", "pods", "make", "delete"),
    [
        (RUN, [], ["n"], []),
        (STAY, [], [], []),
        (RUN, [daemon("a")], [], []),
        (STAY, [daemon("a")], [], []),
        (NO, [daemon("a"), daemon("b", gone=True)], [], ["a"]),
        (RUN, [daemon("young", age=1), daemon("old", age=9)], [], ["young"]),
        (RUN, [daemon("a", gone=True)], [], []),
        (RUN, [daemon("a", phase="Succeeded")], [], ["a"]),
        (RUN, [daemon("a", phase="Failed")], [], ["a"]),
    ],
)
def test_a_node_gets_what_it_lacks(
    verdict: Verdict, pods: list[JsonObject], make: list[str], delete: list[str]
) -> None:
    assert told(step(daemon_set(), {"n": verdict}, {"n": pods} if pods else {})) == (make, delete)


def test_a_failed_pod_is_deleted_later_each_time() -> None:
    plan = step(daemon_set(), {"n": RUN}, {"n": [daemon("a", phase="Failed")]}, delay=2.0)
    assert (told(plan), plan.again) == (([], []), 2.0)
    plan = step(daemon_set(), {"n": RUN}, {"n": [daemon("a", phase="Failed")]})
    assert plan.failed == ["n"]
    assert plan.events == [
        ("Warning", "FailedDaemonPod", "Found failed daemon pod ns/a on node n, will try to kill it")
    ]


def test_a_pod_for_a_node_that_is_gone_goes_if_it_was_never_bound() -> None:
    plan = step(daemon_set(), {}, {"n": [daemon("bound"), daemon("waits", node="")]})
    assert told(plan) == ([], ["waits"])


def three(*pods: JsonObject) -> dict[str, list[JsonObject]]:
    return {f"n{index}": [each] for index, each in enumerate(pods)}


@pytest.mark.parametrize(
    ("unavailable", "pods", "expected"),
    [
        (1, (daemon("a", "old"), daemon("b", "old"), daemon("c", "old")), ["a"]),
        (2, (daemon("a", "old"), daemon("b", "old"), daemon("c", "old")), ["a", "b"]),
        ("34%", (daemon("a", "old"), daemon("b", "old"), daemon("c", "old")), ["a", "b"]),
        (1, (daemon("a", "old"), daemon("b", "old", ready=None), daemon("c", "old")), ["b"]),
        (1, (daemon("a", "new", ready=None), daemon("b", "old"), daemon("c", "old")), []),
        (1, (daemon("a"), daemon("b"), daemon("c")), []),
    ],
)
def test_old_pods_go_as_far_as_may_be_unavailable(
    unavailable: Json, pods: tuple[JsonObject, ...], expected: list[str]
) -> None:
    verdicts = dict.fromkeys(three(*pods), RUN)
    assert told(step(daemon_set(unavailable=unavailable), verdicts, three(*pods))) == ([], expected)
    assert told(step(daemon_set("OnDelete"), verdicts, three(*pods))) == ([], [])


def test_with_a_surge_the_new_one_comes_first() -> None:
    owner, verdicts = daemon_set(surge=1, unavailable=0), {"n0": RUN, "n1": RUN}
    old = {"n0": [daemon("a", "old")], "n1": [daemon("b", "old")]}
    assert told(step(owner, verdicts, old)) == (["n0"], [])
    beside = {"n0": [*old["n0"], daemon("c", ready=None)], "n1": old["n1"]}
    assert told(step(owner, verdicts, beside)) == ([], [])
    broken = {"n0": [daemon("a", "old", ready=None), daemon("c", ready=None)], "n1": old["n1"]}
    assert told(step(owner, verdicts, broken)) == ([], ["a"])
    available = {"n0": [*old["n0"], daemon("c")], "n1": old["n1"]}
    assert told(step(owner, verdicts, available)) == ([], ["a"])


def test_an_old_one_where_none_is_wanted_any_more_goes_once_enough_are_available() -> None:
    owner, verdicts = daemon_set(surge=1, unavailable=0), {"n0": RUN, "n1": STAY}
    both = {"n0": [daemon("a")], "n1": [daemon("b", "old")]}
    assert told(step(owner, verdicts, both)) == ([], ["b"])
    assert told(step(owner, verdicts, {**both, "n0": [daemon("a", ready=None)]})) == ([], [])


def test_the_numbers_of_the_status() -> None:
    pods = {"n0": [daemon("a")], "n1": [daemon("b", "old", ready=None)], "n2": [daemon("c")]}
    facts = Facts({"n0": RUN, "n1": RUN, "n2": NO, "n3": RUN}, pods, "new", NOW)
    assert rollout.status_of(daemon_set(), facts, observed=True) == {
        "observedGeneration": 1,
        "desiredNumberScheduled": 3,
        "currentNumberScheduled": 2,
        "numberMisscheduled": 1,
        "numberReady": 1,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "numberUnavailable": 2,
    }
    assert "observedGeneration" not in rollout.status_of(daemon_set(), facts, observed=False)


def node(**spec: Json) -> JsonObject:
    labels: JsonObject = {"color": "blue"}
    metadata: JsonObject = {"name": "n", "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": {}}


def taint(key: str, effect: str) -> JsonObject:
    return {"key": key, "effect": effect}


@pytest.mark.parametrize(
    ("pod_spec", "found", "expected"),
    [
        ({}, node(), RUN),
        ({"nodeName": "other"}, node(), NO),
        ({"nodeSelector": {"color": "blue"}}, node(), RUN),
        ({"nodeSelector": {"color": "red"}}, node(), NO),
        ({}, node(taints=[taint("own", "NoSchedule")]), STAY),
        ({}, node(taints=[taint("own", "NoExecute")]), NO),
        ({"tolerations": [{"operator": "Exists"}]}, node(taints=[taint("own", "NoExecute")]), RUN),
        ({}, node(unschedulable=True, taints=[taint("node.kubernetes.io/unschedulable", "NoSchedule")]), RUN),
        ({}, node(taints=[taint("node.kubernetes.io/not-ready", "NoExecute")]), RUN),
        ({}, node(taints=[taint("node.kubernetes.io/network-unavailable", "NoSchedule")]), STAY),
        ({"hostNetwork": True}, node(taints=[taint("node.kubernetes.io/network-unavailable", "NoSchedule")]), RUN),
    ],
)
def test_which_nodes_fit(pod_spec: JsonObject, found: JsonObject, expected: Verdict) -> None:
    wanted = template()
    member(wanted, "spec").update(pod_spec)
    assert nodes.verdicts(daemon_set(template=wanted), [found]) == {"n": expected}


def test_a_pod_is_for_one_node() -> None:
    owner = daemon_set()
    owner["metadata"] = meta("web", annotations={nodes.OLD_GENERATION: "7"})
    made = nodes.pod_for(owner, "n1", "abc")
    assert nodes.target_of(made) == "n1"
    assert member(member(made, "metadata"), "labels") == {"app": "web", HASH: "abc", nodes.GENERATION: "7"}
