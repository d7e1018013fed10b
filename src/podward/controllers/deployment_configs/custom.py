"""A rollout by a Pod of the user's own: the deployer's Pod of a custom strategy, and what its end means.

Specification: openshift/openshift-controller-manager, pkg/apps/deployer/deployer_controller.go. The Pod runs the image
that the strategy names as the service account `deployer` of its namespace, which may scale ReplicationControllers
there, and is told of which rollout it is. The rollout is as far as its Pod. One whose Pod cannot be made for
timeoutSeconds has failed, and one whose Pod is gone.

Ours: other strategies have such a Pod where they name an image; without one the controller does their work itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from podward.api.gotext import quote
from podward.controllers.apps.ownership import annotations_of, name_of, namespace_of, uid_of
from podward.controllers.apps.pods import moment_of
from podward.controllers.deployment_configs import rollouts
from podward.controllers.deployment_configs.hook_manifest import GRACE, POD_FOR, longest
from podward.controllers.deployment_configs.hooks import NOT_THERE, REFUSED, Seen, parameters, strategy_of
from podward.controllers.deployment_configs.rollouts import (
    COMPLETE,
    COMPLETED,
    CONFIG,
    DESIRED,
    FAILED,
    NEW,
    PENDING,
    PHASE,
    REASON,
    RUNNING,
    SIZE,
    STARTED,
    phase_of,
)
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import strings, text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

DEPLOY = "deploy"
"""What stands behind the name of the ReplicationController in the name of the Pod."""
ACCOUNT = "deployer"
_POD, _CREATED = "openshift.io/deployer-pod.name", "openshift.io/deployer-pod.created-at"
_TIMEOUT, _AGAIN = 600, 5.0
_KEPT = ("dnsPolicy", "dnsConfig", "enableServiceLinks", "imagePullSecrets", "tolerations", "nodeSelector")


class CustomStep(Struct):
    """What is done next: a Pod that is made, annotations, events, and the seconds until it is tried again."""

    pod: JsonObject | None = None
    changes: dict[str, str | None] = field(default_factory=dict)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    again: float | None = None


def is_custom(controller: JsonObject) -> bool:
    """Whether a Pod of the user's own rolls it out."""
    strategy = strategy_of(controller)
    return text(strategy, "type") == "Custom" or bool(text(member(strategy, "customParams"), "image"))


def step(controller: JsonObject, seen: Seen, now: float) -> CustomStep:
    """The next step of a rollout that is not over, nor cancelled."""
    pod = f"{name_of(controller)}-{DEPLOY}"
    is_there = seen.phase not in {NOT_THERE.phase, REFUSED}
    if phase_of(controller) == NEW and not is_there:
        return _begun(controller, seen, now)
    if not is_there:
        told = ("Warning", "Failed", f"Deployer pod {quote(pod)} has gone missing")
        return _failed("deployer pod no longer exists", told, now)
    if phase_of(controller) == NEW and seen.rollout != name_of(controller):
        sentence = f"Error creating deployer pod since another pod with the same name ({quote(pod)}) exists"
        why = "unrelated pod with the same name as this deployment is already running"
        return _failed(why, ("Warning", "FailedCreate", sentence), now)
    return CustomStep(changes=_followed(controller, seen, pod, now))


def _begun(controller: JsonObject, seen: Seen, now: float) -> CustomStep:
    limit = _limit(controller)
    created = moment_of(member(controller, "metadata"), "creationTimestamp")
    if limit > 0 and created is not None and now - created > limit:
        where = f"{namespace_of(controller)}/{name_of(controller)}"
        sentence = f"Rollout for {quote(where)} failed to create deployer pod (timeoutSeconds: {limit}s)"
        return _failed("unable to create deployer pod", ("Warning", "RolloutTimeout", sentence), now)
    if seen.phase == REFUSED:
        told = ("Warning", "FailedCreate", f"Error creating deployer pod: {seen.message}")
        return CustomStep(events=[told], again=_AGAIN)
    if rollouts.IGNORED in annotations_of(controller):
        return CustomStep()
    pod = made(controller, now)
    changes: dict[str, str | None] = {PHASE: PENDING, _POD: name_of(pod), _CREATED: rollouts.moment(now)}
    return CustomStep(pod, changes)


