"""What begins a rollout of a DeploymentConfig.

Specification: openshift/openshift-controller-manager, pkg/apps/deploymentconfig `triggerActivated`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member, objects
from podward.schema.openshift.rollouts import encoded_in, latest_of
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_CONFIG, _IMAGE = "ConfigChange", "ImageChange"


def triggers_of(config: JsonObject) -> set[str]:
    """The kinds of changes that begin a rollout."""
    return {text(each, "type") for each in objects(member(config, "spec"), "triggers")} & {_CONFIG, _IMAGE}


def of(config: JsonObject, current: JsonObject | None) -> JsonObject | None:
    """The details of the rollout that is to begin; empty where none is; nothing where images are waited for."""
    triggers, found = triggers_of(config), _details("config change", [{"type": _CONFIG}])
    images = [member(each, "imageChangeParams") for each in objects(member(config, "spec"), "triggers")]
    if not latest_of(config):
        if _IMAGE not in triggers:
            return found if _CONFIG in triggers else {}
        waits = any(not text(each, "lastTriggeredImage") for each in images if each)
        return None if waits else found
    if current is None:
        return {}
    if _IMAGE in triggers and (newer := _newer_images(config, current)):
        causes: list[JsonObject] = [
            {"type": _IMAGE, "imageTrigger": {"from": {"kind": "DockerImage", "name": image}}} for image in newer
        ]
        return _details("image change", causes)
    before = encoded_in(current)
    template = member(config, "spec").get("template")
    changed = before is not None and not same(template, member(before, "spec").get("template"))
    return found if _CONFIG in triggers and changed else {}


def _details(message: str, causes: list[JsonObject]) -> JsonObject:
    listed: list[Json] = [*causes]
    return {"message": message, "causes": listed}


def _newer_images(config: JsonObject, current: JsonObject) -> list[str]:
    has = set(_images(current))
    return [image for image in _images(config) if image not in has]


def _images(owner: JsonObject) -> list[str]:
    pod = member(member(member(owner, "spec"), "template"), "spec")
    return [text(each, "image") for each in objects(pod, "containers")]
