"""What is said of AppArmor's old annotations."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.strategies import apparmor_annotations, templates

_KEY = "container.apparmor.security.beta.kubernetes.io/c"
_WARNING = f'metadata.annotations[{_KEY}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _pod(annotation: str, spec: JsonObject, container: JsonObject) -> JsonObject:
    containers: list[Json] = [{"name": "c", "image": "i", **container}]
    return {"metadata": {"annotations": {_KEY: annotation}}, "spec": {**spec, "containers": containers}}


@pytest.mark.parametrize(
    ("spec", "container", "of_pod", "of_template"),
    [
        ({}, {}, 1, 1),
        ({}, {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, 0, 0),
        ({"securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}, {}, 0, 0),
        ({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, {}, 1, 1),
        ({"os": {"name": "windows"}}, {}, 0, 1),
    ],
)
def test_an_annotation_without_a_field_is_warned_of(
    spec: JsonObject, container: JsonObject, of_pod: int, of_template: int
) -> None:
    pod = _pod("runtime/default", spec, container)
    assert apparmor_annotations.of_pod(pod) == (_WARNING,) * of_pod
    assert templates.warned(pod, "spec.template") == (f"spec.template.{_WARNING}",) * of_template


def test_an_annotation_that_means_nothing_is_warned_of() -> None:
    assert apparmor_annotations.of_pod(_pod("nonsense", {}, {})) == (_WARNING,)
