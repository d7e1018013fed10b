"""Whether a Pod may be on a node, as far as the node and its Pods alone say: taints, affinity, ports, resources.

Schedulers, DaemonSets and kubelets ask the same. Specification: Kubernetes, pkg/scheduler/framework/plugins
(nodeunschedulable, nodename, tainttoleration, nodeaffinity, nodeports, noderesources), k8s.io/component-helpers
scheduling/corev1, in our words:
- A node that is unschedulable is one only for Pods that tolerate the taint `node.kubernetes.io/unschedulable`.
- Taints of NoSchedule and NoExecute must be tolerated; an empty effect tolerates every effect, an empty key every key.
- The node selector must match, and one of the terms of the required node affinity; a term without requirements matches
  nothing. A requirement that cannot be understood matches nothing, but lets other terms decide.
- No Pod has a host port that the Pod wants, at the same address or at all of them.
- What it requests is free, of every resource; and the node has room for one Pod more.
- Evicting Pods helps only against ports and resources, and against the latter only where the node has enough at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from podward.api.scheduling import NodeRequirement, NodeSelector, NodeTerm, SchedulingSpec, Taint, Toleration
from podward.policy.scheduling.facts import NodeFacts, PodFacts
from podward.schema.validation.labels import key_faults, value_faults

NO_SCHEDULE, NO_EXECUTE, PREFER_NOT = "NoSchedule", "NoExecute", "PreferNoSchedule"
UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", effect=NO_SCHEDULE)
_NAME = "metadata.name"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")


class Misfit(Struct, frozen=True):
    """Why a Pod may not be on a node. `plugin` is who says so; `evicting` is whether evicting others may help."""

    plugin: str
    reason: str
    evicting: bool = False


class Insufficient(Misfit, frozen=True):
    """Of which resource the node has not enough, in whole numbers."""

    resource: str = ""
    requested: int = 0
    used: int = 0
    capacity: int = 0


NodeRule = Callable[[PodFacts, NodeFacts], "tuple[Misfit, ...]"]


def is_schedulable(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """The node takes new Pods."""
    if not node.view.spec.unschedulable or tolerates(pod.spec.tolerations or (), UNSCHEDULABLE):
        return ()
    return (Misfit("NodeUnschedulable", "node(s) were unschedulable"),)


def is_named(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """The Pod names this node, or none."""
    if pod.node in {"", node.name}:
        return ()
    return (Misfit("NodeName", "node(s) didn't match the requested node name"),)


def is_tolerated(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """The Pod tolerates the node's taints."""
    if untolerated(pod.spec.tolerations or (), node.view.spec.taints or (), (NO_SCHEDULE, NO_EXECUTE)) is None:
        return ()
    return (Misfit("TaintToleration", "node(s) had untolerated taint(s)"),)


def is_selected(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """The Pod's node selector and required node affinity match."""
    if selects_node(pod.spec, node.name, node.labels):
        return ()
    return (Misfit("NodeAffinity", "node(s) didn't match Pod's node affinity/selector"),)


def has_ports(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """The host ports that the Pod wants are free."""
    taken = [port for other in node.pods for port in other.ports] if pod.ports else ()
    if not any(wanted.conflicts(port) for wanted in pod.ports for port in taken):
        return ()
    return (Misfit("NodePorts", "node(s) didn't have free ports for the requested pod ports", evicting=True),)


def has_resources(pod: PodFacts, node: NodeFacts) -> tuple[Misfit, ...]:
    """What the Pod requests is free."""
    found: list[Misfit] = []
    allowed, there = node.allocatable.get("pods", 0), len(node.pods)
    if there + 1 > allowed:
        found.append(_insufficient("Too many pods", "pods", 1, there, allowed))
    for name, wanted in sorted(pod.requests.items(), key=_common_first):
        used, capacity = node.requested.get(name, 0), node.allocatable.get(name, 0)
        if wanted > 0 and wanted > capacity - used:
            found.append(_insufficient(f"Insufficient {name}", name, wanted, used, capacity))
    return tuple(found)


def _common_first(item: tuple[str, int]) -> tuple[bool, str]:
    return item[0] not in {"cpu", "memory", "ephemeral-storage"}, item[0]


def _insufficient(reason: str, resource: str, requested: int, used: int, capacity: int) -> Insufficient:
    helps = requested <= capacity
    return Insufficient("NodeResourcesFit", reason, helps, resource, requested, used, capacity)


NODE_RULES: tuple[NodeRule, ...] = (
    is_schedulable, is_named, is_tolerated, is_selected, has_ports, has_resources,
)  # fmt: skip
"""In the order in which a scheduler asks them; the first that refuses is heard."""


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Whether one of them tolerates the taint."""
    return any(tolerates_taint(each, taint) for each in tolerations)


def tolerates_taint(toleration: Toleration, taint: Taint) -> bool:
    """Whether it tolerates the taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    own, its = toleration.value or "", taint.value or ""
    if toleration.operator in {"Lt", "Gt"}:
        if not _INTEGER.fullmatch(own) or not _INTEGER.fullmatch(its):
            return False
        return int(its) < int(own) if toleration.operator == "Lt" else int(its) > int(own)
    return (toleration.operator or "Equal") == "Equal" and own == its


def untolerated(tolerations: Iterable[Toleration], taints: Iterable[Taint], effects: Iterable[str]) -> Taint | None:
    """The first taint of one of these effects that is not tolerated."""
    wanted, own = frozenset(effects), tuple(tolerations)
    return next((taint for taint in taints if taint.effect in wanted and not tolerates(own, taint)), None)


def selects_node(spec: SchedulingSpec, name: str, labels: Mapping[str, str]) -> bool:
    """Whether a Pod's node selector and required node affinity match a node of this name and these labels."""
    if any(labels.get(key) != value for key, value in (spec.node_selector or {}).items()):
        return False
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    required = affinity.required if affinity is not None else None
    return required is None or matches_node(required, name, labels)


def matches_node(selector: NodeSelector, name: str, labels: Mapping[str, str]) -> bool:
    """Whether one of the selector's terms matches."""
    return any(matches_term(term, name, labels) for term in selector.node_selector_terms or ())


def matches_term(term: NodeTerm, name: str, labels: Mapping[str, str]) -> bool:
    """Whether all requirements of a term hold; one without any matches nothing."""
    expressions, fields = term.match_expressions or (), term.match_fields or ()
    if not expressions and not fields:
        return False
    return all(_meets(each, labels) for each in expressions) and all(_field_meets(each, name) for each in fields)


def _meets(requirement: NodeRequirement, labels: Mapping[str, str]) -> bool:
    key, operator, values = requirement.key, requirement.operator, requirement.values or ()
    if key_faults(key) or any(map(value_faults, values)):
        return False
    there = labels.get(key)
    if operator in {"In", "NotIn"}:
        return bool(values) and (there in values) is (operator == "In")
    if operator in {"Exists", "DoesNotExist"}:
        return not values and (there is not None) is (operator == "Exists")
    if operator not in {"Gt", "Lt"} or len(values) != 1 or there is None:
        return False
    if not _INTEGER.fullmatch(there) or not _INTEGER.fullmatch(values[0]):
        return False
    return int(there) > int(values[0]) if operator == "Gt" else int(there) < int(values[0])


def _field_meets(requirement: NodeRequirement, name: str) -> bool:
    values = requirement.values or ()
    if len(values) != 1 or requirement.operator not in {"In", "NotIn"}:
        return False
    own = name if requirement.key == _NAME else ""
    return (own == values[0]) is (requirement.operator == "In")
