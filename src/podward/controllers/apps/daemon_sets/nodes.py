"""Which nodes a DaemonSet wants a Pod on, and the Pod that is for a node.

Specification: Kubernetes, pkg/controller/daemon: NodeShouldRunDaemonPod, CreatePodTemplate and daemonset_util.go. A
node fits by its name, the node selector and affinity, and taints, as the scheduler sees them; conditions of the node
are tolerated. A taint with NoSchedule that is not tolerated keeps new Pods away, and lets those that are there stay.
The Pod is left to the scheduler, with an affinity to the one node.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.history import HASH
from podward.controllers.apps.pods import made_from, node_of
from podward.documents.raw_fields import member, objects
from podward.policy.scheduling.facts import NodeFacts, PodFacts, node_facts, pod_facts
from podward.policy.scheduling.node_fit import NO_EXECUTE, NO_SCHEDULE, is_named, is_selected, untolerated
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENERATION = "pod-template-generation"
OLD_GENERATION = "deprecated.daemonset.template.generation"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_NAME = "metadata.name"
_TOLERATED = (
    ("not-ready", NO_EXECUTE),
    ("unreachable", NO_EXECUTE),
    ("disk-pressure", NO_SCHEDULE),
    ("memory-pressure", NO_SCHEDULE),
    ("pid-pressure", NO_SCHEDULE),
    ("unschedulable", NO_SCHEDULE),
)
"""Conditions of a node that no daemon minds; with the host's network, also that there is none."""


class Verdict(Struct, frozen=True):
    """Whether a Pod is to be on a node, and whether one that is there may stay."""

    run: bool
    stay: bool


def verdicts(owner: JsonObject, nodes: Iterable[JsonObject]) -> dict[str, Verdict]:
    """The verdict on each node, by its name."""
    template = member(member(owner, "spec"), "template")
    spec = tolerating(member(template, "spec"))
    pod = pod_facts({"metadata": {**member(template, "metadata"), "namespace": ""}, "spec": spec, "status": {}})
    found = [node_facts(node) for node in nodes]
    return {node.name: _verdict(pod, node) for node in found}


def _verdict(pod: PodFacts, node: NodeFacts) -> Verdict:
    if is_named(pod, node) or is_selected(pod, node):
        return Verdict(run=False, stay=False)
    tolerations, taints = pod.spec.tolerations or (), node.view.spec.taints or ()
    if untolerated(tolerations, taints, (NO_SCHEDULE, NO_EXECUTE)) is None:
        return Verdict(run=True, stay=True)
    return Verdict(run=False, stay=untolerated(tolerations, taints, (NO_EXECUTE,)) is None)


def tolerating(spec: JsonObject) -> JsonObject:
    """A Pod's spec with the tolerations that every daemon has."""
    rows = [*_TOLERATED, *([("network-unavailable", NO_SCHEDULE)] if spec.get("hostNetwork") is True else [])]
    tolerations: list[Json] = [*objects(spec, "tolerations")]
    for condition, effect in rows:
        wanted: JsonObject = {"key": f"node.kubernetes.io/{condition}", "operator": "Exists", "effect": effect}
        if wanted not in tolerations:
            tolerations.append(wanted)
    return {**spec, "tolerations": tolerations}


def pod_for(owner: JsonObject, node: str, found_hash: str) -> JsonObject:
    """The Pod of this revision for a node."""
    template = member(member(owner, "spec"), "template")
    pod = made_from({**template, "spec": tolerating(member(template, "spec"))}, owner)
    metadata, spec = member(pod, "metadata"), member(pod, "spec")
    labels: JsonObject = {**member(metadata, "labels"), HASH: found_hash}
    if generation := generation_of(owner):
        labels[GENERATION] = generation
    affinity = member(spec, "affinity")
    about_nodes = member(affinity, "nodeAffinity")
    only: JsonObject = {"matchFields": [{"key": _NAME, "operator": "In", "values": [node]}]}
    required: JsonObject = {**member(about_nodes, _REQUIRED), "nodeSelectorTerms": [only]}
    spec["affinity"] = {**affinity, "nodeAffinity": {**about_nodes, _REQUIRED: required}}
    metadata["labels"] = labels
    return pod


def generation_of(owner: JsonObject) -> str:
    """The generation of the template that old clients count by; empty where none does."""
    return text(member(member(owner, "metadata"), "annotations"), OLD_GENERATION)


def target_of(pod: JsonObject) -> str:
    """The node that a daemon's Pod is on, or is for; empty where that is unknown."""
    if node := node_of(pod):
        return node
    about_nodes = member(member(member(pod, "spec"), "affinity"), "nodeAffinity")
    for term in objects(member(about_nodes, _REQUIRED), "nodeSelectorTerms"):
        for field in objects(term, "matchFields"):
            if text(field, "key") == _NAME and text(field, "operator") == "In":
                names = texts(field, "values")
                return names[0] if len(names) == 1 else ""
    return ""


def by_node(pods: Iterable[JsonObject]) -> Mapping[str, list[JsonObject]]:
    """The Pods of each node, where it is known."""
    found = defaultdict[str, list[JsonObject]](list)
    for pod in pods:
        if name := target_of(pod):
            found[name].append(pod)
    return found
