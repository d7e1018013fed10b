"""When a DeploymentConfig is rolled out, why, and what it is when it is rolled back.

Specification: openshift/openshift-apiserver, pkg/apps/apiserver/registry (instantiate, rollback, deploylog) and
validation. The config of a rollout stands in an annotation of its ReplicationController. Images come from image
streams, of which there are none here: a trigger by an image that was never resolved refuses.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from podward.api import status
from podward.api.gotext import quote
from podward.api.status import Status
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.equality import same
from podward.schema.validation.field import NOTHING, ROOT, Place, invalid, invalid_value, required
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podward.api.json_value import Json, JsonObject

ENCODED = "openshift.io/encoded-deployment-config"
"""The annotation of a ReplicationController with the config that it was made of."""
PHASE = "openshift.io/deployment.phase"
"""The annotation of a ReplicationController that says how far its rollout is."""
_PHASES = {"Running": 0, "Unknown": 1, "Pending": 2}
_NAME = Place(ROOT, "name")
_CONFIG, _IMAGE, _MANUAL = "ConfigChange", "ImageChange", "Manual"
_MESSAGES = {_CONFIG: "config change", _IMAGE: "image change", _MANUAL: "manual change"}


def name_of(config: str, version: int) -> str:
    """The name of the ReplicationController of a rollout."""
    return f"{config}-{version}"


def latest_of(config: JsonObject) -> int:
    """The number of the latest rollout; 0 where there was none."""
    return number(member(config, "status"), "latestVersion")


def encoded_in(controller: JsonObject) -> JsonObject | None:
    """The config that a ReplicationController was made of."""
    written = member(member(controller, "metadata"), "annotations").get(ENCODED)
    try:
        found = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


# --- beginning a rollout ----------------------------------------------------------------------------------------------


def refused_request(request: JsonObject, config: JsonObject) -> Decision:
    """Why a DeploymentRequest begins nothing."""
    found = _name_faults(text(request, "name"), missing_is_invalid=True)
    if member(config, "spec").get("paused") is True:
        name = text(member(config, "metadata"), "name")
        detail = f"deployment config {quote(name)} is paused - unpause to request a new deployment"
        found += invalid_value(Place(ROOT, "spec") / "paused", True, detail)
    return found


def _name_faults(name: str, *, missing_is_invalid: bool) -> Decision:
    missing = "name of the deployment config is missing"
    if not name:
        return invalid(_NAME, name, missing) if missing_is_invalid else required(_NAME, missing)
    return invalid(_NAME, name, "name of the deployment config is invalid") if subdomain_faults(name) else NOTHING


def is_complete(controller: JsonObject) -> bool:
    """Whether a rollout has ended well."""
    return member(member(controller, "metadata"), "annotations").get(PHASE) == "Complete"


def application_pod(pods: Iterable[JsonObject]) -> str:
    """The name of the Pod whose logs say most about a rollout that is complete; empty where there is none.

    One that has a node, runs, is ready, has been so for longer, was restarted more often, is older.
    """
    return min(((*_merits(pod), text(member(pod, "metadata"), "name")) for pod in pods), default=("",))[-1]


def _merits(pod: JsonObject) -> tuple[bool, int, bool, str, int, str]:
    status_of = member(pod, "status")
    ready = [each for each in objects(status_of, "conditions") if each.get("type") == "Ready"]
    is_ready = any(each.get("status") == "True" for each in ready)
    since = text(ready[0], "lastTransitionTime") if is_ready else ""
    restarts = max((number(each, "restartCount") for each in objects(status_of, "containerStatuses")), default=0)
    return (
        not text(member(pod, "spec"), "nodeName"),
        _PHASES.get(text(status_of, "phase"), 0),
        not is_ready,
        since or "~",
        -restarts,
        text(member(pod, "metadata"), "creationTimestamp"),
    )


def causes_of(config: JsonObject, before: JsonObject, *, force: bool) -> list[JsonObject] | Status:
    """Why the config is to be rolled out, given the one of its latest rollout; empty where it is not."""
    images = [each for each in objects(member(config, "spec"), "triggers") if each.get("type") == _IMAGE]
    if any(not text(member(each, "imageChangeParams"), "lastTriggeredImage") for each in images):
        name = quote(text(member(config, "metadata"), "name"))
        return status.bad_request(f"cannot trigger a deployment for {name} because it contains unresolved images")
    if force:
        return [{"type": _MANUAL}]
    causes = list(_image_causes(config, before, images))
    spec = member(config, "spec")
    by_config = any(each.get("type") == _CONFIG for each in objects(spec, "triggers"))
    changed = not latest_of(config) or not same(spec.get("template"), member(before, "spec").get("template"))
    return [{"type": _CONFIG}] if by_config and not causes and changed else causes


def _image_causes(config: JsonObject, before: JsonObject, images: list[JsonObject]) -> Iterator[JsonObject]:
    earlier = {
        _source(each): text(member(each, "imageChangeParams"), "lastTriggeredImage")
        for each in reversed(objects(member(before, "spec"), "triggers"))
        if each.get("type") == _IMAGE
    }
    triggers = not latest_of(config) or any(_source(each) not in earlier for each in images)
    for each in images:
        params, source = member(each, "imageChangeParams"), _source(each)
        if params.get("automatic") is not True:
            continue
        triggers = triggers or earlier.get(source) != text(params, "lastTriggeredImage")
        if triggers:
            namespace, name = source
            reference: JsonObject = {"kind": "ImageStreamTag", "namespace": namespace, "name": name}
            yield {"type": _IMAGE, "imageTrigger": {"from": reference}}


def _source(trigger: JsonObject) -> tuple[str, str]:
    source = member(member(trigger, "imageChangeParams"), "from")
    return text(source, "namespace"), text(source, "name")


def begun(config: JsonObject, causes: list[JsonObject]) -> JsonObject:
    """The config whose next rollout begins."""
    listed: list[Json] = [*causes]
    details: JsonObject = {"message": _MESSAGES[str(causes[0]["type"])], "causes": listed}
    state = {**member(config, "status"), "latestVersion": latest_of(config) + 1, "details": details}
    return {**config, "status": state}


# --- going back -------------------------------------------------------------------------------------------------------


def refused_rollback(rollback: JsonObject) -> Decision:
    """What is wrong with a DeploymentConfigRollback."""
    revision = number(member(rollback, "spec"), "revision")
    found = _name_faults(text(rollback, "name"), missing_is_invalid=False)
    if revision < 0:
        found += invalid(Place(ROOT, "spec") / "revision", revision, "must be non-negative")
    return merge(found)


def revision_of(rollback: JsonObject, config: JsonObject) -> int | str:
    """The rollout that is gone back to, or why there is none."""
    latest, wanted = latest_of(config), number(member(rollback, "spec"), "revision")
    if latest == 0:
        return "cannot rollback an undeployed config"
    if latest == 1:
        where = member(config, "metadata")
        label = quote(f"{text(where, 'namespace')}/{text(where, 'name')}")
        return f"no previous deployment exists for {label}"
    if latest == wanted:
        return f"version {wanted} is already the latest"
    return wanted or latest - 1


def refusal_of(rollback: JsonObject, why: str) -> Decision:
    """Why a config cannot go back, as an error about its name."""
    return invalid(_NAME, text(rollback, "name"), why)


def rolled_back(config: JsonObject, to: JsonObject, rollback: JsonObject) -> JsonObject:
    """The config as it would be if it went back; its triggers by images are off."""
    wanted, earlier = member(rollback, "spec"), member(to, "spec")
    spec: JsonObject = dict(member(config, "spec"))
    for flag, fields in (
        ("includeTemplate", ("template",)),
        ("includeReplicationMeta", ("replicas", "selector")),
        ("includeTriggers", ("triggers",)),
        ("includeStrategy", ("strategy",)),
    ):
        if wanted.get(flag) is True:
            spec.update({field: earlier[field] for field in fields if field in earlier})
    spec["triggers"] = [_not_automatic(each) for each in objects(spec, "triggers")]
    metadata: JsonObject = dict(member(config, "metadata"))
    if updated := member(rollback, "updatedAnnotations"):
        metadata["annotations"] = {**member(metadata, "annotations"), **updated}
    state = {**member(config, "status"), "latestVersion": latest_of(config) + 1}
    return {**config, "metadata": metadata, "spec": spec, "status": state}


def _not_automatic(trigger: JsonObject) -> JsonObject:
    image = trigger.get("imageChangeParams")
    if trigger.get("type") != _IMAGE or not isinstance(image, dict):
        return trigger
    kept = {name: value for name, value in image.items() if name != "automatic"}
    return {**trigger, "imageChangeParams": kept}
