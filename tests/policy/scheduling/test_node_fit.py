"""Which nodes a Pod may be on, as far as the node alone says."""

from __future__ import annotations

import pytest
from pods_and_nodes import node, pod, raw_pod

from podward.api.json_value import Json, JsonObject
from podward.policy.scheduling.facts import pod_facts
from podward.policy.scheduling.node_fit import NODE_RULES, Insufficient, has_resources

UNSCHEDULABLE = "node(s) were unschedulable"
TAINTED = "node(s) had untolerated taint(s)"
UNSELECTED = "node(s) didn't match Pod's node affinity/selector"
NO_PORT = "node(s) didn't have free ports for the requested pod ports"


def reasons(wanted: JsonObject, there: JsonObject, *, taken: JsonObject | None = None) -> list[str]:
    """Why a Pod of this spec does not fit a node of this spec, that may have one Pod already."""
    labels = there.pop("labels", None)
    assert labels is None or isinstance(labels, dict)
    others = () if taken is None else (pod("other", "n1", None, **taken),)
    facts = node("n1", *others, labels=labels, **there)
    asked = pod("web", "", None, **wanted)
    return next(([each.reason for each in found] for rule in NODE_RULES if (found := rule(asked, facts))), [])


def taint(effect: str = "NoSchedule", key: str = "dedicated", value: str = "db") -> JsonObject:
    return {"taints": [{"key": key, "value": value, "effect": effect}]}


def tolerating(**toleration: Json) -> JsonObject:
    return {"tolerations": [{**toleration}]}


def affinity(*terms: JsonObject) -> JsonObject:
    required: JsonObject = {"nodeSelectorTerms": [*terms]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}}


def expression(key: str, operator: str, *values: str, kind: str = "matchExpressions") -> JsonObject:
    return {kind: [{"key": key, "operator": operator, "values": [*values]}]}


@pytest.mark.parametrize(
    ("wanted", "there", "refused"),
    [
        ({}, {"unschedulable": True}, UNSCHEDULABLE),
        (tolerating(key="node.kubernetes.io/unschedulable", operator="Exists"), {"unschedulable": True}, ""),
        (tolerating(operator="Exists"), {"unschedulable": True}, ""),
        ({"nodeName": "n2"}, {}, "node(s) didn't match the requested node name"),
        ({"nodeName": "n1"}, {}, ""),
        ({}, taint(), TAINTED),
        ({}, taint("NoExecute"), TAINTED),
        ({}, taint("PreferNoSchedule"), ""),
        (tolerating(key="dedicated", value="db"), taint(), ""),
        (tolerating(key="dedicated", operator="Equal", value="web"), taint(), TAINTED),
        (tolerating(key="dedicated", operator="Exists", effect="NoExecute"), taint(), TAINTED),
        (tolerating(key="dedicated", operator="Exists", effect="NoSchedule"), taint(), ""),
        (tolerating(key="size", operator="Gt", value="3"), taint(key="size", value="5"), ""),
        (tolerating(key="size", operator="Lt", value="3"), taint(key="size", value="5"), TAINTED),
        (tolerating(key="size", operator="Lt", value="3"), taint(key="size", value="many"), TAINTED),
        ({"nodeSelector": {"disk": "ssd"}}, {}, UNSELECTED),
        ({"nodeSelector": {"disk": "ssd"}}, {"labels": {"disk": "ssd"}}, ""),
        (affinity(expression("disk", "In", "ssd", "nvme")), {"labels": {"disk": "nvme"}}, ""),
        (affinity(expression("disk", "NotIn", "hdd")), {}, ""),
        (affinity(expression("disk", "Exists")), {}, UNSELECTED),
        (affinity(expression("disk", "DoesNotExist")), {}, ""),
        (affinity(expression("cores", "Gt", "4")), {"labels": {"cores": "8"}}, ""),
        (affinity(expression("cores", "Lt", "4")), {"labels": {"cores": "8"}}, UNSELECTED),
        (affinity(expression("cores", "Gt", "4")), {"labels": {"cores": "many"}}, UNSELECTED),
        (affinity(expression("a", "Exists"), expression("b", "Exists")), {"labels": {"b": ""}}, ""),
        (affinity({}), {}, UNSELECTED),
        (affinity(expression("metadata.name", "In", "n1", kind="matchFields")), {}, ""),
        (affinity(expression("metadata.name", "In", "n2", kind="matchFields")), {}, UNSELECTED),
        (affinity(expression("metadata.name", "NotIn", "n2", kind="matchFields")), {}, ""),
        ({"nodeSelector": {"a": "b"}, **affinity(expression("c", "Exists"))}, {"labels": {"a": "b"}}, UNSELECTED),
    ],
)  # fmt: skip
def test_a_node_is_one_for_the_pod(wanted: JsonObject, there: JsonObject, refused: str) -> None:
    assert reasons(wanted, dict(there)) == ([refused] if refused else [])


