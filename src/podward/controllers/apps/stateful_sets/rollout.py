"""One step of a StatefulSet: which Pods are made, deleted or put right, and what the status says.

Specification: Kubernetes, pkg/controller/statefulset/stateful_set_control.go. With OrderedReady one Pod at a time is
made, upwards, when all before it are available, and one at a time taken away, downwards; with Parallel all at once. A
Pod that has ended is deleted and made again. Those of the old revision are deleted from the highest ordinal down to the
partition, one at a time and none below one that is unavailable; below the partition Pods keep the revision that they
had. (A maxUnavailable is behind the gate MaxUnavailableStatefulSet, which is off by default.)
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.api.json_value import JsonObject
from podward.controllers.apps import history
from podward.controllers.apps.history import HASH
from podward.controllers.apps.ownership import is_going, labels_of, name_of
from podward.controllers.apps.pods import has_ended, is_available, is_ready, phase_of
from podward.controllers.apps.stateful_sets import retention
from podward.controllers.apps.stateful_sets.identity import claims_of, first_of, is_itself, ordinal_of, ordinals, pod_of
from podward.documents.raw_fields import member
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Act(enum.Enum):
    """What is done about a Pod."""

    CREATE = "create"
    DELETE = "delete"
    UPDATE = "update"
    CLAIMS = "make its claims"
    OWNERS = "set the owners of its claims"


class Facts(Struct, frozen=True):
    """What a step is decided from. `claims`: those of the namespace, by name; revisions: as `history` has them."""

    pods: Sequence[JsonObject]
    current: JsonObject
    update: JsonObject
    claims: Mapping[str, JsonObject]
    now: float


class Plan(Struct):
    """What is done about which Pods, in this order, and the status."""

    acts: list[tuple[Act, JsonObject]] = field(default_factory=list)
    status: JsonObject = field(default_factory=dict)


def is_ordered(owner: JsonObject) -> bool:
    """Whether one Pod waits for the other."""
    return member(owner, "spec").get("podManagementPolicy") != "Parallel"


def decide(owner: JsonObject, facts: Facts) -> Plan:
    """The next step."""
    step = _Step(owner, facts)
    plan = Plan(acts=step.acts)
    outdated = 0
    if not is_going(owner) and step.has_replicas() and step.has_no_more() and _rolls(owner):
        outdated = step.roll()
    plan.status = _status(owner, facts, outdated)
    return plan


class _Step:
    def __init__(self, owner: JsonObject, facts: Facts) -> None:
        self._owner = owner
        self._facts = facts
        self._ordered = is_ordered(owner)
        self.acts: list[tuple[Act, JsonObject]] = []
        wished, there = ordinals(owner), {ordinal_of(owner, pod): pod for pod in facts.pods}
        self._replicas = [there.get(ordinal) or self._missing(ordinal) for ordinal in wished]
        self._condemned = [
            there[ordinal] for ordinal in sorted(there, reverse=True) if ordinal >= 0 and ordinal not in wished
        ]
        lowest_first = [*self._replicas, *reversed(self._condemned)]
        self._first_unhealthy = next(filter(self._is_unavailable, lowest_first), None)

    def _missing(self, ordinal: int) -> JsonObject:
        """The Pod of this ordinal, which is to be made."""
        spec = member(self._owner, "spec")
        rolling = member(spec, "updateStrategy")
        if "rollingUpdate" in rolling:
            kept = number(member(rolling, "rollingUpdate"), "partition")
        else:
            kept = number(member(self._owner, "status"), "currentReplicas")
        old = rolling.get("type") == "RollingUpdate" and ordinal < first_of(self._owner) + kept
        revision = self._facts.current if old else self._facts.update
        return pod_of(self._owner, history.template_of(revision), name_of(revision), ordinal)

    def _is_healthy(self, pod: JsonObject) -> bool:
        least = number(member(self._owner, "spec"), "minReadySeconds")
        return phase_of(pod) == "Running" and is_available(pod, least, self._facts.now)

    def _is_unavailable(self, pod: JsonObject) -> bool:
        return is_going(pod) or not self._is_healthy(pod)

    def _act(self, what: Act, pod: JsonObject) -> None:
        self.acts.append((what, pod))

    def has_replicas(self) -> bool:
        """Whether every Pod that is wished for is there, as far as it is waited for."""
        ready = True
        for pod in self._until_waiting(self._replicas):
            ready = self._look(pod) and ready
        return ready or not self._ordered

    def _until_waiting(self, pods: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The Pods up to the first that the others wait for."""
        if self._ordered:
            for index, pod in enumerate(pods):
                if has_ended(pod) or self._is_unavailable(pod):
                    return pods[: index + 1]
        return pods

    def _look(self, pod: JsonObject) -> bool:
        """Do what is to be done about a Pod that is wished for; whether it is as it should be."""
        if has_ended(pod):
            if not is_going(pod):
                self._act(Act.DELETE, pod)
            return False
        if not phase_of(pod):
            if not self._has_stale_claims(pod):
                self._act(Act.CREATE, pod)
            return False
        if phase_of(pod) == "Pending":
            self._act(Act.CLAIMS, pod)
        if self._ordered and self._is_unavailable(pod):
            return False
        if not is_itself(self._owner, pod):
            self._act(Act.UPDATE, pod)
        elif not self._owns_claims(pod):
            self._act(Act.OWNERS, pod)
        return True

    def _claims(self, pod: JsonObject) -> list[JsonObject]:
        wanted = claims_of(self._owner, ordinal_of(self._owner, pod)).values()
        return [found for each in wanted if (found := self._facts.claims.get(name_of(each))) is not None]

    def _has_stale_claims(self, pod: JsonObject) -> bool:
        return any(retention.is_stale(self._owner, claim, pod) for claim in self._claims(pod))

    def _owns_claims(self, pod: JsonObject) -> bool:
        return all(retention.changed(self._owner, pod, claim) is None for claim in self._claims(pod))

    def has_no_more(self) -> bool:
        """Take away Pods that are not wished for any more; whether none is left that others wait for."""
        for pod in self._condemned:
            if not self._owns_claims(pod):
                self._act(Act.OWNERS, pod)
        for pod in self._condemned:
            waits = self._is_unavailable(pod) and pod is not self._first_unhealthy
            if self._ordered and (is_going(pod) or waits):
                return False
            if not is_going(pod):
                self._act(Act.DELETE, pod)
                if self._ordered:
                    return False
        return True

    def roll(self) -> int:
        """Delete Pods of the old revision; how many."""
        rolling = member(member(member(self._owner, "spec"), "updateStrategy"), "rollingUpdate")
        for pod in self._replicas[number(rolling, "partition") :][::-1]:
            if labels_of(pod).get(HASH) != name_of(self._facts.update) and not is_going(pod):
                self._act(Act.DELETE, pod)
                return 1
            if self._is_unavailable(pod):
                return 0
        return 0


