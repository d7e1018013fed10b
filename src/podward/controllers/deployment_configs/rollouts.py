"""The ReplicationController of each rollout of a DeploymentConfig: how it is made, and what its annotations say.

Specification: openshift/library-go, pkg/apps/appsutil: MakeDeployment, LatestDeploymentInfo, ActiveDeployment,
DeploymentsForCleanup. A rollout's controller begins without replicas in the phase New, and holds the config that it was
made of; it is pending, running, and in the end Complete or Failed. The active one is the last that is Complete.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podward.api.json_value import Json, JsonObject
from podward.controllers.apps.ownership import annotations_of, controller_reference, name_of, namespace_of
from podward.documents.raw_fields import member, objects
from podward.schema.openshift import rollouts as rules
from podward.schema.openshift.rollouts import ENCODED, latest_of
from podward.schema.openshift.rollouts import name_of as name_of_rollout
from podward.schema.validation.raw import number, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONFIG = "openshift.io/deployment-config.name"
VERSION = "openshift.io/deployment-config.latest-version"
NAME = "openshift.io/deployment.name"
PHASE = rules.PHASE
REASON = "openshift.io/deployment.status-reason"
CANCELLED = "openshift.io/deployment.cancelled"
SIZE = "openshift.io/deployment.replicas"
STARTED, COMPLETED = "openshift.io/deployer-pod.started-at", "openshift.io/deployer-pod.completed-at"
DESIRED = "kubectl.kubernetes.io/desired-replicas"
NEW, PENDING, RUNNING, COMPLETE, FAILED = "New", "Pending", "Running", "Complete", "Failed"
IGNORED = "deploy.openshift.io/deployer-pod.ignore"
_MOMENT = "%Y-%m-%d %H:%M:%S +0000 UTC"


def phase_of(controller: JsonObject) -> str:
    """How far the rollout is."""
    return text(annotations_of(controller), PHASE)


def is_over(controller: JsonObject) -> bool:
    """Whether the rollout is complete or has failed."""
    return phase_of(controller) in {COMPLETE, FAILED}


def is_cancelled(controller: JsonObject) -> bool:
    """Whether somebody asked for its end."""
    return text(annotations_of(controller), CANCELLED).lower() == "true"


def version_of(controller: JsonObject) -> int:
    """The number of the rollout; -1 where it has none."""
    written = text(annotations_of(controller), VERSION)
    return int(written) if written.isascii() and written.isdecimal() and len(written) < len("1" * 19) else -1


def latest_first(controllers: Iterable[JsonObject]) -> list[JsonObject]:
    """The controllers, the last rollout first."""
    return sorted(controllers, key=version_of, reverse=True)


def active(controllers: Iterable[JsonObject]) -> JsonObject | None:
    """The last one that is complete."""
    return next(
        (each for each in latest_first(controllers) if phase_of(each) == COMPLETE and version_of(each) > 0), None
    )


def surplus(config: JsonObject, controllers: Sequence[JsonObject]) -> list[JsonObject]:
    """The oldest controllers without replicas, beyond revisionHistoryLimit."""
    limit = member(config, "spec").get("revisionHistoryLimit")
    if type(limit) is not int:
        return []
    now = active(controllers)
    before = version_of(now) if now is not None else None
    old = [
        each
        for each in reversed(latest_first(controllers))
        if (version_of(each) < before if before is not None else version_of(each) != latest_of(config))
    ]
    return [each for each in old[: max(0, len(old) - limit)] if not size_of(each)]


def size_of(controller: JsonObject) -> int:
    """The replicas that it wishes for."""
    return number(member(controller, "spec"), "replicas")


def with_annotations(controller: JsonObject, changes: dict[str, str | None]) -> JsonObject:
    """The controller with these annotations, without those that are None."""
    kept = {name: value for name, value in annotations_of(controller).items() if name not in changes}
    put: JsonObject = {name: value for name, value in changes.items() if value is not None}
    return {**controller, "metadata": {**member(controller, "metadata"), "annotations": {**kept, **put}}}


def made(config: JsonObject) -> JsonObject:
    """The controller of the config's latest rollout."""
    spec, version, own = member(config, "spec"), str(latest_of(config)), name_of(config)
    template, name = member(spec, "template"), name_of_rollout(own, latest_of(config))
    correlated: JsonObject = {"deploymentconfig": own, "deployment": name}
    pods: JsonObject = {
        "labels": {**member(member(template, "metadata"), "labels"), **correlated},
        "annotations": {
            **member(member(template, "metadata"), "annotations"),
            NAME: name,
            CONFIG: own,
            VERSION: version,
        },
    }
    references: list[Json] = [controller_reference(config)]
    annotations: JsonObject = {
        CONFIG: own,
        ENCODED: json.dumps(_bare(config), separators=(",", ":"), ensure_ascii=False) + "\n",
        PHASE: NEW,
        VERSION: version,
        DESIRED: str(number(spec, "replicas")),
        SIZE: "0",
    }
    if message := text(member(member(config, "status"), "details"), "message"):
        annotations[REASON] = message
    if ignored := text(annotations_of(config), IGNORED):
        annotations[IGNORED] = ignored
    metadata: JsonObject = {
        "name": name,
        "namespace": namespace_of(config),
        "labels": {**member(member(config, "metadata"), "labels"), CONFIG: own},
        "annotations": annotations,
        "ownerReferences": references,
    }
    wanted: JsonObject = {
        "replicas": 0,
        "selector": {**strings(spec, "selector"), **correlated},
        "template": {"metadata": pods, "spec": _trimmed(member(template, "spec"))},
    }
    if least := number(spec, "minReadySeconds"):
        wanted["minReadySeconds"] = least
    return {"apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata, "spec": wanted}


def _bare(config: JsonObject) -> JsonObject:
    """The config without what the server says of who wrote which field: annotations are bounded in size."""
    metadata = {name: value for name, value in member(config, "metadata").items() if name != "managedFields"}
    return {**config, "metadata": metadata}


def _trimmed(spec: JsonObject) -> JsonObject:
    """A Pod's spec, whose images have no white space around them."""
    containers: list[Json] = [{**each, "image": text(each, "image").strip()} for each in objects(spec, "containers")]
    return {**spec, "containers": containers}


def moment(seconds: float) -> str:
    """A time as the annotations have it."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime(_MOMENT)


def started_at(controller: JsonObject) -> float | None:
    """When the rollout began to run."""
    written = text(annotations_of(controller), STARTED).removesuffix(" UTC")
    try:
        found = datetime.strptime(written, "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return found.timestamp()
