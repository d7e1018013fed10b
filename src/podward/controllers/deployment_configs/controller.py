"""The controller of DeploymentConfigs at work: what `decision.py` decides is written, in its order.

Specification: openshift/openshift-controller-manager, pkg/apps/deploymentconfig and pkg/apps/deployer.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from podward.api.status import Status
from podward.client.informer import Change
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND, PODS, claimed, is_taken, owner_in
from podward.controllers.apps.ownership import (
    claims,
    controlled_by,
    controller_uid,
    is_going,
    key_of,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
)
from podward.controllers.apps.pods import has_ended
from podward.controllers.deployment_configs import decision
from podward.controllers.deployment_configs.hook_manifest import POD_FOR
from podward.controllers.deployment_configs.hooks import NOT_THERE
from podward.controllers.deployment_configs.rollout_pods import RolloutPods
from podward.controllers.deployment_configs.rollouts import CONFIG
from podward.documents.raw_fields import member
from podward.schema.openshift.resources import RESOURCES
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.controllers.context import Context
    from podward.controllers.deployment_configs.decision import Plan, Told

CONFIGS = next(each for each in RESOURCES if each.plural == "deploymentconfigs")
CONTROLLERS = BY_PLURAL["", "v1", "replicationcontrollers"]
_ACCOUNT, _NAMESPACE = "deploymentconfig-controller", "openshift-infra"
_OF_PODS = "deployer-controller"
"""As whom the Pods of rollouts are made."""
_GRANTING = "default-rolebindings-controller"
"""As whom a namespace is given the account of custom strategies."""
_BACKGROUND: JsonObject = {"propagationPolicy": "Background"}


async def make(context: Context) -> DeploymentConfigController:
    """The controller of DeploymentConfigs."""
    client = await context.client_for(_ACCOUNT, _NAMESPACE)

    def granting() -> Awaitable[Client]:
        return context.client_for(_GRANTING, _NAMESPACE)

    pods = RolloutPods(await context.client_for(_OF_PODS, _NAMESPACE), context.informers.of(PODS), granting)
    return DeploymentConfigController(context, client, context.recorder(client, _ACCOUNT), pods)


class DeploymentConfigController:
    """Leads each DeploymentConfig from rollout to rollout."""

    def __init__(self, context: Context, client: Client, recorder: Recorder, rolling: RolloutPods) -> None:
        self._client = client
        self._rolling = rolling
        self._recorder = recorder
        self._configs = context.informers.of(CONFIGS)
        self._controllers = context.informers.of(CONTROLLERS)
        self._pods = context.informers.of(PODS)
        self._queue = WorkQueue(_ACCOUNT, self._reconcile)

    async def start(self) -> None:
        """Look at all configs, and at what changes."""
        self._configs.listeners.append(lambda change: self._queue.add(key_of(change.object)))
        self._controllers.listeners.append(self._take_controller)
        self._pods.listeners.append(self._take_pod)
        for config in self._configs.items():
            self._queue.add(key_of(config))
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    def _take_controller(self, change: Change) -> None:
        for each in (change.old, change.new):
            name = labels_of(each).get(CONFIG) if each is not None else None
            if each is not None and isinstance(name, str):
                self._queue.add(f"{namespace_of(each)}/{name}")

    def _take_pod(self, change: Change) -> None:
        """A Pod that has ended or is gone: a rollout may have waited for the last of the one before, or for a hook."""
        pod = change.object
        rollout = labels_of(pod).get(POD_FOR)
        controller = self._controllers.get(namespace_of(pod), rollout) if isinstance(rollout, str) else None
        if controller is not None:
            self._take_controller(Change(None, controller))
        owner = owner_in(self._controllers, pod) if change.new is None or has_ended(pod) else None
        config = owner_in(self._configs, owner) if owner is not None else None
        if config is not None:
            self._queue.add(key_of(config))

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        config = self._configs.get(namespace, name)
        if config is None:
            return None
        found = claims(config, lambda each: labels_of(each).get(CONFIG) == name, self._controllers.items(namespace))
        controllers = await claimed(self._client, (CONFIGS, CONTROLLERS), config, found)
        if isinstance(controllers, Status):
            return Retry.LATER
        there = list(self._pods.items(namespace))

        def left(controller: JsonObject) -> int:
            return sum(not has_ended(pod) for pod in controlled_by(controller, there))

        seen = await self._rolling.seen(controllers)
        if seen is None:
            return Retry.LATER
        lasting = [each for each in controllers if not is_going(each)]
        plan = decision.decide(
            config,
            lasting,
            left,
            time.time(),
            lambda controller, name: seen.get((name_of(controller), name), NOT_THERE),
        )
        if plan.pod is not None:
            begun = await self._rolling.create(plan.pod)
            if begun is None:
                return Retry.LATER
            if begun.phase:
                plan = decision.decide(config, lasting, left, time.time(), lambda _controller, _name: begun)
        await self._rolling.clean_up(controllers)
        return await self._write(config, controllers, plan)

    async def _write(self, config: JsonObject, controllers: list[JsonObject], plan: Plan) -> float | Retry | None:
        namespace = namespace_of(config)
        if plan.created is not None and not await self._create(config, controllers, plan.created):
            return Retry.LATER
        for changed, told in plan.changed:
            if isinstance(await self._client.replace(CONTROLLERS, namespace, changed), Status):
                return Retry.LATER
            self._tell(config, [told] if told is not None else [])
        for name in plan.deleted:
            answer = await self._client.delete(CONTROLLERS, namespace, name, _BACKGROUND)
            if isinstance(answer, Status) and answer.code >= 400 and answer.code != NOT_FOUND:
                sentence = f"Couldn't clean up deployments: {answer.message}"
                self._recorder.event(config, "Warning", "DeploymentCleanupFailed", sentence)
        self._tell(config, plan.events)
        if plan.status is not None and not await self._write_status(config, plan.status):
            return Retry.LATER
        return plan.again

    async def _write_status(self, config: JsonObject, status: JsonObject) -> bool:
        if same(status, member(config, "status")):
            return True
        answer = await self._client.replace(CONFIGS, namespace_of(config), {**config, "status": status}, "status")
        return not isinstance(answer, Status) or answer.code == NOT_FOUND

    async def _create(self, config: JsonObject, controllers: list[JsonObject], wanted: JsonObject) -> bool:
        """Make the controller of a rollout; whether it was made now."""
        namespace, name = namespace_of(config), name_of(wanted)
        answer = await self._client.create(CONTROLLERS, namespace, wanted)
        if not isinstance(answer, Status):
            return True
        why = answer.message
        if is_taken(answer):
            there = await self._client.get(CONTROLLERS, namespace, name)
            if isinstance(there, Status) or controller_uid(there) == uid_of(config):
                return False  # of a step before, which the watch has not shown yet
            why = f"deployment {namespace}/{name} already exists and it couldn't be adopted"
        failed = decision.failed(config, controllers, why, time.time())
        self._tell(config, failed.events)
        await self._write_status(config, failed.status or {})
        return False

    def _tell(self, config: JsonObject, events: Iterable[Told]) -> None:
        for told in events:
            self._recorder.event(config, told.kind, told.reason, told.message)