def _rolls(owner: JsonObject) -> bool:
    return member(member(owner, "spec"), "updateStrategy").get("type") != "OnDelete"


def _status(owner: JsonObject, facts: Facts, outdated: int) -> JsonObject:
    spec, before, wished = member(owner, "spec"), member(owner, "status"), number(member(owner, "spec"), "replicas")
    created = [pod for pod in facts.pods if phase_of(pod)]
    ready = [pod for pod in created if phase_of(pod) == "Running" and is_ready(pod)]
    staying = [labels_of(pod).get(HASH) for pod in created if not is_going(pod)]
    current, update = name_of(facts.current), name_of(facts.update)
    counts = {
        "replicas": len(created),
        "readyReplicas": len(ready),
        "availableReplicas": sum(is_available(pod, number(spec, "minReadySeconds"), facts.now) for pod in ready),
        "currentReplicas": staying.count(current) - outdated,
        "updatedReplicas": staying.count(update),
    }
    all_new = counts["updatedReplicas"] == counts["readyReplicas"] == counts["replicas"] == wished
    if all_new and member(spec, "updateStrategy").get("type") == "RollingUpdate":
        counts["currentReplicas"], current = counts["updatedReplicas"], update
    always: JsonObject = {
        "observedGeneration": number(member(owner, "metadata"), "generation"),
        "replicas": counts.pop("replicas"),
        "availableReplicas": counts.pop("availableReplicas"),
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": number(before, "collisionCount"),
    }
    kept: JsonObject = {"conditions": before["conditions"]} if before.get("conditions") else {}
    return {**always, **{name: count for name, count in counts.items() if count}, **kept}


_TOLD = (
    "replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas",
)  # fmt: skip


def differs(owner: JsonObject, status: JsonObject) -> bool:
    """Whether the status says something else than the one that the owner has."""
    before = member(owner, "status")
    newer = number(status, "observedGeneration") > number(before, "observedGeneration")
    revisions = any(status.get(name) != before.get(name) for name in ("currentRevision", "updateRevision"))
    return newer or revisions or any(number(status, name) != number(before, name) for name in _TOLD)
