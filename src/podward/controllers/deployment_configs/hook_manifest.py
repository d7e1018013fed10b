"""The Pod of a hook of a rollout.

Specification: openshift/oc, pkg/cli/deployer/strategy/support/lifecycle.go `createHookPodManifest`. It has the image,
the variables, the resources and the rights of one of the template's containers, and those of its volumes that the hook
names. `Retry` has the kubelet start it again until the rollout's longest time is over. It goes with its controller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.controllers.apps.ownership import name_of, namespace_of, uid_of
from podward.controllers.deployment_configs.rollouts import NAME, started_at
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import number, strings, text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

POD_FOR = "openshift.io/deployer-pod-for.name"
"""The label of a hook's Pod that names the ReplicationController."""
_POD_TYPE = "openshift.io/deployer-pod.type"
_LONGEST, GRACE = 6 * 3600, 10
_KEPT_OF_CONTAINER = ("image", "imagePullPolicy", "workingDir", "resources", "securityContext")
_KEPT_OF_MOUNT = ("name", "readOnly", "mountPath", "subPath")


def name_of_pod(controller: JsonObject, name: str) -> str:
    """The name of the hook's Pod."""
    return f"{name_of(controller)}-hook-{name}"


def made(controller: JsonObject, hook: JsonObject, strategy: JsonObject, name: str, now: float) -> JsonObject | str:
    """The Pod of a hook, or why there can be none."""
    wanted = member(hook, "execNewPod")
    base = container_of(controller, text(wanted, "containerName"))
    if base is None:
        return f"no container named '{text(wanted, 'containerName')}' found in rc template"
    labels: JsonObject = {POD_FOR: name_of(controller), _POD_TYPE: f"hook-{name}"}
    annotations: JsonObject = {NAME: name_of(controller)}
    owner: JsonObject = {"apiVersion": "v1", "kind": "ReplicationController"}
    owner |= {"name": name_of(controller), "uid": uid_of(controller)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name_of_pod(controller, name),
            "namespace": namespace_of(controller),
            "labels": {**strings(strategy, "labels"), **labels},
            "annotations": {**strings(strategy, "annotations"), **annotations},
            "ownerReferences": [owner],
        },
        "spec": _spec(controller, hook, base, longest(controller, strategy, now)),
    }


def _template(controller: JsonObject) -> JsonObject:
    return member(member(member(controller, "spec"), "template"), "spec")


def container_of(controller: JsonObject, name: str) -> JsonObject | None:
    """The container of this name of the controller's template."""
    return next((each for each in objects(_template(controller), "containers") if each.get("name") == name), None)


def _spec(controller: JsonObject, hook: JsonObject, base: JsonObject, longest: int) -> JsonObject:
    template, wanted = _template(controller), member(hook, "execNewPod")
    names = wanted.get("volumes")
    volumes: list[Json] = [
        each for each in objects(template, "volumes") if isinstance(names, list) and each.get("name") in names
    ]
    has = {each["name"] for each in volumes if isinstance(each, dict)}
    mounts: list[Json] = [
        {name: each[name] for name in _KEPT_OF_MOUNT if name in each}
        for each in objects(base, "volumeMounts")
        if each.get("name") in has
    ]
    container: JsonObject = {name: base[name] for name in _KEPT_OF_CONTAINER if name in base}
    container |= {"name": "lifecycle", "env": _variables(controller, base, wanted), "volumeMounts": mounts}
    if "command" in wanted:
        container["command"] = wanted["command"]
    kept: JsonObject = {name: template[name] for name in ("securityContext", "nodeSelector") if template.get(name)}
    secrets: list[Json] = [{"name": each.get("name")} for each in objects(template, "imagePullSecrets")]
    return {
        **kept,
        "containers": [container],
        "volumes": volumes,
        "activeDeadlineSeconds": longest,
        "restartPolicy": "OnFailure" if hook.get("failurePolicy") == "Retry" else "Never",
        "imagePullSecrets": secrets,
        "terminationGracePeriodSeconds": GRACE,
    }


def longest(controller: JsonObject, strategy: JsonObject, now: float) -> int:
    """The seconds that are left of the rollout's longest time."""
    since = started_at(controller)
    return (number(strategy, "activeDeadlineSeconds") or _LONGEST) - int(now - (since if since is not None else now))


def _variables(controller: JsonObject, base: JsonObject, wanted: JsonObject) -> list[Json]:
    """The container's variables, in whose place are those of the hook, and which rollout it is."""
    merged = {each.get("name"): each for each in (*objects(base, "env"), *objects(wanted, "env"))}
    rollout: JsonObject = {
        "OPENSHIFT_DEPLOYMENT_NAME": name_of(controller),
        "OPENSHIFT_DEPLOYMENT_NAMESPACE": namespace_of(controller),
    }
    added: list[Json] = [{"name": name, "value": value} for name, value in rollout.items()]
    return [*merged.values(), *added]
