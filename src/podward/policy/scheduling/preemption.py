"""Which Pods end so that one of a higher priority has room.

Specification: Kubernetes, pkg/scheduler/framework/preemption and plugins/defaultpreemption, in our words:
- Only a Pod whose policy allows it, and for which no other Pods end already on the node that it was promised.
- Only on nodes where evicting may help. There all Pods of a lower priority are thought away; if the Pod then fits, as
  many as possible are given back: those first whose disruption budgets would be violated, the most important first.
- The node is chosen where fewest budgets are violated, the most important victim matters least, the sum of their
  priorities is least, they are fewest, and the most important ones have run for the shortest time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from podward.api.claim import LabelSelector
from podward.policy.scheduling.choice import Cluster, Refusal, checked, unavailable
from podward.policy.scheduling.facts import NodeFacts, PodFacts, with_pods
from podward.policy.scheduling.node_fit import Misfit
from podward.schema.label_selection import selects

_NOT_HELPFUL = "Preemption is not helpful for scheduling"
_NO_VICTIMS = "No preemption victims found for incoming pod"
_OFFSET = 1 << 31


class Budget(Struct, frozen=True):
    """A PodDisruptionBudget: how many of the Pods that it selects may end now."""

    namespace: str
    selector: LabelSelector | None
    allowed: int


class Preemption(Struct, frozen=True):
    """The node on which there will be room, and the Pods that end for it, the most important first."""

    node: str
    victims: tuple[PodFacts, ...]


class _Candidate(Struct, frozen=True):
    node: str
    victims: tuple[PodFacts, ...]
    violations: int

    @property
    def cost(self) -> tuple[int, int, int, int]:
        priorities = [victim.priority for victim in self.victims]
        return self.violations, priorities[0], sum(each + _OFFSET for each in priorities), len(priorities)

    @property
    def began(self) -> str:
        highest = self.victims[0].priority
        return min(victim.started for victim in self.victims if victim.priority == highest)


def preempt(pod: PodFacts, cluster: Cluster, refusal: Refusal, budgets: Sequence[Budget]) -> Preemption | str:
    """Who ends for the Pod; or the sentence that says why nobody does."""
    if why := _not_eligible(pod, cluster, refusal):
        return why
    if not cluster.nodes:
        return ""
    candidates: list[_Candidate] = []
    reasons: list[str] = []
    for node in cluster.nodes:
        misfits = refusal.misfits.get(node.name, ())
        if not misfits or not all(misfit.evicting for misfit in misfits):
            reasons.append(_NOT_HELPFUL)
            continue
        found = _victims(pod, node, cluster, budgets)
        if isinstance(found, _Candidate):
            candidates.append(found)
        else:
            reasons += found
    if not candidates:
        return unavailable(len(cluster.nodes), "", reasons)
    least = min(candidate.cost for candidate in candidates)
    best = max((each for each in candidates if each.cost == least), key=lambda each: each.began)
    return Preemption(best.node, best.victims)


def _not_eligible(pod: PodFacts, cluster: Cluster, refusal: Refusal) -> str:
    if pod.spec.preemption_policy == "Never":
        return "not eligible due to preemptionPolicy=Never."
    if not pod.nominated or not all(misfit.evicting for misfit in refusal.misfits.get(pod.nominated, ())):
        return ""
    promised = next((node for node in cluster.nodes if node.name == pod.nominated), None)
    if promised is not None and any(each.preempted and each.priority < pod.priority for each in promised.pods):
        return "not eligible due to a terminating pod on the nominated node."
    return ""


def _victims(
    pod: PodFacts, node: NodeFacts, cluster: Cluster, budgets: Sequence[Budget]
) -> _Candidate | tuple[str, ...]:
    """The fewest Pods of the node that must end; or why that does not help."""
    lower = sorted((each for each in node.pods if each.priority < pod.priority), key=_importance)
    if not lower:
        return (_NO_VICTIMS,)
    kept = [each for each in node.pods if each.priority >= pod.priority]
    if misfits := _misfits(pod, node, kept, cluster):
        return tuple(misfit.reason for misfit in misfits)
    violating, others = _by_budget(lower, budgets)
    ended: list[PodFacts] = []
    violations = 0
    for each in (*violating, *others):
        if _misfits(pod, node, [*kept, each], cluster):
            ended.append(each)
            violations += each in violating
        else:
            kept.append(each)
    if not ended:
        return ()
    return _Candidate(node.name, tuple(sorted(ended, key=_importance)), violations)


def _misfits(pod: PodFacts, node: NodeFacts, pods: Iterable[PodFacts], cluster: Cluster) -> tuple[Misfit, ...]:
    """Why the Pod does not fit the node if it has these Pods."""
    changed = with_pods(node, pods)
    nodes = [changed if each.name == node.name else each for each in cluster.nodes]
    return checked(pod, Cluster(nodes, cluster.namespaces, cluster.storage, cluster.nominated))(changed)


def _importance(pod: PodFacts) -> tuple[int, str]:
    return -pod.priority, pod.started


def _by_budget(pods: Iterable[PodFacts], budgets: Sequence[Budget]) -> tuple[list[PodFacts], list[PodFacts]]:
    """Those whose end violates a budget, and the others."""
    left: dict[int, int] = {index: budget.allowed for index, budget in enumerate(budgets)}
    violating: list[PodFacts] = []
    others: list[PodFacts] = []
    for pod in pods:
        concerned = [index for index, budget in enumerate(budgets) if _protects(budget, pod)]
        for index in concerned:
            left[index] -= 1
        (violating if any(left[index] < 0 for index in concerned) else others).append(pod)
    return violating, others


def _protects(budget: Budget, pod: PodFacts) -> bool:
    selector = budget.selector
    if budget.namespace != pod.namespace or selector is None or not pod.labels:
        return False
    labels: Mapping[str, str] = pod.labels
    return bool(selector.match_labels or selector.match_expressions) and selects(selector, labels)
