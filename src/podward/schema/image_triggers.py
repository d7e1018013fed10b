"""Images that OpenShift fills in: a container whose image is blank, and a trigger that names the container.

Specification: OpenShift, image triggers. A DeploymentConfig has `spec.triggers` of type ImageChange with
`containerNames`; another workload the annotation `image.openshift.io/triggers`, a list in JSON whose `fieldPath` is
that of a container's image, by its name or its index. The image is that of `from`: an ImageStreamTag of the internal
registry. Until then it is written as a blank, which no Pod may have.
"""

from __future__ import annotations

from re import fullmatch
from typing import TYPE_CHECKING

from msgspec import DecodeError
from msgspec.json import decode

from podward.documents.raw_fields import member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import Json, JsonObject

_ANNOTATION = "image.openshift.io/triggers"
_REGISTRY = "image-registry.openshift-image-registry.svc:5000"
_FIELD = (
    r"spec\.(?:template|jobTemplate\.spec\.template)\.spec\.(containers|initContainers)"
    r"\[(?:(\d+)|\?\(@\.name==[\"']([^\"']+)[\"']\))\]\.image"
)
_LISTS = ("containers", "initContainers")


def with_images(spec: JsonObject, owner: JsonObject, namespace: str) -> JsonObject:
    """The Pod's spec with the images that triggers of its workload give to blank ones."""
    if not any(_is_blank(container) for name in _LISTS for container in _items(spec, name)):
        return spec
    images = [*_of_config(owner, namespace), *_of_annotation(owner, namespace)]
    made = dict(spec)
    for name in _LISTS:
        if name in spec:
            made[name] = [
                {**each, "image": image}
                if isinstance(each, dict) and _is_blank(each) and (image := _image(images, name, index, each))
                else each
                for index, each in enumerate(_items(spec, name))
            ]
    return made


class _Filled:
    """An image, and the container that it is for: by its name in any list, or by its index in one."""

    __slots__ = ("container", "image", "index", "listed")

    def __init__(self, image: str, container: str = "", listed: str = "", index: int = -1) -> None:
        self.image = image
        self.container = container
        self.listed = listed
        self.index = index


def _image(images: list[_Filled], listed: str, index: int, container: JsonObject) -> str:
    for each in images:
        if each.listed and each.listed != listed:
            continue
        if each.container == container.get("name") or (not each.container and each.index == index):
            return each.image
    return ""


def _is_blank(container: Json) -> bool:
    image = container.get("image") if isinstance(container, dict) else None
    return isinstance(image, str) and bool(image) and not image.strip()


def _of_config(owner: JsonObject, namespace: str) -> Iterator[_Filled]:
    for trigger in _items(member(owner, "spec"), "triggers"):
        if not isinstance(trigger, dict) or trigger.get("type") != "ImageChange":
            continue
        change = member(trigger, "imageChangeParams")
        image = _reference(member(change, "from"), namespace)
        for name in _items(change, "containerNames"):
            if image and isinstance(name, str):
                yield _Filled(image, name)


def _of_annotation(owner: JsonObject, namespace: str) -> Iterator[_Filled]:
    written = member(member(owner, "metadata"), "annotations").get(_ANNOTATION)
    try:
        triggers: Json = decode(written) if isinstance(written, str) else None
    except (DecodeError, RecursionError):
        return
    for trigger in triggers if isinstance(triggers, list) else ():
        if not isinstance(trigger, dict) or trigger.get("paused") in (True, "true"):
            continue
        field = fullmatch(_FIELD, str(trigger.get("fieldPath")))
        image = _reference(member(trigger, "from"), namespace)
        if field and image:
            yield _Filled(image, field[3] or "", field[1], int(field[2] or -1))


def _reference(source: JsonObject, namespace: str) -> str:
    """The image of an ImageStreamTag, as the internal registry has it."""
    name, where = source.get("name"), source.get("namespace") or namespace
    if source.get("kind") != "ImageStreamTag" or not isinstance(name, str) or not name:
        return ""
    return f"{_REGISTRY}/{where}/{name}"


def _items(raw: JsonObject, name: str) -> list[Json]:
    value = raw.get(name)
    return value if isinstance(value, list) else []
