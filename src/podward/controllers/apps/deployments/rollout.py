"""One step of a Deployment: which of its ReplicaSets is made, sized or deleted, and what is said of it.

Specification: Kubernetes, pkg/controller/deployment: syncDeployment with rolling.go, recreate.go, rollback.go and
sync.go. In this order: what is being deleted or paused is not rolled out; a rollback is a change of the template; a
change of size is spread over all ReplicaSets by their sizes; else the newest grows as far as maxSurge lets it, then the
others shrink as far as maxUnavailable lets them, those that are not healthy first; with Recreate the others end before
the newest begins. Of those that are complete and empty, no more are kept than revisionHistoryLimit.
Ours: a step is decided as a whole, from the ReplicaSets as they will be after each change, and each is written once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps.deployments import revisions, sizes, status
from podward.controllers.apps.deployments.plan import Plan, Told
from podward.controllers.apps.deployments.sizes import DESIRED, UNLIMITED, replicas_of, total
from podward.controllers.apps.deployments.status import PROGRESSING, Sets
from podward.controllers.apps.ownership import annotations_of, is_going, name_of, uid_of
from podward.controllers.apps.pods import created_at, has_ended
from podward.documents.raw_fields import member
from podward.schema.strategies.selectors import is_empty
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from podward.api.json_value import JsonObject

_PAUSED, _RESUMED = "DeploymentPaused", "DeploymentResumed"
_NOT_FOUND, _UNCHANGED = "DeploymentRollbackRevisionNotFound", "DeploymentRollbackTemplateUnchanged"
_ALL = "This deployment is selecting all pods. A non-empty selector is required."


def decide(
    deployment: JsonObject, sets: Sequence[JsonObject], pods: Mapping[str, Iterable[JsonObject]], now: float
) -> Plan:
    """The next step. `sets`: the ReplicaSets that it controls; `pods`: theirs, by the uid of the ReplicaSet."""
    spec = member(deployment, "spec")
    if is_empty(member(spec, "selector")):
        observed = {
            **member(deployment, "status"),
            "observedGeneration": member(deployment, "metadata").get("generation"),
        }
        return Plan({**deployment, "status": observed}, events=[Told("Warning", "SelectingAll", _ALL)])
    step = _Step(deployment, sets, now)
    if is_going(deployment):
        step.tell_sizes()
        return step.plan
    step.note_pause()
    paused = spec.get("paused") is True
    if not paused and revisions.ROLLBACK in annotations_of(deployment):
        step.roll_back()
    elif paused or step.is_scaled():
        step.resize(paused=paused)
    elif sizes.is_rolling(deployment):
        step.roll()
    else:
        step.recreate(pods)
    return step.plan


class _Step:
    """What has been decided so far: the ReplicaSets as they will be."""

    def __init__(self, deployment: JsonObject, sets: Sequence[JsonObject], now: float) -> None:
        self._now = now
        self.plan = Plan(deployment)
        self._new = revisions.newest(deployment, sets)
        self._old = [found for found in revisions.by_age(sets) if found is not self._new]

    @property
    def _deployment(self) -> JsonObject:
        return self.plan.deployment

    @property
    def _sets(self) -> Sets:
        return Sets(self._new, self._old)

    # --- what stands in the status ---

    def tell_sizes(self) -> None:
        """The numbers alone: it is not being rolled out."""
        self.plan.deployment = {
            **self._deployment,
            "status": status.calculated(self._deployment, self._sets, self._now),
        }

    def _tell_rollout(self) -> None:
        found = status.of_rollout(self._deployment, self._sets, self._now)
        self.plan.again = status.wait(self._deployment, found, self._now)
        self.plan.deployment = {**self._deployment, "status": found}

    def _note(self, state: str, reason: str, message: str) -> None:
        found = status.condition(PROGRESSING, state, reason, message, self._now)
        self.plan.deployment = status.with_condition(self._deployment, found)

    def note_pause(self) -> None:
        """While it is paused, its deadline does not count."""
        found, paused = status.progressing(self._deployment), member(self._deployment, "spec").get("paused") is True
        reason = found.get("reason") if found is not None else None
        if status.deadline(self._deployment) is None or reason == status.LATE:
            return
        if paused and reason != _PAUSED:
            self._note("Unknown", _PAUSED, "Deployment is paused")
        elif not paused and reason == _PAUSED:
            self._note("Unknown", _RESUMED, "Deployment is resumed")

    # --- the newest ---

    def _find_new(self) -> None:
        """Number the newest ReplicaSet, if there is one, and take over its number."""
        if self._new is None:
            return
        annotations = revisions.annotations_for(self._deployment, self._new, self._next_revision())
        least = number(member(self._deployment, "spec"), "minReadySeconds")
        if annotations != annotations_of(self._new) or least != number(member(self._new, "spec"), "minReadySeconds"):
            spec: JsonObject = {**member(self._new, "spec"), "minReadySeconds": least}
            self._change(self._new, {**_with_annotations(self._new, annotations), "spec": spec})
        self._take_revision(self._new)
        if status.deadline(self._deployment) is not None and status.progressing(self._deployment) is None:
            self._note("True", "FoundNewReplicaSet", f'Found new replica set "{name_of(self._new)}"')

    def _make_new(self) -> None:
        """Find the newest ReplicaSet, or make it."""
        if self._new is not None:
            return
        found = revisions.made(self._deployment)
        size = sizes.size_of_new(self._deployment, [*self._old, found], found)
        annotations = revisions.annotations_for(self._deployment, found, self._next_revision())
        found = _with_annotations(found, revisions.sized_annotations(self._deployment, annotations))
        self._new = self.plan.created = {**found, "spec": {**member(found, "spec"), "replicas": size}}
        self.plan.scaled[name_of(found)] = (0, size)
        self._take_revision(self._new)
        if status.deadline(self._deployment) is not None:
            self._note("True", "NewReplicaSetCreated", f'Created new replica set "{name_of(found)}"')

    def _next_revision(self) -> int:
        return max(map(revisions.revision_of, self._old), default=0) + 1

    def _take_revision(self, found: JsonObject) -> None:
        number_text = annotations_of(found).get(revisions.REVISION)
        if number_text is not None and annotations_of(self._deployment).get(revisions.REVISION) != number_text:
            annotations: JsonObject = {**annotations_of(self._deployment), revisions.REVISION: number_text}
            self.plan.deployment = _with_annotations(self._deployment, annotations)

    # --- sizes ---

    def _change(self, found: JsonObject, to: JsonObject) -> JsonObject:
        """Have a ReplicaSet written."""
        if found is self._new:
            self._new = to
        else:
            self._old = [to if each is found else each for each in self._old]
        if self.plan.created is found:
            self.plan.created = to
        else:
            self.plan.changed[name_of(to)] = to
        return to

    def _scale(self, found: JsonObject, size: int) -> bool:
        """Give a ReplicaSet this size; whether it had another."""
        if replicas_of(found) == size:
            return False
        self._resize_one(found, size)
        return True

    def _resize_one(self, found: JsonObject, size: int) -> None:
        before = replicas_of(found)
        annotations = revisions.sized_annotations(self._deployment, annotations_of(found))
        if before == size and annotations == annotations_of(found):
            return
        spec: JsonObject = {**member(found, "spec"), "replicas": size}
        self._change(found, {**_with_annotations(found, annotations), "spec": spec})
        first, _ = self.plan.scaled.get(name_of(found), (before, size))
        self.plan.scaled[name_of(found)] = (first, size)

    def is_scaled(self) -> bool:
        """Whether the Deployment wishes for another size than when its ReplicaSets got theirs."""
        wished = replicas_of(self._deployment)
        found = (sizes.annotated(each, DESIRED) for each in self._sets.all if replicas_of(each))
        return any(size is not None and size != wished for size in found)

    def resize(self, *, paused: bool) -> None:
        """Spread a change of size; no rollout goes on in this step."""
        self._find_new()
        self._spread()
        if paused:
            self._clean_up()
        self.tell_sizes()

    def _spread(self) -> None:
        alone, wished = self._active_or_latest(), replicas_of(self._deployment)
        if alone is not None:
            self._scale(alone, wished)
        elif self._is_saturated():
            for found in filter(replicas_of, list(self._old)):
                self._scale(found, 0)
        elif sizes.is_rolling(self._deployment):
            self._spread_proportionally()

    def _active_or_latest(self) -> JsonObject | None:
        """The only ReplicaSet that has replicas, or, if none has, the newest."""
        active = [*filter(replicas_of, self._sets.all)]
        if active:
            return active[0] if len(active) == 1 else None
        return self._new or (self._old[-1] if self._old else None)

    def _is_saturated(self) -> bool:
        wished = replicas_of(self._deployment)
        if self._new is None:
            return False
        available = number(member(self._new, "status"), "availableReplicas")
        return replicas_of(self._new) == sizes.annotated(self._new, DESIRED) == available == wished

    def _spread_proportionally(self) -> None:
        wished = replicas_of(self._deployment)
        active = [*filter(replicas_of, self._sets.all)]
        to_add = (wished + sizes.surge(self._deployment) if wished else 0) - total(active)
        ordered = sorted(active, key=lambda found: (created_at(found), name_of(found)), reverse=to_add > 0)
        ordered.sort(key=replicas_of, reverse=True)
        added, planned = 0, list[int]()
        for found in ordered:
            part = sizes.share(self._deployment, found, to_add, added)
            planned.append(replicas_of(found) + part)
            added += part
        if planned and to_add:
            planned[0] = max(0, planned[0] + to_add - added)
        for found, size in zip(ordered, planned, strict=True):
            self._resize_one(found, size)

    # --- rolling out ---

    def roll(self) -> None:
        """Grow the newest, else shrink the others."""
        self._find_new()
        self._make_new()
        if not (self._grow_new() or self._shrink_old()):
            self._clean_up_if_complete()
        self._tell_rollout()

    def _grow_new(self) -> bool:
        wished, new = replicas_of(self._deployment), self._new
        if new is None or replicas_of(new) == wished:
            return False
        if replicas_of(new) > wished:
            return self._scale(new, wished)
        return self._scale(new, sizes.size_of_new(self._deployment, self._sets.all, new))

    def _shrink_old(self) -> bool:
        active, new = [*filter(replicas_of, self._old)], self._new
        if not active or new is None:
            return False
        least = replicas_of(self._deployment) - sizes.unavailable(self._deployment)
        starting = replicas_of(new) - number(member(new, "status"), "availableReplicas")
        most = total(self._sets.all) - least - starting
        if most <= 0:
            return False
        left = self._shrink([(found, _unhealthy(found)) for found in active], most)
        active = [found for found in self._old if replicas_of(found)]
        available = sizes.counted([*active, new], "availableReplicas") - least
        healthy = self._shrink([(found, replicas_of(found)) for found in active], max(0, available))
        return left < most or healthy < max(0, available)

    def _shrink(self, candidates: list[tuple[JsonObject, int]], most: int) -> int:
        """Take up to so many replicas from each, the oldest first; how many of `most` are left to be taken."""
        for found, possible in candidates:
            taken = min(possible, most)
            if taken > 0:
                self._scale(found, replicas_of(found) - taken)
                most -= taken
        return most

    def recreate(self, pods: Mapping[str, Iterable[JsonObject]]) -> None:
        """End the others, and only then begin the newest."""
        self._find_new()
        shrunk = [self._scale(found, 0) for found in list(self._old)]
        if not any(shrunk) and not self._has_old_pods(pods):
            self._make_new()
            if self._new is not None:
                self._scale(self._new, replicas_of(self._deployment))
            self._clean_up_if_complete()
        self._tell_rollout()

    def _has_old_pods(self, pods: Mapping[str, Iterable[JsonObject]]) -> bool:
        if sizes.counted(self._old, "replicas") > 0:
            return True
        new = uid_of(self._new) if self._new is not None else ""
        return any(uid != new and not all(map(has_ended, found)) for uid, found in pods.items())

    # --- what is left over, and going back ---

    def _clean_up_if_complete(self) -> None:
        if status.is_complete(self._deployment, member(self._deployment, "status")):
            self._clean_up()

    def _clean_up(self) -> None:
        limit = member(self._deployment, "spec").get("revisionHistoryLimit")
        if type(limit) is not int or limit == UNLIMITED:
            return
        there = [found for found in self._old if not is_going(found)]
        for found in revisions.by_revision(there)[: max(0, len(there) - limit)]:
            state = member(found, "status")
            seen = number(state, "observedGeneration") >= number(member(found, "metadata"), "generation")
            if seen and not number(state, "replicas") and not replicas_of(found):
                self.plan.deleted.append(name_of(found))

    def roll_back(self) -> None:
        """Take the template of an earlier ReplicaSet, as an annotation of old clients asks."""
        self._find_new()
        asked = annotations_of(self._deployment)[revisions.ROLLBACK]
        wanted = int(asked) if isinstance(asked, str) and asked.isascii() and asked.isdecimal() else -1
        wanted = wanted or revisions.last_revision(self._sets.all)
        to = next((each for each in self._sets.all if wanted > 0 and revisions.revision_of(each) == wanted), None)
        name, deployment = name_of(self._deployment), self._deployment
        if not wanted:
            told = Told("Warning", _NOT_FOUND, "Unable to find last revision.")
        elif to is None:
            told = Told("Warning", _NOT_FOUND, "Unable to find the revision to rollback to.")
        elif revisions.has_same_template(deployment, to):
            sentence = f'The rollback revision contains the same template as current deployment "{name}"'
            told = Told("Warning", _UNCHANGED, sentence)
        else:
            deployment = revisions.rolled_back(deployment, to)
            told = Told("Normal", "DeploymentRollback", f'Rolled back deployment "{name}" to revision {wanted}')
        kept = {key: value for key, value in annotations_of(deployment).items() if key != revisions.ROLLBACK}
        self.plan.deployment, self.plan.rolled_back = _with_annotations(deployment, kept), True
        self.plan.events.append(told)


def _with_annotations(obj: JsonObject, annotations: JsonObject) -> JsonObject:
    return {**obj, "metadata": {**member(obj, "metadata"), "annotations": annotations}}


def _unhealthy(found: JsonObject) -> int:
    return replicas_of(found) - number(member(found, "status"), "availableReplicas")
