"""Pods that want to be near other Pods, or far from them: pod affinity, anti-affinity, topology spread constraints.

Specification: Kubernetes, pkg/scheduler/framework/plugins/interpodaffinity and podtopologyspread, in our words:
- A term is about the Pods that its label selector selects, in its namespaces: those it names, those whose labels its
  namespace selector selects, or else its own Pod's. A topology is a label of nodes; all nodes with one value are one.
- Affinity: each of the topologies of the node has a Pod that all terms are about; the first of a group that is about
  itself may go anywhere. Anti-affinity: no topology has a Pod that one of the terms is about; and no Pod that is there
  has a term of anti-affinity about this one.
- A spread constraint holds where the Pods of this topology, with this one, are at most `maxSkew` more than those of
  the topology that has fewest. Topologies count that this Pod could be in, as the policies say; where there
  are fewer than `minDomains`, the fewest is none at all. A Pod that is being deleted is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from podward.api.claim import LabelSelector
from podward.api.scheduling import PodAffinity, PodTerm, PreferredPods, SpreadConstraint
from podward.policy.scheduling.facts import Labels, NodeFacts, PodFacts
from podward.policy.scheduling.node_fit import NO_EXECUTE, NO_SCHEDULE, Misfit, selects_node, untolerated
from podward.schema.label_selection import selects

Namespaces = Mapping[str, Labels]
"""The labels of each namespace."""
Topology = tuple[str, str]
"""A label of nodes and its value."""
Together = tuple[LabelSelector, ...]
"""What all of the Pods that belong to one Service or workload have: each of these selects them."""
NodeCheck = Callable[[NodeFacts], "tuple[Misfit, ...]"]

_AFFINITY = Misfit("InterPodAffinity", "node(s) didn't match pod affinity rules")
_ANTI = Misfit("InterPodAffinity", "node(s) didn't match pod anti-affinity rules", evicting=True)
_OTHERS = Misfit("InterPodAffinity", "node(s) didn't satisfy existing pods anti-affinity rules", evicting=True)
_SPREAD = "node(s) didn't match pod topology spread constraints"
_SKEWED = Misfit("PodTopologySpread", _SPREAD, evicting=True)
_UNLABELLED = Misfit("PodTopologySpread", f"{_SPREAD} (missing required label)")
_HARD, _SOFT = "DoNotSchedule", "ScheduleAnyway"
_IGNORE, _HONOR = "Ignore", "Honor"


def is_about(term: PodTerm, owner: PodFacts, other: PodFacts, namespaces: Namespaces) -> bool:
    """Whether a term of `owner` is about the other Pod."""
    if term.label_selector is None or not selects(term.label_selector, other.labels):
        return False
    named = term.namespaces or ()
    if not named and term.namespace_selector is None:
        return other.namespace == owner.namespace
    if other.namespace in named:
        return True
    return term.namespace_selector is not None and selects(term.namespace_selector, namespaces.get(other.namespace, {}))


def required(side: PodAffinity | None) -> tuple[PodTerm, ...]:
    """The terms that must hold."""
    return (side.required or ()) if side is not None else ()


def near(pod: PodFacts) -> PodAffinity | None:
    """What the Pod wants to be near to."""
    return pod.spec.affinity.pod_affinity if pod.spec.affinity is not None else None


def far(pod: PodFacts) -> PodAffinity | None:
    """What the Pod wants to be far from."""
    return pod.spec.affinity.pod_anti_affinity if pod.spec.affinity is not None else None


def affinity_check(pod: PodFacts, nodes: Sequence[NodeFacts], namespaces: Namespaces) -> NodeCheck | None:
    """The check of each node by affinity and anti-affinity; None where no Pod has any that matters."""
    wanted, unwanted = required(near(pod)), required(far(pod))
    with_wanted: Counter[Topology] = Counter()
    with_unwanted: Counter[Topology] = Counter()
    refusing: set[Topology] = set()
    for node in nodes:
        for other in node.pods:
            if wanted and all(is_about(term, pod, other, namespaces) for term in wanted):
                with_wanted.update(_topologies(wanted, node))
            with_unwanted.update(
                _topologies((term for term in unwanted if is_about(term, pod, other, namespaces)), node)
            )
            theirs = required(far(other))
            refusing.update(_topologies((term for term in theirs if is_about(term, other, pod, namespaces)), node))
    if not wanted and not unwanted and not refusing:
        return None
    alone = not with_wanted and all(is_about(term, pod, pod, namespaces) for term in wanted)

    def check(node: NodeFacts) -> tuple[Misfit, ...]:
        if any(term.topology_key not in node.labels for term in wanted):
            return (_AFFINITY,)
        if not alone and any(not with_wanted[topology] for topology in _topologies(wanted, node)):
            return (_AFFINITY,)
        if any(with_unwanted[topology] for topology in _topologies(unwanted, node)):
            return (_ANTI,)
        return (_OTHERS,) if not refusing.isdisjoint(node.labels.items()) else ()

    return check


def _topologies(terms: Iterable[PodTerm], node: NodeFacts) -> Iterator[Topology]:
    for term in terms:
        if (value := node.labels.get(term.topology_key)) is not None:
            yield term.topology_key, value


def preferred_counts(pod: PodFacts, nodes: Sequence[NodeFacts], namespaces: Namespaces) -> Mapping[Topology, int]:
    """What each topology is worth to the Pod, and to those that are there."""
    worth: Counter[Topology] = Counter()

    def add(terms: Iterable[PreferredPods], owner: PodFacts, other: PodFacts, node: NodeFacts, sign: int) -> None:
        for each in terms:
            if is_about(each.pod_affinity_term, owner, other, namespaces):
                for topology in _topologies((each.pod_affinity_term,), node):
                    worth[topology] += sign * each.weight

    for node in nodes:
        for other in node.pods:
            add(_preferred(near(pod)), pod, other, node, 1)
            add(_preferred(far(pod)), pod, other, node, -1)
            add(_preferred(near(other)), other, pod, node, 1)
            add(_preferred(far(other)), other, pod, node, -1)
            add((PreferredPods(1, term) for term in required(near(other))), other, pod, node, 1)
    return worth


def _preferred(side: PodAffinity | None) -> tuple[PreferredPods, ...]:
    return (side.preferred or ()) if side is not None else ()


class Spread(Struct, frozen=True):
    """A spread constraint with the number of Pods that it is about in each value of its topology."""

    constraint: SpreadConstraint
    counts: Mapping[str, int]
    own: int

    @property
    def fewest(self) -> int:
        """How many the topology with the fewest has."""
        if len(self.counts) < (self.constraint.min_domains or 1):
            return 0
        return min(self.counts.values(), default=0)


def hard_spread(pod: PodFacts, nodes: Sequence[NodeFacts]) -> NodeCheck | None:
    """The check of each node by spread constraints; None where there are none."""
    spreads = spread_counts(pod, nodes, _constraints(pod, _HARD))
    if not spreads:
        return None

    def check(node: NodeFacts) -> tuple[Misfit, ...]:
        for spread in spreads:
            value = node.labels.get(spread.constraint.topology_key)
            if value is None:
                return (_UNLABELLED,)
            if spread.counts.get(value, 0) + spread.own - spread.fewest > spread.constraint.max_skew:
                return (_SKEWED,)
        return ()

    return check


def soft_spread(pod: PodFacts, nodes: Sequence[NodeFacts]) -> tuple[Spread, ...]:
    """The constraints that a scheduler would like to hold."""
    return spread_counts(pod, nodes, _constraints(pod, _SOFT))


def spread_counts(
    pod: PodFacts, nodes: Sequence[NodeFacts], constraints: Sequence[SpreadConstraint]
) -> tuple[Spread, ...]:
    """The constraints with their counts."""
    labelled = [node for node in nodes if all(each.topology_key in node.labels for each in constraints)]
    found = []
    for constraint in constraints:
        selector = constraint.label_selector
        counts: Counter[str] = Counter()
        for node in labelled:
            if _counts(constraint, pod, node):
                counts[node.labels[constraint.topology_key]] += _selected(selector, pod, node)
        own = int(selector is not None and selects(selector, pod.labels))
        found.append(Spread(constraint, counts, own))
    return tuple(found)


def _constraints(pod: PodFacts, action: str) -> tuple[SpreadConstraint, ...]:
    return tuple(each for each in pod.spec.topology_spread_constraints or () if each.when_unsatisfiable == action)


def _counts(constraint: SpreadConstraint, pod: PodFacts, node: NodeFacts) -> bool:
    """Whether the Pod could be on the node, as far as the constraint asks."""
    if (constraint.node_affinity_policy or _HONOR) == _HONOR and not selects_node(pod.spec, node.name, node.labels):
        return False
    if (constraint.node_taints_policy or _IGNORE) == _IGNORE:
        return True
    taints, own = node.view.spec.taints or (), pod.spec.tolerations or ()
    return untolerated(own, taints, (NO_SCHEDULE, NO_EXECUTE)) is None


def _selected(selector: LabelSelector | None, pod: PodFacts, node: NodeFacts) -> int:
    """How many Pods of the node it selects; an empty selector counts none."""
    if selector is None or not (selector.match_labels or selector.match_expressions):
        return 0
    return sum(
        other.namespace == pod.namespace and not other.deleted and selects(selector, other.labels)
        for other in node.pods
    )


def waits_for(pod: PodFacts, other: PodFacts, namespaces: Namespaces) -> bool:
    """Whether the other Pod, which has got a node, may be what this one waits for."""
    wanted = required(near(pod))
    if wanted and all(is_about(term, pod, other, namespaces) for term in wanted):
        return True
    return is_spread_over(pod, other)


def is_spread_over(pod: PodFacts, other: PodFacts) -> bool:
    """Whether the other Pod is one of those over which this one is spread."""
    return pod.namespace == other.namespace and any(
        each.label_selector is not None and selects(each.label_selector, other.labels)
        for each in pod.spec.topology_spread_constraints or ()
    )


def companions(together: Together, pod: PodFacts, node: NodeFacts) -> int:
    """How many Pods of the node belong together with this one."""
    return sum(
        other.namespace == pod.namespace
        and not other.deleted
        and all(selects(selector, other.labels) for selector in together)
        for other in node.pods
    )
