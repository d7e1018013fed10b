"""AlwaysPullImages: every image is pulled anew, so that nobody runs one that he may not pull.

Specification: Kubernetes, plugin/pkg/admission/alwayspullimages. An update that brings no new image is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.admission import Operation
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text
from podward.stages.admission.served_facts import Served, refused

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_ALWAYS = "Always"


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with every image pulled always."""
    if _brings_no_image(asked, obj):
        return obj
    spec = dict(member(obj, "spec"))
    for field in _CONTAINERS:
        if field in spec:
            made: list[Json] = [{**each, "imagePullPolicy": _ALWAYS} for each in objects(spec, field)]
            spec[field] = made
    if any("image" in volume for volume in objects(spec, "volumes")):
        volumes: list[Json] = [_pulled(volume) for volume in objects(spec, "volumes")]
        spec["volumes"] = volumes
    return {**obj, "spec": spec}


def validate(asked: Served, obj: JsonObject) -> Status | None:
    """Why the Pod may not be as it is."""
    if _brings_no_image(asked, obj):
        return None
    faults = [
        f'{place}: Unsupported value: "{policy}": supported values: "{_ALWAYS}"'
        for place, policy in _policies(member(obj, "spec"))
        if policy != _ALWAYS
    ]
    return refused(asked, obj, faults[0]) if faults else None


def _policies(spec: JsonObject) -> Iterator[tuple[str, str]]:
    for field in _CONTAINERS:
        for index, each in enumerate(objects(spec, field)):
            yield f"spec.{field}[{index}].imagePullPolicy", text(each, "imagePullPolicy")
    for index, volume in enumerate(objects(spec, "volumes")):
        if "image" in volume:
            yield f"spec.volumes[{index}].image.pullPolicy", text(member(volume, "image"), "pullPolicy")


def _pulled(volume: JsonObject) -> JsonObject:
    if not isinstance(volume.get("image"), dict):
        return volume
    return {**volume, "image": {**member(volume, "image"), "pullPolicy": _ALWAYS}}


def _brings_no_image(asked: Served, obj: JsonObject) -> bool:
    old = asked.request.old_object
    if asked.request.operation is not Operation.UPDATE or old is None:
        return False
    return set(_images(obj)) <= set(_images(old))


def _images(pod: JsonObject) -> Iterator[str]:
    spec = member(pod, "spec")
    return (text(each, "image") for field in _CONTAINERS for each in objects(spec, field))
