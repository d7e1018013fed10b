"""Where a Pod goes: the best of the nodes that it may be on, or the sentence that says why there is none.

Specification: Kubernetes, pkg/scheduler/schedule_one.go and framework/types.go (FitError): what keeps a Pod from every
node is said alone; otherwise the nodes are counted by the reasons of the first plugin that refuses each. A Pod that
names its nodes (`matchFields`) is asked about these alone. A Pod of at least its priority for which room is being made
on a node counts as if it were there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from podward.policy.scheduling.claims import Plan, Storage, in_use, in_zone, missing, plan
from podward.policy.scheduling.facts import NodeFacts, PodFacts, with_pods
from podward.policy.scheduling.node_fit import NODE_RULES, Misfit
from podward.policy.scheduling.pod_terms import Namespaces, Together, affinity_check, hard_spread
from podward.policy.scheduling.scores import Around, best

NO_NODES = "no nodes available to schedule pods"
_CONFLICT = "pod affinity terms conflict"
_NOT_NAMED = Misfit("NodeAffinity", "node(s) didn't satisfy plugin(s) [NodeAffinity]")
Check = Callable[[NodeFacts], "tuple[Misfit, ...]"]


class Cluster(Struct, frozen=True):
    """All that is known when a Pod is placed. `nominated` are the Pods for which room is being made, by node."""

    nodes: Sequence[NodeFacts]
    namespaces: Namespaces = {}
    storage: Storage = Storage()
    nominated: Mapping[str, tuple[PodFacts, ...]] = {}


class Choice(Struct, frozen=True):
    """The nodes that are best; chance chooses among them."""

    nodes: tuple[str, ...]


class Refusal(Struct, frozen=True):
    """Why there is no node: one reason for all, or those of each."""

    count: int
    all_nodes: str = ""
    misfits: Mapping[str, tuple[Misfit, ...]] = {}

    @property
    def sentence(self) -> str:
        """As events and conditions say it."""
        if not self.count:
            return NO_NODES
        return unavailable(self.count, self.all_nodes, (each.reason for of in self.misfits.values() for each in of))


def unavailable(count: int, all_nodes: str, reasons: Iterable[str]) -> str:
    """The sentence about nodes of which none is available."""
    told = all_nodes or ", ".join(sorted(f"{number} {reason}" for reason, number in Counter(reasons).items()))
    return f"0/{count} nodes are available:" + (f" {told}." if told else "")


def choose(pod: PodFacts, cluster: Cluster, together: Together = ()) -> Choice | Refusal:
    """Where the Pod goes; `together` is what it is kept apart from if it does not say so itself."""
    count = len(cluster.nodes)
    named = named_nodes(pod)
    if count and named == frozenset():
        return Refusal(count, _CONFLICT)
    if count and (reason := missing(pod, cluster.storage)):
        return Refusal(count, reason)
    check = checked(pod, cluster)
    misfits: dict[str, tuple[Misfit, ...]] = {}
    fitting: list[NodeFacts] = []
    for node in cluster.nodes:
        found = (_NOT_NAMED,) if named is not None and node.name not in named else check(node)
        if found:
            misfits[node.name] = found
        else:
            fitting.append(node)
    if not fitting:
        return Refusal(count, misfits=misfits)
    return Choice(best(pod, fitting, cluster.nodes, Around(cluster.namespaces, together)))


def checked(pod: PodFacts, cluster: Cluster) -> Check:
    """The check of a node by all rules, in their order."""
    taken = in_use(pod, cluster.nodes, cluster.storage)
    among_pods = [
        each
        for each in (hard_spread(pod, cluster.nodes), affinity_check(pod, cluster.nodes, cluster.namespaces))
        if each is not None
    ]

    def volumes(node: NodeFacts) -> tuple[Misfit, ...]:
        found = plan(pod, node, cluster.storage)
        return () if isinstance(found, Plan) else found

    def zones(node: NodeFacts) -> tuple[Misfit, ...]:
        return in_zone(pod, node, cluster.storage)

    def check(node: NodeFacts) -> tuple[Misfit, ...]:
        waiting = [
            other
            for other in cluster.nominated.get(node.name, ())
            if other.uid != pod.uid and other.priority >= pod.priority
        ]
        crowded = with_pods(node, (*node.pods, *waiting)) if waiting else node
        for rule in NODE_RULES:
            if found := rule(pod, crowded):
                return found
        if taken:
            return taken
        for among in (volumes, zones, *among_pods):
            if found := among(node):
                return found
        return ()

    return check


def named_nodes(pod: PodFacts) -> frozenset[str] | None:
    """The only nodes that the Pod's required affinity names; None where it names none."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    required = affinity.required if affinity is not None else None
    terms = (required.node_selector_terms or ()) if required is not None else ()
    if not terms:
        return None
    every: set[str] = set()
    for term in terms:
        names: set[str] | None = None
        for each in term.match_fields or ():
            if each.key == "metadata.name" and each.operator == "In":
                own = set(each.values or ())
                names = own if names is None else names & own
        if names is None:
            return None
        every |= names
    return frozenset(every)
