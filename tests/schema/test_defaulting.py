"""The API server's defaults: recorded answers of the real one, and what holds for every Pod."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File
from typing import TypedDict

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.defaulting import (
    CREATION,
    SOURCE,
    apparmor_profile,
    decide_defaults,
    defaulted,
)
from podward.schema.pull_policy import default_pull_policy
from podward.schema.table import TYPES
from podward.stages.admission.order import completed

GOLDEN = File(__file__).parent.parent / "golden" / "validate_shared.jsonl.gz"


class Case(TypedDict):
    id: str
    input: dict[str, JsonObject]
    expected: dict[str, JsonObject]


def cases() -> list[Case]:
    with gzip.open(GOLDEN, "rt") as file:
        read: list[Case] = [json.loads(line) for line in file]
    return [case for case in read if "defaulted" in case["expected"]]


def plain(value: Json, code: str) -> Json:
    """The value as Go writes it again: without zero values and without fields that the type doesn't have."""
    if isinstance(value, list):
        return [plain(item, code[1:]) for item in value]
    if not isinstance(value, dict):
        return value
    if code[0] == "{" or code == "r":
        return {name: plain(item, code[1:]) for name, item in value.items()}
    fields = {name: plain(item, TYPES[code][name]) for name, item in value.items() if name in TYPES[code]}
    return {name: item for name, item in fields.items() if item not in (None, "", [], {}) and item is not False}


def test_every_recorded_pod_gets_the_recorded_defaults() -> None:
    assert len(cases()) == 297
    for case in cases():
        pod, _ = defaulted(case["input"]["pod"])
        assert plain(pod, "Pod") == plain(case["expected"]["defaulted"], "Pod"), case["id"]


def test_every_recorded_pod_gets_the_recorded_security_contexts_on_creation() -> None:
    copied = 0
    for case in cases():
        made = completed(case["input"]["pod"])
        pod, decision = made.stored, made.decision
        copied += sum(assignment.source is CREATION for assignment in decision.assignments)
        spec = pod["spec"]
        assert isinstance(spec, dict)
        prepared = case["expected"]["preparedSecurity"]
        assert plain(spec["securityContext"], "PodSecurityContext") == plain(prepared["pod"], "PodSecurityContext")
        containers = prepared["containers"]
        assert isinstance(containers, dict)
        for name in ("initContainers", "containers", "ephemeralContainers"):
            found = spec.get(name) or []
            assert isinstance(found, list)
            for index, container in enumerate(found):
                assert isinstance(container, dict)
                expected = containers[f"{name}[{index}]"]
                assert plain(container.get("securityContext"), "SecurityContext") == plain(expected, "SecurityContext")
    assert copied >= 4


def test_deciding_again_assigns_nothing_and_the_input_is_left_alone() -> None:
    for case in cases():
        raw = case["input"]["pod"]
        before = json.dumps(raw)
        made = completed(raw)
        pod, decision = made.stored, made.decision
        assert json.dumps(raw) == before
        assert decide_defaults(pod).assignments == ()
        assert all(assignment.source in {SOURCE, CREATION} and assignment.reason for assignment in decision.assignments)


@pytest.mark.parametrize(
    ("pod_profile", "copied"),
    [(None, True), ({"type": "Unconfined"}, True), ({"type": "RuntimeDefault"}, False)],
)
def test_an_apparmor_annotation_is_copied_unless_the_pod_says_the_same(pod_profile: Json, copied: bool) -> None:  # noqa: FBT001  # a column
    raw: JsonObject = {
        "metadata": {"annotations": {"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}},
        "spec": {"securityContext": {"appArmorProfile": pod_profile}, "containers": [{"name": "c"}]},
    }
    decision = completed(raw).decision
    places = [str(assignment.path) for assignment in decision.assignments if assignment.source is CREATION]
    assert places == (["spec.containers[0].securityContext.appArmorProfile"] if copied else [])


def test_unknown_fields_survive() -> None:
    pod = completed({"x": {"y": [1]}, "spec": {"containers": [{"name": "c", "zz": {"a": None}}]}}).stored
    assert pod["x"] == {"y": [1]}
    spec = pod["spec"]
    assert isinstance(spec, dict)
    containers = spec["containers"]
    assert isinstance(containers, list)
    assert isinstance(containers[0], dict)
    assert containers[0]["zz"] == {"a": None}


def test_an_absent_or_null_spec_is_created() -> None:
    null: JsonObject = {"spec": None}
    assert defaulted({})[0] == defaulted(null)[0] == defaulted({"spec": {}})[0]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("busybox", "Always"),
        ("busybox:latest", "Always"),
        ("r:5000/busybox", "Always"),
        ("r:5000/a/b:latest", "Always"),
        ("busybox:1", "IfNotPresent"),
        ("r:5000/busybox:1", "IfNotPresent"),
        ("busybox@sha256:" + "a" * 64, "IfNotPresent"),
        ("busybox:latest@sha256:" + "a" * 64, "Always"),
        ("", "IfNotPresent"),
        ("Busybox", "IfNotPresent"),
        (None, "IfNotPresent"),
    ],
)
def test_the_default_pull_policy_follows_the_tag(image: str | None, policy: str) -> None:
    assert default_pull_policy(image) == policy


@pytest.mark.parametrize(
    ("annotation", "profile"),
    [
        ("runtime/default", {"type": "RuntimeDefault"}),
        ("unconfined", {"type": "Unconfined"}),
        ("localhost/a/b", {"type": "Localhost", "localhostProfile": "a/b"}),
        ("localhost/", None),
        ("localhost/ x", None),
        ("localhost", None),
        ("", None),
        ("docker/default", None),
        ("localhost/" + "x" * 4096, None),
    ],
)
def test_apparmor_annotations_as_fields(annotation: str, profile: dict[str, str] | None) -> None:
    assert apparmor_profile(annotation) == profile
