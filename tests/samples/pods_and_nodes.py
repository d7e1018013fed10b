"""Pods and nodes of tests, written as they are stored."""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.policy.scheduling.facts import NodeFacts, PodFacts, node_facts, pod_facts


def raw_pod(name: str = "web", node: str = "", labels: JsonObject | None = None, **spec: Json) -> JsonObject:
    """A Pod of one container; `requests` and `ports` are the container's."""
    container: JsonObject = {"name": "app", "image": "x"}
    if (requests := spec.pop("requests", None)) is not None:
        container["resources"] = {"requests": requests}
    if (ports := spec.pop("ports", None)) is not None:
        container["ports"] = ports
    metadata: JsonObject = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or {}}
    made: JsonObject = {"containers": [container], **spec}
    if node:
        made["nodeName"] = node
    return {"metadata": metadata, "spec": made, "status": {}}


def pod(name: str = "web", node: str = "", labels: JsonObject | None = None, **spec: Json) -> PodFacts:
    """Its facts."""
    return pod_facts(raw_pod(name, node, labels, **spec))


def raw_node(name: str = "n1", labels: JsonObject | None = None, **more: Json) -> JsonObject:
    """A node of 2 cpus; `allocatable` has what it has beside that, the rest is its spec."""
    allocatable = more.pop("allocatable", {})
    assert isinstance(allocatable, dict)
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": {**more},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110", **allocatable}},
    }


def node(name: str = "n1", *pods: PodFacts, labels: JsonObject | None = None, **more: Json) -> NodeFacts:
    """Its facts, with these Pods on it."""
    return node_facts(raw_node(name, labels, **more), pods)
