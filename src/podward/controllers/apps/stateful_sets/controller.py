"""The controller of StatefulSets at work: what `rollout.py` decides is written.

Specification: Kubernetes, pkg/controller/statefulset: stateful_set.go and stateful_pod_control.go. Claims are made
before the Pod. While the watch has not shown what was done last, only the status is written.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps import history
from podward.controllers.apps.acting import NOT_FOUND, PODS, claimed, is_taken, slow_start
from podward.controllers.apps.expectations import Expectations
from podward.controllers.apps.following import Following
from podward.controllers.apps.hashes import revision_hash
from podward.controllers.apps.history import REVISIONS
from podward.controllers.apps.ownership import (
    claims,
    is_going,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    selected_by,
    uid_of,
)
from podward.controllers.apps.pods import next_availability
from podward.controllers.apps.revising import Revising
from podward.controllers.apps.stateful_sets import retention, rollout
from podward.controllers.apps.stateful_sets.identity import claims_of, itself, ordinal_of
from podward.controllers.apps.stateful_sets.rollout import Act, Facts, Plan
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.controllers.context import Context

SETS, CLAIMS = BY_PLURAL["apps", "v1", "statefulsets"], BY_PLURAL["", "v1", "persistentvolumeclaims"]
_ACCOUNT = "statefulset-controller"
_HASH = "controller.kubernetes.io/hash"


async def make(context: Context) -> StatefulSetController:
    """The controller of StatefulSets."""
    client = await context.client_for(_ACCOUNT)
    return StatefulSetController(context, client, context.recorder(client, _ACCOUNT))


def _matches(owner: JsonObject) -> Callable[[JsonObject], bool]:
    """What the selector matches, if it has a name of the owner's Pods."""
    selected = selected_by(member(member(owner, "spec"), "selector"))
    return lambda pod: selected(pod) and ordinal_of(owner, pod) >= 0


