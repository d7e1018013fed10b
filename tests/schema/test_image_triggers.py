"""Image triggers fill in images that are blank, and no others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podward.schema.image_triggers import with_images

BLANK: dict[str, Any] = {"name": "web", "image": " "}
REGISTRY = "image-registry.openshift-image-registry.svc:5000"


def config(*names: str, kind: str = "ImageStreamTag") -> dict[str, Any]:
    change = {"containerNames": list(names), "from": {"kind": kind, "name": "web:1"}}
    return {"spec": {"triggers": [{"type": "ConfigChange"}, {"type": "ImageChange", "imageChangeParams": change}]}}


def annotated(field: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    trigger = {"from": {"kind": "ImageStreamTag", "name": "web:1", "namespace": "lib"}, "fieldPath": field, **more}
    return {"metadata": {"annotations": {"image.openshift.io/triggers": json.dumps([trigger])}}}


def image(owner: dict[str, Any], listed: str = "containers") -> str:
    made: dict[str, Any] = with_images({listed: [BLANK]}, owner, "shop")
    return str(made[listed][0]["image"])


@pytest.mark.parametrize(
    ("owner", "filled"),
    [
        (config("web"), f"{REGISTRY}/shop/web:1"),
        (config("other"), " "),
        (config("web", kind="DockerImage"), " "),
        (annotated('spec.template.spec.containers[?(@.name=="web")].image'), f"{REGISTRY}/lib/web:1"),
        (annotated("spec.template.spec.containers[0].image"), f"{REGISTRY}/lib/web:1"),
        (annotated("spec.jobTemplate.spec.template.spec.containers[0].image"), f"{REGISTRY}/lib/web:1"),
        (annotated("spec.template.spec.containers[1].image"), " "),
        (annotated("spec.template.spec.initContainers[0].image"), " "),
        (annotated("spec.template.spec.containers[0].image", paused="true"), " "),
        ({"metadata": {"annotations": {"image.openshift.io/triggers": "{"}}}, " "),
        ({}, " "),
    ],
)
def test_a_blank_image_is_that_of_the_trigger_that_names_its_container(owner: dict[str, Any], filled: str) -> None:
    assert image(owner) == filled


def test_what_is_not_blank_stays() -> None:
    spec: dict[str, Any] = {"containers": [{"name": "web", "image": "mine:1"}, {"name": "web", "image": ""}]}
    assert with_images(spec, config("web"), "shop") == spec
