"""One step of a DeploymentConfig: the next rollout, its ReplicationController, sizes and phases, and the status.

Specification: openshift/openshift-controller-manager, pkg/apps/deploymentconfig and pkg/apps/deployer. A config without
a trigger waits to be told. A change of the template begins a rollout, if its trigger is there; a rollout that runs is
cancelled when the next one begins, which waits for that. Once the latest is over, the last complete one has the
config's replicas and the others have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.controllers.apps.conditions import find
from podward.controllers.apps.ownership import is_going, name_of, namespace_of
from podward.controllers.apps.pods import moment_of
from podward.controllers.deployment_configs import causes, custom, deployer, hooks, rollouts, status
from podward.controllers.deployment_configs.rollouts import (
    CANCELLED,
    COMPLETE,
    COMPLETED,
    DESIRED,
    FAILED,
    PHASE,
    REASON,
    RUNNING,
    SIZE,
    STARTED,
    size_of,
)
from podward.documents.raw_fields import member, objects
from podward.schema.openshift.rollouts import latest_of
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podward.api.json_value import JsonObject
    from podward.controllers.deployment_configs.hooks import Seen


class Told(Struct, frozen=True):
    """An event about the config."""

    kind: str
    reason: str
    message: str


class Plan(Struct):
    """What is written, in this order; `status` of None stays as it is. `pod` is of a hook or a custom strategy."""

    created: JsonObject | None = None
    pod: JsonObject | None = None
    changed: list[tuple[JsonObject, Told | None]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    status: JsonObject | None = None
    events: list[Told] = field(default_factory=list)
    again: float | None = None


def decide(
    config: JsonObject, controllers: Sequence[JsonObject], pods: Callable[[JsonObject], int], now: float,
    seen: Callable[[JsonObject, str], Seen] = lambda _controller, _name: hooks.NOT_THERE,
) -> Plan:  # fmt: skip
    """The next step. `controllers`: those that it controls; `pods`: how many Pods of one have not ended.

    `seen` says what became of the Pod of a rollout's hook, or of its custom strategy.
    """
    step = _Step(config, list(controllers), now, seen)
    current = status.latest(config, controllers)
    running = current if current is not None and not rollouts.is_over(current) else None
    if member(config, "spec").get("paused") is True and running is not None and not is_going(config):
        step.run(running, pods)  # what has been begun goes on
        return step.told()
    plan = _stands_still(step, config) or _next_rollout(step, config, current)
    if plan is not None:
        return plan
    if current is None:
        return step.begun()
    return step.over() if running is None else step.run(running, pods)


def _stands_still(step: _Step, config: JsonObject) -> Plan | None:
    """The plan for a config that is not rolled out: it waits to be told, is being deleted, or is paused."""
    if not latest_of(config) and not causes.triggers_of(config):
        return step.told([])
    if is_going(config):
        return step.told()
    if member(config, "spec").get("paused") is True:
        step.clean_up()
        return step.told()
    return None


def _next_rollout(step: _Step, config: JsonObject, current: JsonObject | None) -> Plan | None:
    """The plan where a rollout is to begin, or waits for something."""
    if step.is_behind():
        return step.counted_on(None)
    if current is None and step.cancels_running():
        return step.plan
    pod = member(member(member(config, "spec"), "template"), "spec")
    begun = None
    if all(text(each, "image").strip() for each in objects(pod, "containers")):
        begun = causes.of(config, current)
    if begun is None:
        return step.told()
    return step.counted_on(begun) if begun else None


def failed(config: JsonObject, controllers: Sequence[JsonObject], why: str, now: float) -> Plan:
    """What is said when the controller of a rollout could not be made."""
    found = status.condition(status.PROGRESSING, "False", "ReplicationControllerCreateError", why, now)
    sentence = f"Couldn't deploy version {latest_of(config)}: {why}"
    told = Told("Warning", "DeploymentCreationFailed", sentence)
    return Plan(status=status.calculated(config, controllers, now, found), events=[told])


class _Step:
    def __init__(
        self, config: JsonObject, controllers: list[JsonObject], now: float, seen: Callable[[JsonObject, str], Seen]
    ) -> None:
        self._config = config
        self._controllers = controllers
        self._now = now
        self._seen = seen
        self.plan = Plan()

    def told(self, controllers: list[JsonObject] | None = None, more: JsonObject | None = None) -> Plan:
        """The plan with the status of the controllers as they will be."""
        listed = self._controllers if controllers is None else controllers
        self.plan.status = status.calculated(self._config, listed, self._now, more)
        return self.plan

    def counted_on(self, details: JsonObject | None) -> Plan:
        """The next rollout is begun; its controller is made in the next step."""
        found: JsonObject = {**member(self._config, "status"), "latestVersion": latest_of(self._config) + 1}
        self.plan.status = found if details is None else {**found, "details": details}
        return self.plan

    def is_behind(self) -> bool:
        """Whether there is a rollout with a higher number than the latest."""
        newest, version = max(map(rollouts.version_of, self._controllers), default=0), latest_of(self._config)
        return bool(version) and newest > version

    def clean_up(self) -> None:
        """Delete controllers of long ago."""
        self.plan.deleted += [name_of(each) for each in rollouts.surplus(self._config, self._controllers)]

    def _tell(self, kind: str, reason: str, message: str) -> None:
        self.plan.events.append(Told(kind, reason, message))

    def _change(self, controller: JsonObject, to: JsonObject, told: Told | None = None) -> None:
        self._controllers = [to if each is controller else each for each in self._controllers]
        self.plan.changed.append((to, told))

    def _scale(self, controller: JsonObject, size: int) -> None:
        before, name = size_of(controller), name_of(controller)
        if before == size:
            return
        sentence = f'Scaled replication controller "{name}" from {before} to {size}'
        spec: JsonObject = {**member(controller, "spec"), "replicas": size}
        self._change(controller, {**controller, "spec": spec}, Told("Normal", "ReplicationControllerScaled", sentence))

    def cancels_running(self) -> bool:
        """End rollouts that run while the next has been begun; whether there were any."""
        running = [each for each in self._controllers if not rollouts.is_over(each)]
        version = latest_of(self._config)
        for each in running:
            changes: dict[str, str | None] = {
                CANCELLED: "true",
                REASON: "newer deployment was found running",
                PHASE: FAILED,
            }
            sentence = f'Cancelled deployment "{name_of(each)}" superceded by version {version}'
            self._change(
                each, rollouts.with_annotations(each, changes), Told("Normal", "DeploymentCancelled", sentence)
            )
        if running:
            sentence = f"Deployment of version {version} awaiting cancellation of older running deployments"
            self._tell("Normal", "DeploymentAwaitingCancellation", sentence)
        return bool(running)

    def begun(self) -> Plan:
        """The controller of the latest rollout is made."""
        made = rollouts.made(self._config)
        sentence = f'Created new replication controller "{name_of(made)}" for version {latest_of(self._config)}'
        self._tell("Normal", "DeploymentCreated", sentence)
        self.plan.created = made
        self._controllers.append(made)
        self.clean_up()
        found = status.condition(status.PROGRESSING, "True", "NewReplicationControllerCreated", sentence, self._now)
        return self.told(more=found)

    def over(self) -> Plan:
        """No rollout runs: the active controller has the replicas."""
        active, spec = rollouts.active(self._controllers), member(self._config, "spec")
        for each in list(self._controllers):
            wished = number(spec, "replicas") if each is active and spec.get("test") is not True else 0
            self._scale(each, wished)
        self.clean_up()
        return self.told()

    def run(self, current: JsonObject, pods: Callable[[JsonObject], int]) -> Plan:
        """What a deployer would do next."""
        if custom.is_custom(current) and not rollouts.is_cancelled(current):
            self._custom(current)
            return self._told_unobserved()
        old = rollouts.active(self._controllers)
        begins = rollouts.phase_of(current) != RUNNING
        facts = deployer.Facts(current, old, pods(old) if old is not None else 0, self._better_since(), self._now)
        step = deployer.decide(facts)
        where = f"{namespace_of(current)}/{name_of(current)}"
        if rollouts.is_cancelled(current):
            told = Told("Normal", "RolloutCancelled", f'Rollout for "{where}" cancelled')
            changes: dict[str, str | None] = {PHASE: FAILED, COMPLETED: rollouts.moment(self._now)}
            self._change(current, rollouts.with_annotations(current, changes), told)
        elif step.failure:
            self._fail(current, step.failure)
        elif begins:
            changes = {PHASE: RUNNING, STARTED: rollouts.moment(self._now)}
            self._change(current, rollouts.with_annotations(current, changes))
        elif step.hook and not self._runs_others(current, old):
            self._hook(current, step.hook)
        else:
            self._go_on(current, old, step)
            self.plan.again = max(deployer.deadline(facts), 0.0) + 1.0
        return self._told_unobserved()

    def _custom(self, current: JsonObject) -> None:
        """Have a Pod of the user's own roll it out."""
        step = custom.step(current, self._seen(current, custom.DEPLOY), self._now)
        for kind, reason, message in step.events:
            self._tell(kind, reason, message)
        self.plan.pod, self.plan.again = step.pod, step.again
        if step.changes:
            self._change(current, rollouts.with_annotations(current, step.changes))

    def _fail(self, current: JsonObject, why: str) -> None:
        changes: dict[str, str | None] = {PHASE: FAILED, REASON: why, COMPLETED: rollouts.moment(self._now)}
        sentence = f'Rollout for "{namespace_of(current)}/{name_of(current)}" failed: {why}'
        told = Told("Warning", "RolloutFailed", sentence)
        self._change(current, rollouts.with_annotations(current, changes), told)

    def _hook(self, current: JsonObject, name: str) -> None:
        """Have a hook begin, or find out what became of it."""
        step = hooks.step(current, name, self._seen(current, name), self._now)
        for kind, reason, message in step.events:
            self._tell(kind, reason, message)
        self.plan.pod = step.pod
        if step.failure:
            self._fail(current, step.failure)
        elif step.noted is not None:
            self._change(current, step.noted)

    def _runs_others(self, current: JsonObject, old: JsonObject | None) -> bool:
        """Whether older rollouts that are not the last complete one have replicas: they are scaled down first."""
        return any(size_of(each) for each in self._controllers if each is not current and each is not old)

    def _go_on(self, current: JsonObject, old: JsonObject | None, step: deployer.Step) -> None:
        for each in list(self._controllers):
            if each is not current:
                self._scale(each, step.old if each is old else 0)
        if not step.done:
            self._scale(current, step.new)
            return
        desired = str(deployer.wanted(current))
        changes: dict[str, str | None] = {PHASE: COMPLETE, SIZE: desired, DESIRED: None}
        changes[COMPLETED] = rollouts.moment(self._now)
        self._change(current, rollouts.with_annotations(current, changes))

    def _better_since(self) -> float | None:
        found = find(objects(member(self._config, "status"), "conditions"), status.PROGRESSING)
        better = found is not None and found.get("reason") == status.UPDATED
        return moment_of(found, "lastUpdateTime") if found is not None and better else None

    def _told_unobserved(self) -> Plan:
        """The status of a config whose rollout runs: its change has not been acted on yet."""
        plan = self.told()
        before = number(member(self._config, "status"), "observedGeneration")
        plan.status = {**(plan.status or {}), "observedGeneration": before}
        return plan
