"""A security context's field in the wrong place: the advice says where it belongs."""

from __future__ import annotations

import pytest

from podward.documents.reader import decode_documents
from podward.path import Path, path
from podward.schema import misplaced
from podward.schema.strict import mistakes

POD = path("spec", "securityContext")
CONTAINER = path("spec", "initContainers", 1, "securityContext")


@pytest.mark.parametrize(
    "name", ["capabilities", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "procMount"]
)
def test_a_container_field_on_the_pod_belongs_to_containers(name: str) -> None:
    expected = f"{name} is a field of containers: write it as spec.containers[0].securityContext.{name}, "
    assert misplaced.advice(POD, name).startswith(expected)


@pytest.mark.parametrize("name", ["fsGroup", "supplementalGroups", "sysctls", "supplementalGroupsPolicy"])
def test_a_pod_field_on_a_container_belongs_to_the_pod(name: str) -> None:
    expected = f"{name} is a field of Pods: write it as spec.securityContext.{name}, for all containers"
    assert misplaced.advice(CONTAINER, name) == expected


def test_in_a_template_the_advice_leads_into_the_template() -> None:
    at = path("spec", "template", "spec", "securityContext")
    assert "spec.template.spec.containers[0].securityContext.privileged" in misplaced.advice(at, "privileged")


@pytest.mark.parametrize(
    ("at", "name"),
    [(POD, "privilegde"), (POD, "runAsUser"), (CONTAINER, "hostUsers"), (path("spec"), "privileged"), (Path(), "x")],
)
def test_nothing_is_said_of_other_fields_and_other_places(at: Path, name: str) -> None:
    assert misplaced.advice(at, name) == ""


def test_what_it_knows_is_what_the_schema_refuses() -> None:
    text = b"""{"apiVersion": "v1", "kind": "Pod", "spec": {
        "securityContext": {"privileged": true},
        "initContainers": [{}, {"name": "a", "securityContext": {"fsGroup": 1}}]}}"""
    (document,) = decode_documents(text, "pod.json")
    found = [(Path(mistake.path.segments[:-1]), str(mistake.path.segments[-1])) for mistake in mistakes(document)]
    assert sorted(name for _, name in found) == ["fsGroup", "privileged"]
    assert all(misplaced.advice(at, name) for at, name in found)
