"""Which Pods a node takes, and what it says of the others."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.json_value import Json, JsonObject
from podward.api.node import Node
from podward.node.admission import admit, was_admitted
from podward.node.subject import Subject

HERE = Node(capabilities=0)
NODE: JsonObject = {
    "metadata": {"name": "n1", "labels": {"disk": "ssd"}},
    "spec": {"taints": [{"key": "gone", "effect": "NoExecute"}]},
    "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3"}},
}
TOLERATES: list[Json] = [{"operator": "Exists"}]


def pod(name: str = "p", labels: dict[str, str] | None = None, **spec: Any) -> JsonObject:  # noqa: ANN401 - as written
    container = {"name": "c", "image": "i", **spec.pop("container", {})}
    return {
        "metadata": {"name": name, "namespace": "default", "uid": name, "labels": {**(labels or {})}},
        "spec": {"nodeName": "n1", "tolerations": TOLERATES, "containers": [container], **spec},
    }


def requests(**amounts: str) -> dict[str, Any]:
    return {"resources": {"requests": {**amounts}}}


@pytest.mark.parametrize(
    ("made", "others", "reason", "message"),
    [
        (pod(container=requests(cpu="3")), 0, "OutOfcpu",
         "Node didn't have enough resource: cpu, requested: 3000, used: 0, capacity: 2000"),
        (pod(container=requests(memory="1Gi")), 1, "OutOfmemory",
         "Node didn't have enough resource: memory, requested: 1073741824, used: 1048576, capacity: 1073741824"),
        (pod(), 3, "OutOfpods", "Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"),
        (pod(nodeSelector={"disk": "hdd"}), 0, "NodeAffinity",
         "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"),
        (pod(tolerations=[]), 0, "TaintToleration",
         "Predicate TaintToleration failed: node(s) had untolerated taint(s)"),
        (pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}), 0, "SysctlForbidden",
         'forbidden sysctl: "kernel.msgmax" not allowlisted'),
        (pod(securityContext={"appArmorProfile": {"type": "RuntimeDefault"}}), 0, "AppArmor",
         "Cannot enforce AppArmor: AppArmor is not enabled on the host"),
        (pod(os={"name": "windows"}), 0, "PodOSNotSupported",
         "Failed to admit pod as the OS field doesn't match node OS"),
        (pod(labels={"kubernetes.io/os": "windows"}), 0, "PodOSSelectorNodeLabelDoesNotMatch",
         "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"),
    ],
)  # fmt: skip
def test_a_pod_that_does_not_fit_is_rejected(made: JsonObject, others: int, reason: str, message: str) -> None:
    there = [pod(f"o{number}", container=requests(memory="1Mi")) for number in range(others)]
    found = admit(Subject.of(made), HERE, NODE, there)
    assert found is not None
    assert (found.reason, found.message, found.rejected) == (reason, message, True)


@pytest.mark.parametrize(
    "made",
    [
        pod(container=requests(cpu="2", memory="512Mi")),
        pod(nodeSelector={"disk": "ssd"}),
        pod(container=requests(**{"example.com/gadgets": "7"})),
    ],
)
def test_a_pod_that_fits_is_taken(made: JsonObject) -> None:
    assert admit(Subject.of(made), HERE, NODE, []) is None


def test_a_node_without_the_policy_takes_no_pod_that_demands_strict_groups() -> None:
    made = pod(securityContext={"supplementalGroupsPolicy": "Strict"})
    old = Node(capabilities=0, supplemental_groups_policy=False)
    found = admit(Subject.of(made), old, NODE, [])
    assert found is not None
    assert found.reason == "SupplementalGroupsPolicyNotSupported"
    assert admit(Subject.of(made), HERE, NODE, []) is None


def test_what_was_begun_is_not_judged_again() -> None:
    assert was_admitted({"status": {"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"}})
    assert not was_admitted({"status": {"phase": "Pending"}})
