"""Which of the nodes that a Pod may be on is best.

Specification: Kubernetes, pkg/scheduler/framework/plugins as default_plugins.go weighs them: TaintToleration (3),
NodeAffinity (2), NodeResourcesFit (1: the least allocated), PodTopologySpread (2), InterPodAffinity (2),
NodeResourcesBalancedAllocation (1), ImageLocality (1). Each gives a node 0 to 100. A Pod without spread constraints is
kept apart from those of its Services and its workload: over nodes with a maxSkew of 3, over zones with one of 5.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from podward.policy.scheduling.facts import NodeFacts, PodFacts
from podward.policy.scheduling.node_fit import PREFER_NOT, matches_term, selects_node, tolerates_taint
from podward.policy.scheduling.pod_terms import Namespaces, Together, companions, preferred_counts, soft_spread

MOST = 100
_MIB = 1 << 20
_LEAST_IMAGE, _MOST_IMAGE = 23 * _MIB, 1000 * _MIB
_COMPUTED = ("cpu", "memory")
_HOST, _ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_HOST_SKEW, _ZONE_SKEW = 3, 5

Scores = list[float]
"""One for each node that may be chosen, in their order."""


class Around(Struct, frozen=True):
    """What else counts: the labels of the namespaces, and what a Pod without spread constraints is kept apart from."""

    namespaces: Namespaces = {}
    together: Together = ()


def best(pod: PodFacts, fitting: Sequence[NodeFacts], nodes: Sequence[NodeFacts], around: Around) -> tuple[str, ...]:
    """The names of the best of the nodes that fit; of several, chance chooses. `nodes` are all that there are."""
    if len(fitting) <= 1:
        return tuple(node.name for node in fitting)
    total = [0.0] * len(fitting)
    for weight, score in _WEIGHTS:
        for index, found in enumerate(score(pod, fitting, nodes, around)):
            total[index] += weight * int(found)
    highest = max(total)
    return tuple(node.name for node, found in zip(fitting, total, strict=True) if found == highest)


def _scaled(scores: Scores, *, reverse: bool = False) -> Scores:
    highest = max(scores, default=0)
    if not highest:
        return [MOST if reverse else 0.0 for _ in scores]
    return [MOST - int(MOST * each / highest) if reverse else int(MOST * each / highest) for each in scores]


def _taints(pod: PodFacts, fitting: Sequence[NodeFacts], _nodes: Sequence[NodeFacts], _around: Around) -> Scores:
    own = [each for each in pod.spec.tolerations or () if (each.effect or PREFER_NOT) == PREFER_NOT]
    return _scaled(
        [
            sum(
                taint.effect == PREFER_NOT and not any(tolerates_taint(each, taint) for each in own)
                for taint in node.view.spec.taints or ()
            )
            for node in fitting
        ],
        reverse=True,
    )


def _affinity(pod: PodFacts, fitting: Sequence[NodeFacts], _nodes: Sequence[NodeFacts], _around: Around) -> Scores:
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    preferred = (affinity.preferred or ()) if affinity is not None else ()
    return _scaled(
        [
            sum(each.weight for each in preferred if matches_term(each.preference, node.name, node.labels))
            for node in fitting
        ]
    )


def _least(pod: PodFacts, fitting: Sequence[NodeFacts], _nodes: Sequence[NodeFacts], _around: Around) -> Scores:
    return [_average([_free(pod, node, name) for name in _COMPUTED if node.allocatable.get(name)]) for node in fitting]


def _free(pod: PodFacts, node: NodeFacts, name: str) -> float:
    capacity = node.allocatable[name]
    used = node.scored.get(name, 0) + pod.scored.get(name, 0)
    return (capacity - used) * MOST // capacity if used <= capacity else 0


def _average(found: Scores) -> float:
    return sum(found) // len(found) if found else 0


def _spread(pod: PodFacts, fitting: Sequence[NodeFacts], nodes: Sequence[NodeFacts], around: Around) -> Scores:
    if not pod.spec.topology_spread_constraints and around.together:
        return _fewest_first(fitting, _by_default(pod, fitting, nodes, around.together))
    spreads = soft_spread(pod, nodes)
    if not spreads:
        return [0.0] * len(fitting)
    keys = [spread.constraint.topology_key for spread in spreads]
    counted = [node for node in fitting if all(key in node.labels for key in keys)]
    found: dict[str, int] = {}
    for node in counted:
        score = 0.0
        for spread, key in zip(spreads, keys, strict=True):
            size = len({each.labels[key] for each in counted})
            count = spread.counts.get(node.labels[key], 0)
            score += count * math.log(size + 2) + spread.constraint.max_skew - 1
        found[node.name] = _rounded(score)
    return _fewest_first(fitting, found)


def _by_default(
    pod: PodFacts, fitting: Sequence[NodeFacts], nodes: Sequence[NodeFacts], together: Together
) -> dict[str, int]:
    """How much there is of its companions on each node and in its zone."""
    there = {node.name: companions(together, pod, node) for node in nodes}
    zones: Counter[str] = Counter()
    for node in nodes:
        if selects_node(pod.spec, node.name, node.labels):
            zones[node.labels.get(_ZONE, "")] += there[node.name]
    of_host = math.log(len(fitting) + 2)
    of_zone = math.log(len({node.labels.get(_ZONE, "") for node in fitting}) + 2)
    found: dict[str, int] = {}
    for node in fitting:
        score = 0.0
        if _HOST in node.labels:
            score += there[node.name] * of_host + _HOST_SKEW - 1
        if _ZONE in node.labels:
            score += zones[node.labels[_ZONE]] * of_zone + _ZONE_SKEW - 1
        found[node.name] = _rounded(score)
    return found


def _rounded(score: float) -> int:
    """As Go rounds what is not negative: a half upwards."""
    return math.floor(score + 0.5)


def _fewest_first(fitting: Sequence[NodeFacts], found: Mapping[str, int]) -> Scores:
    fewest, most = min(found.values(), default=0), max(found.values(), default=0)
    return [
        0 if node.name not in found else MOST if not most else MOST * (most + fewest - found[node.name]) // most
        for node in fitting
    ]


def _pods(pod: PodFacts, fitting: Sequence[NodeFacts], nodes: Sequence[NodeFacts], around: Around) -> Scores:
    worth = preferred_counts(pod, nodes, around.namespaces)
    found = [sum(worth.get(label, 0) for label in node.labels.items()) for node in fitting]
    fewest, most = min(found), max(found)
    return [MOST * (each - fewest) / (most - fewest) if most > fewest else 0 for each in found]


def _balance(pod: PodFacts, fitting: Sequence[NodeFacts], _nodes: Sequence[NodeFacts], _around: Around) -> Scores:
    """Nodes where cpu and memory are used alike, or more so with the Pod than without it."""
    if not any(pod.requests.get(name) for name in _COMPUTED):
        return [0.0] * len(fitting)
    nothing: Mapping[str, int] = {}
    return [MOST // 2 + (MOST // 2 + _balanced(node, pod.requests) - _balanced(node, nothing)) // 2 for node in fitting]


def _balanced(node: NodeFacts, more: Mapping[str, int]) -> int:
    used = [
        min((node.requested.get(name, 0) + more.get(name, 0)) / node.allocatable[name], 1)
        for name in _COMPUTED
        if node.allocatable.get(name)
    ]
    apart = abs(used[0] - used[1]) / 2 if len(used) == len(_COMPUTED) else 0
    return int((1 - apart) * MOST)


def _images(pod: PodFacts, fitting: Sequence[NodeFacts], nodes: Sequence[NodeFacts], _around: Around) -> Scores:
    containers = (*(pod.spec.init_containers or ()), *(pod.spec.containers or ()))
    wanted = [_tagged(container.image or "") for container in containers]
    sizes = {node.name: _sizes(node) for node in nodes}
    most = _MOST_IMAGE * max(len(wanted), 1)
    found: Scores = []
    for node in fitting:
        there = sizes[node.name]
        total = sum(
            there[name] * sum(name in each for each in sizes.values()) // len(nodes) for name in wanted if name in there
        )
        found.append(MOST * (min(max(total, _LEAST_IMAGE), most) - _LEAST_IMAGE) // (most - _LEAST_IMAGE))
    return found


def _sizes(node: NodeFacts) -> Mapping[str, int]:
    images = node.view.status.images or ()
    return {name: image.size_bytes or 0 for image in images for name in image.names or ()}


def _tagged(name: str) -> str:
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


_WEIGHTS: tuple[tuple[int, Callable[[PodFacts, Sequence[NodeFacts], Sequence[NodeFacts], Around], Scores]], ...] = (
    (3, _taints),
    (2, _affinity),
    (1, _least),
    (2, _spread),
    (2, _pods),
    (1, _balance),
    (1, _images),
)