def _followed(controller: JsonObject, seen: Seen, pod: str, now: float) -> dict[str, str | None]:
    """What the controller says when its Pod is so far."""
    if seen.phase == "Succeeded":
        desired = annotations_of(controller).get(DESIRED)
        size = desired if isinstance(desired, str) else None
        return {PHASE: COMPLETE, SIZE: size, DESIRED: None, COMPLETED: rollouts.moment(now)}
    if seen.phase == "Failed":
        return {PHASE: FAILED, COMPLETED: rollouts.moment(now)}
    if seen.phase == "Running" and phase_of(controller) != RUNNING:
        return {PHASE: RUNNING, STARTED: rollouts.moment(now), _POD: pod}
    return {PHASE: PENDING, _POD: pod} if phase_of(controller) == NEW else {}


def _failed(why: str, told: tuple[str, str, str], now: float) -> CustomStep:
    return CustomStep(changes={PHASE: FAILED, REASON: why, COMPLETED: rollouts.moment(now)}, events=[told])


def _limit(controller: JsonObject) -> int:
    seconds = parameters(controller).get("timeoutSeconds")
    return seconds if type(seconds) is int else _TIMEOUT


# --- the Pod ----------------------------------------------------------------------------------------------------------


def made(controller: JsonObject, now: float) -> JsonObject:
    """The deployer's Pod."""
    name, strategy = name_of(controller), strategy_of(controller)
    owner: JsonObject = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "name": name,
        "uid": uid_of(controller),
    }
    labels: JsonObject = {POD_FOR: name}
    annotations: JsonObject = {rollouts.NAME: name, CONFIG: text(annotations_of(controller), CONFIG)}
    template = member(member(member(controller, "spec"), "template"), "spec")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-{DEPLOY}",
            "namespace": namespace_of(controller),
            "labels": {**strings(strategy, "labels"), **labels},
            "annotations": {**strings(strategy, "annotations"), **annotations},
            "ownerReferences": [owner],
        },
        "spec": {
            **{each: template[each] for each in _KEPT if template.get(each) is not None},
            "containers": [_container(controller, strategy)],
            "activeDeadlineSeconds": longest(controller, strategy, now),
            "restartPolicy": "Never",
            "serviceAccountName": ACCOUNT,
            "terminationGracePeriodSeconds": GRACE,
            "shareProcessNamespace": False,
        },
    }


def _container(controller: JsonObject, strategy: JsonObject) -> JsonObject:
    custom = member(strategy, "customParams")
    added: list[Json] = [
        {"name": "OPENSHIFT_DEPLOYMENT_NAME", "value": name_of(controller)},
        {"name": "OPENSHIFT_DEPLOYMENT_NAMESPACE", "value": namespace_of(controller)},
    ]
    container: JsonObject = {
        "name": "deployment",
        "image": text(custom, "image"),
        "env": [*objects(custom, "environment"), *added],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "imagePullPolicy": "IfNotPresent",
    }
    kept: JsonObject = {"command": custom.get("command"), "resources": strategy.get("resources")}
    return {**container, **{name: value for name, value in kept.items() if value}}


def deployers(namespace: str) -> JsonObject:
    """The binding by which the account may roll out what is in its namespace."""
    description = (
        "Allows deploymentconfigs in this namespace to rollout pods in this namespace. "
        " It is auto-managed by a controller; remove subjects to disable."
    )
    subject: JsonObject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "system:deployers", "annotations": {"openshift.io/description": description}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:deployer"},
        "subjects": [subject],
    }
