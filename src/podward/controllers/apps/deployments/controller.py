"""The controller of Deployments at work: what `rollout.py` decides is written, in its order.

Specification: Kubernetes, pkg/controller/deployment/deployment_controller.go and sync.go getNewReplicaSet. A ReplicaSet
whose name is taken is ours if we control it and it has the template; else the next one gets another name, by a count of
collisions. What was written by others meanwhile is seen by its version, and the step decided anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND, PODS, claimed, is_ending, is_taken, owner_in
from podward.controllers.apps.deployments import plan as plans
from podward.controllers.apps.deployments import revisions, rollout
from podward.controllers.apps.deployments.plan import Plan, Told
from podward.controllers.apps.ownership import (
    annotations_of,
    claims,
    controlled_by,
    controller_of,
    controller_uid,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    selected_by,
    uid_of,
)
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.client.informer import Change
    from podward.controllers.context import Context

DEPLOYMENTS, SETS = BY_PLURAL["apps", "v1", "deployments"], BY_PLURAL["apps", "v1", "replicasets"]
_ACCOUNT = "deployment-controller"


async def make(context: Context) -> DeploymentController:
    """The controller of Deployments."""
    client = await context.client_for(_ACCOUNT)
    return DeploymentController(context, client, context.recorder(client, _ACCOUNT))


class DeploymentController:
    """Leads each Deployment step by step to what it wishes for."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._deployments = context.informers.of(DEPLOYMENTS)
        self._sets = context.informers.of(SETS)
        self._pods = context.informers.of(PODS)
        self._queue = WorkQueue(_ACCOUNT, self._reconcile, workers=5)

    async def start(self) -> None:
        """Look at all Deployments, and at what changes."""
        self._deployments.listeners.append(lambda change: self._queue.add(key_of(change.object)))
        self._sets.listeners.append(self._take_set)
        self._pods.listeners.append(self._take_pod)
        for deployment in self._deployments.items():
            self._queue.add(key_of(deployment))
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    def _take_set(self, change: Change) -> None:
        found, old = change.object, change.old
        if old is not None and controller_uid(old) != controller_uid(found):
            self._note(owner_in(self._deployments, old))
        if controller_of(found) is not None:
            self._note(owner_in(self._deployments, found))
        elif change.new is not None and (old is None or labels_of(old) != labels_of(found) or controller_of(old)):
            for deployment in self._deployments.items(namespace_of(found)):
                if selected_by(member(member(deployment, "spec"), "selector"))(found):
                    self._note(deployment)

    def _take_pod(self, change: Change) -> None:
        """A Pod that is gone: with Recreate, the new ones wait for the last of the old."""
        if change.new is not None or (owner := owner_in(self._sets, change.object)) is None:
            return
        deployment = owner_in(self._deployments, owner)
        strategy = member(member(deployment or {}, "spec"), "strategy")
        if strategy.get("type") == "Recreate":
            self._note(deployment)

    def _note(self, deployment: JsonObject | None) -> None:
        if deployment is not None:
            self._queue.add(key_of(deployment))

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        deployment = self._deployments.get(namespace, name)
        if deployment is None:
            return None
        matches = selected_by(member(member(deployment, "spec"), "selector"))
        found = claims(deployment, matches, self._sets.items(namespace))
        sets = await claimed(self._client, (DEPLOYMENTS, SETS), deployment, found)
        if isinstance(sets, Status):
            return Retry.LATER
        there = list(self._pods.items(namespace))
        pods = {uid_of(each): controlled_by(each, there) for each in sets}
        plan = rollout.decide(deployment, sets, pods, time.time())
        return await self._write(deployment, plan)

    async def _write(self, deployment: JsonObject, plan: Plan) -> float | Retry | None:
        if plan.created is not None and not await self._create(deployment, plan, plan.created):
            return Retry.LATER
        namespace = namespace_of(deployment)
        for name, found in plan.changed.items():
            if isinstance(await self._client.replace(SETS, namespace, found), Status):
                return Retry.LATER
            self._tell(deployment, plan.scaling(name))
        for name in plan.deleted:
            answer = await self._client.delete(SETS, namespace, name)
            if isinstance(answer, Status) and answer.code >= 400 and answer.code != NOT_FOUND:
                return Retry.LATER
        if not await self._write_deployment(deployment, plan):
            return Retry.LATER
        for told in plan.events:
            self._tell(deployment, told)
        return plan.again

    async def _write_deployment(self, deployment: JsonObject, plan: Plan) -> bool:
        """Write what differs; whether it could be."""
        to, part = plan.deployment, "" if plan.rolled_back else "status"
        alike = annotations_of(to) == annotations_of(deployment) and to.get("spec") is deployment.get("spec")
        if alike and same(to.get("status"), deployment.get("status")):
            return True
        answer = await self._client.replace(DEPLOYMENTS, namespace_of(to), to, part)
        return not isinstance(answer, Status) or answer.code == NOT_FOUND

    async def _create(self, deployment: JsonObject, plan: Plan, wanted: JsonObject) -> bool:
        """Make the newest ReplicaSet; whether it is there now and the step can go on."""
        namespace, name = namespace_of(deployment), name_of(wanted)
        answer = await self._client.create(SETS, namespace, wanted)
        if not isinstance(answer, Status):
            self._tell(deployment, plan.scaling(name))
            return True
        if is_taken(answer):
            there = await self._client.get(SETS, namespace, name)
            if isinstance(there, Status):
                return False
            if controller_uid(there) == uid_of(deployment) and revisions.has_same_template(deployment, there):
                return False  # of a step before, which the watch has not shown yet
            await self._client.replace(DEPLOYMENTS, namespace, plans.collided(deployment), "status")
        elif not is_ending(answer):
            failed = plans.failed(deployment, name, answer.message, time.time())
            await self._write_deployment(deployment, failed)
            for told in failed.events:
                self._tell(deployment, told)
        return False

    def _tell(self, deployment: JsonObject, told: Told | None) -> None:
        if told is not None:
            self._recorder.event(deployment, told.kind, told.reason, told.message)