def port(number: int, protocol: str = "TCP", address: str = "") -> JsonObject:
    return {"ports": [{"containerPort": 80, "hostPort": number, "protocol": protocol, "hostIP": address}]}


@pytest.mark.parametrize(
    ("wanted", "taken", "refused"),
    [
        (port(8080), port(8080), True),
        (port(8080), port(8081), False),
        (port(8080), port(8080, "UDP"), False),
        (port(8080, address="127.0.0.1"), port(8080, address="127.0.0.2"), False),
        (port(8080, address="127.0.0.1"), port(8080), True),
        (port(8080), port(8080, address="127.0.0.1"), True),
        (port(8080, address="0.0.0.0"), port(8080, address="127.0.0.1"), True),  # noqa: S104
    ],
)  # fmt: skip
def test_host_ports_are_had_once(wanted: JsonObject, taken: JsonObject, *, refused: bool) -> None:
    assert reasons(wanted, {}, taken=taken) == ([NO_PORT] if refused else [])


@pytest.mark.parametrize(
    ("wanted", "taken", "refused"),
    [
        ({"cpu": "2"}, {}, []),
        ({"cpu": "1500m", "memory": "1Gi"}, {"cpu": "500m"}, []),
        ({"cpu": "1501m"}, {"cpu": "500m"}, ["Insufficient cpu"]),
        ({"cpu": "3", "memory": "5Gi"}, {}, ["Insufficient cpu", "Insufficient memory"]),
        ({"example.com/gpu": "1"}, {}, ["Insufficient example.com/gpu"]),
        ({"cpu": "0"}, {"cpu": "5"}, []),
    ],
)
def test_what_is_requested_is_free(wanted: JsonObject, taken: JsonObject, refused: list[str]) -> None:
    assert reasons({"requests": wanted}, {}, taken={"requests": taken}) == refused


def test_evicting_helps_only_where_the_node_has_enough_at_all() -> None:
    there = node("n1", pod("other", "n1", requests={"cpu": "2"}))
    (full,) = has_resources(pod(requests={"cpu": "1"}), there)
    (never,) = has_resources(pod(requests={"cpu": "3"}), there)
    assert (full.evicting, never.evicting) == (True, False)
    assert isinstance(full, Insufficient)
    assert (full.resource, full.requested, full.used, full.capacity) == ("cpu", 1000, 2000, 2000)


def test_a_node_has_room_for_so_many_pods() -> None:
    full = node("n1", pod("a", "n1"), allocatable={"pods": "1"})
    assert [each.reason for each in has_resources(pod(), full)] == ["Too many pods"]


def test_pods_that_have_ended_take_nothing() -> None:
    ended = raw_pod("other", "n1", requests={"cpu": "2"})
    ended["status"] = {"phase": "Succeeded"}
    assert has_resources(pod(requests={"cpu": "2"}), node("n1", pod_facts(ended))) == ()


def test_sidecars_overhead_and_the_largest_init_container_count() -> None:
    init: list[Json] = [
        {"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "setup", "resources": {"requests": {"cpu": "700m"}}},
    ]
    found = pod(requests={"cpu": "500m"}, initContainers=init, overhead={"cpu": "50m", "memory": "1Mi"})
    assert found.requests == {"cpu": 850, "memory": 1 << 20}


def test_the_pods_own_resources_come_first() -> None:
    assert pod(requests={"cpu": "500m"}, resources={"requests": {"cpu": "1"}}).requests == {"cpu": 1000}


@pytest.mark.parametrize(("conditions", "counted"), [([], 1000), ([("PodResizePending", "Infeasible")], 500)])
def test_a_container_that_was_resized_counts_as_the_larger(conditions: list[tuple[str, str]], counted: int) -> None:
    raw = raw_pod(requests={"cpu": "1"})
    raw["status"] = {
        "containerStatuses": [{"name": "app", "resources": {"requests": {"cpu": "500m"}}}],
        "conditions": [{"type": of_type, "reason": reason} for of_type, reason in conditions],
    }
    assert pod_facts(raw).requests == {"cpu": counted}


def test_a_container_that_requests_nothing_counts_in_scores() -> None:
    found = pod()
    assert (found.requests, found.scored) == ({}, {"cpu": 100, "memory": 200 << 20})
