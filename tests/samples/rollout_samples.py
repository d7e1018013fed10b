"""DeploymentConfigs, and the ReplicationControllers of their rollouts, as tests of both write them."""

from __future__ import annotations

from workload_samples import NOW, meta, owned_by, template

from podward.api.json_value import Json, JsonObject
from podward.controllers.deployment_configs import rollouts
from podward.controllers.deployment_configs.rollouts import PHASE, STARTED
from podward.documents.raw_fields import member

CHANGE: JsonObject = {"type": "ConfigChange"}
RECREATE: JsonObject = {"type": "Recreate", "recreateParams": {"timeoutSeconds": 600}}
HALF: JsonObject = {"timeoutSeconds": 600, "maxSurge": 1, "maxUnavailable": 0}
ROLLING: JsonObject = {"type": "Rolling", "rollingParams": HALF}


def config(version: int = 0, image: str = "web:1", **spec: Json) -> JsonObject:
    defaults: JsonObject = {"replicas": 2, "triggers": [CHANGE], "strategy": ROLLING, "selector": {"app": "web"}}
    return {
        "apiVersion": "apps.openshift.io/v1",
        "kind": "DeploymentConfig",
        "metadata": meta("web"),
        "spec": {**defaults, "template": template(image), **spec},
        "status": {"latestVersion": version},
    }


def controller(of: JsonObject, version: int, phase: str, replicas: int = 0, **more: Json) -> JsonObject:
    """The controller of a rollout with as many Pods as wished for, all of them available unless told otherwise."""
    found = rollouts.made({**of, "status": {"latestVersion": version}})
    found["metadata"] = {**meta(f"web-{version}"), **member(found, "metadata"), "ownerReferences": owned_by(of)}
    member(found, "spec")["replicas"] = replicas
    available = more.get("available", replicas)
    found["status"] = {"replicas": more.get("there", replicas), "availableReplicas": available}
    return rollouts.with_annotations(found, {PHASE: phase, STARTED: rollouts.moment(NOW - 10)})