class StatefulSetController:
    """Keeps the Pods of each set, one after the other."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._sets = context.informers.of(SETS)
        self._pods = context.informers.of(PODS)
        self._claims = context.informers.of(CLAIMS)
        self._revising = Revising(client, SETS, context.informers.of(REVISIONS))
        self._expectations = Expectations(time.monotonic)
        self._queue = WorkQueue(_ACCOUNT, self._reconcile, workers=5)

    async def start(self) -> None:
        """Look at all StatefulSets, and at what changes."""
        Following(self._sets, _matches, self._expectations, self._queue).start(self._pods)
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        owner = self._sets.get(namespace, name)
        if owner is None:
            self._expectations.forget(key)
            return None
        revisions = await self._revising.claimed(owner)
        pods = await claimed(
            self._client, (SETS, PODS), owner, claims(owner, _matches(owner), self._pods.items(namespace))
        )
        if isinstance(revisions, Status) or isinstance(pods, Status):
            return Retry.LATER
        found = history.read(owner, revisions)
        update = await self._revising.current(owner, found, _revision(owner, found.number))
        if isinstance(update, Status):
            return Retry.LATER
        wanted = member(owner, "status").get("currentRevision")
        current = next((each for each in revisions if name_of(each) == wanted), update)
        there = {name_of(claim): claim for claim in self._claims.items(namespace)}
        return await self._step(owner, revisions, Facts(pods, current, update, there, time.time()))

    async def _step(self, owner: JsonObject, revisions: list[JsonObject], facts: Facts) -> float | Retry | None:
        plan = rollout.decide(owner, facts)
        refused = None
        if self._expectations.fulfilled(key_of(owner)) and not is_going(owner):
            refused = await self._act(owner, plan)
        if rollout.differs(owner, plan.status):
            changed: JsonObject = {**owner, "status": plan.status}
            answer = await self._client.replace(SETS, namespace_of(owner), changed, "status")
            if isinstance(answer, Status) and answer.code != NOT_FOUND:
                return Retry.LATER
        live = {
            name_of(facts.current),
            name_of(facts.update),
            *(str(labels_of(pod).get(history.HASH)) for pod in facts.pods),
        }
        idle = [each for each in revisions if name_of(each) not in live]
        old = history.surplus(idle, (), number(member(owner, "spec"), "revisionHistoryLimit"))
        refused = refused or await self._revising.delete(owner, old)
        if refused is not None:
            return Retry.LATER
        return next_availability(facts.pods, number(member(owner, "spec"), "minReadySeconds"), facts.now)

    async def _act(self, owner: JsonObject, plan: Plan) -> Status | None:
        key = key_of(owner)
        made = sum(what is Act.CREATE for what, _ in plan.acts)
        gone = [uid_of(pod) for what, pod in plan.acts if what is Act.DELETE]
        if not plan.acts:
            return None
        self._expectations.expect(key, made, gone)

        async def one(index: int) -> Status | None:
            what, pod = plan.acts[index]
            refused = await self._do(owner, what, pod)
            if refused is not None:
                self._unexpect(key, what, pod)
            return refused

        if not rollout.is_ordered(owner):
            done, refused = await slow_start(len(plan.acts), one)
        else:
            done, refused = 0, None
            while refused is None and done < len(plan.acts):
                refused = await one(done)
                done += 1
        if refused is not None:
            self._expectations.forget(key)
        return refused

    def _unexpect(self, key: str, what: Act, pod: JsonObject) -> None:
        if what is Act.CREATE:
            self._expectations.created(key)
        elif what is Act.DELETE:
            self._expectations.deleted(key, uid_of(pod))

    async def _do(self, owner: JsonObject, what: Act, pod: JsonObject) -> Status | None:
        if what is Act.DELETE:
            options: JsonObject = {"preconditions": {"uid": uid_of(pod)}}
            answer = await self._client.delete(PODS, namespace_of(owner), name_of(pod), options)
            refused = _refusal(answer)
            if refused is not None and refused.code == NOT_FOUND:
                self._expectations.deleted(key_of(owner), uid_of(pod))
                refused = None
            return self._tell(owner, "Delete", pod, refused)
        if what is Act.CREATE:
            return await self._create(owner, pod)
        refused = None
        if what is not Act.OWNERS:
            refused = await self._make_claims(owner, pod)
        if refused is None:
            refused = await self._set_owners(owner, pod)
        if refused is None and what is Act.UPDATE:
            refused = _refusal(await self._client.replace(PODS, namespace_of(owner), itself(owner, pod)))
            return self._tell(owner, "Update", pod, refused)
        return refused

    async def _create(self, owner: JsonObject, pod: JsonObject) -> Status | None:
        refused = await self._make_claims(owner, pod)
        if refused is None:
            answer = await self._client.create(PODS, namespace_of(owner), pod)
            if isinstance(answer, Status) and is_taken(answer):
                return answer
            refused = _refusal(answer)
        self._tell(owner, "Create", pod, refused)
        return refused or await self._set_owners(owner, pod)

    def _tell(self, owner: JsonObject, verb: str, pod: JsonObject, refused: Status | None) -> Status | None:
        what = f"{verb} Pod {name_of(pod)} in StatefulSet {name_of(owner)}"
        if refused is None:
            self._recorder.event(owner, "Normal", f"Successful{verb}", f"{what} successful")
        else:
            self._recorder.event(owner, "Warning", f"Failed{verb}", f"{what} failed error: {refused.message}")
        return refused

    async def _make_claims(self, owner: JsonObject, pod: JsonObject) -> Status | None:
        """Make the Pod's claims that are missing; the first refusal. A claim that is being deleted is one, too."""
        first, namespace = None, namespace_of(owner)
        for claim in claims_of(owner, ordinal_of(owner, pod)).values():
            name = name_of(claim)
            there = self._claims.get(namespace, name)
            if there is not None:
                if is_going(there):
                    first = first or Status(409, "Conflict", f"pvc {name} is being deleted")
                continue
            answer = await self._client.create(CLAIMS, namespace, claim)
            if is_taken(answer):
                continue
            what = f"Claim {name} Pod {name_of(pod)} in StatefulSet {name_of(owner)}"
            if isinstance(answer, Status):
                first = first or Status(answer.code, answer.reason, f"failed to create PVC {name}: {answer.message}")
                sentence = f"Create {what.replace(' Pod ', ' for Pod ', 1)} failed error: {answer.message}"
                self._recorder.event(owner, "Warning", "FailedCreate", sentence)
            else:
                self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Create {what} success")
        return first

    async def _set_owners(self, owner: JsonObject, pod: JsonObject) -> Status | None:
        """Give the Pod's claims the owners that they should have."""
        for wanted in claims_of(owner, ordinal_of(owner, pod)).values():
            name = name_of(wanted)
            claim = self._claims.get(namespace_of(owner), name)
            if claim is None:
                continue
            if retention.has_other_controller(owner, pod, claim):
                sentence = (
                    f"PersistentVolumeClaim {name} has a conflicting OwnerReference that acts as a manging controller,"
                    " the retention policy is ignored for this claim"
                )
                self._recorder.event(owner, "Warning", "ConflictingController", sentence)
            changed = retention.changed(owner, pod, claim)
            if changed is not None:
                refused = _refusal(await self._client.replace(CLAIMS, namespace_of(owner), changed))
                if refused is not None:
                    return refused
        return None


def _refusal(answer: JsonObject | Status) -> Status | None:
    return answer if isinstance(answer, Status) and answer.code >= 400 else None


def _revision(owner: JsonObject, revision: int) -> JsonObject:
    """The revision of the owner's template, if it must be made."""
    found = revision_hash(history.data_of(owner), number(member(owner, "status"), "collisionCount"))
    template = member(member(member(owner, "spec"), "template"), "metadata")
    return history.made(owner, {**member(template, "labels"), _HASH: found}, found, revision)
