"""The API server's defaults: recorded answers of the real one, and what holds for every Pod."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File
from typing import TypedDict

import pytest

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, Source, Value
from podward.documents.patching import applied
from podward.schema.defaulting import (
    CREATION,
    SOURCE,
    apparmor_profile,
    converted,
    decide_creation,
    decide_defaults,
    defaulted,
)
from podward.schema.dropped_fields import CONVERSION
from podward.schema.pull_policy import default_pull_policy
from podward.schema.table import TYPES
from podward.stages.admission.order import completed

GOLDEN = File(__file__).parent.parent / "golden" / "validate_shared.jsonl.gz"


def created(raw: JsonObject) -> tuple[JsonObject, Decision]:
    """The Pod after defaulting and PrepareForCreate, and what was decided."""
    pod, first = defaulted(raw)
    more = decide_creation(pod)
    return applied(pod, more), first + more


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
        ("r/Busybox", "IfNotPresent"),
        ("R/busybox", "Always"),
        ("docker.io/busybox", "Always"),
        ("[::1]:5000/busybox", "Always"),
        ("a_b/busybox", "Always"),
        ("a___b/busybox", "IfNotPresent"),
        ("a/../b", "IfNotPresent"),
        ("/busybox", "IfNotPresent"),
        ("-busybox", "IfNotPresent"),
        ("busybox:" + "t" * 129, "IfNotPresent"),
        ("busybox:latest@sha256:a", "IfNotPresent"),
        ("busybox:latest@md5:" + "a" * 32, "IfNotPresent"),
        ("a" * 64, "IfNotPresent"),
        ("a" * 255, "IfNotPresent"),
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


def assigned(decision: Decision, source: Source) -> dict[str, Value]:
    """What this source assigned, by its place."""
    return {str(each.path): each.value for each in decision.assignments if each.source is source}


def resources(limits: JsonObject | None = None, requests: JsonObject | None = None) -> JsonObject:
    """ResourceRequirements."""
    return {"limits": limits or {}, "requests": requests or {}}


def test_a_key_of_a_file_is_not_optional() -> None:
    reference: JsonObject = {"volumeName": "v", "path": "p", "key": "k"}
    environment: JsonObject = {"env": [{"name": "A", "valueFrom": {"fileKeyRef": reference}}]}
    spec: JsonObject = {
        "containers": [environment],
        "initContainers": [environment],
        "ephemeralContainers": [environment],
    }
    decided = assigned(decide_defaults({"spec": spec}), SOURCE)
    for containers in spec:
        assert decided[f"spec.{containers}[0].env[0].valueFrom.fileKeyRef.optional"] is False


def test_amounts_are_rounded_up_to_thousandths_everywhere() -> None:
    claim: JsonObject = {"volumeClaimTemplate": {"spec": {"resources": resources(requests={"storage": "1n"})}}}
    spec: JsonObject = {
        "containers": [{"resources": resources({"cpu": "0.0001", "memory": 1.0001}, {"cpu": "1u"})}],
        "resources": resources({"cpu": "1e-5"}, {"cpu": "1u"}),
        "overhead": {"cpu": "1500u", "memory": "1Mi"},
        "volumes": [{"name": "v", "ephemeral": claim}],
    }
    decided = assigned(decide_defaults({"spec": spec}), SOURCE)
    assert {place: value for place, value in decided.items() if "limits" in place or "requests" in place} == {
        "spec.containers[0].resources.limits.cpu": "1m",
        "spec.containers[0].resources.limits.memory": "1001m",
        "spec.containers[0].resources.requests.cpu": "1m",
        "spec.containers[0].resources.requests.memory": "1001m",
        "spec.resources.limits.cpu": "1e-3",
        "spec.resources.requests.cpu": "1m",
        "spec.resources.requests.memory": "1001m",
        "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests.storage": "1m",
    }
    assert decided["spec.overhead.cpu"] == "2m"
    assert "spec.overhead.memory" not in decided


def test_the_pods_own_requests_come_from_the_containers_and_then_from_its_limits() -> None:
    spec: JsonObject = {
        "containers": [
            {"resources": resources({"cpu": "100u", "hugepages-2Mi": "2Mi"})},
            {"resources": resources({"example.com/gpu": 1}, {"cpu": "100u"})},
        ],
        "initContainers": [{"resources": resources({"hugepages-2Mi": "8Mi"})}],
        "resources": resources({"memory": "1Gi", "example.com/gpu": 2}),
    }
    decided = assigned(decide_defaults({"spec": spec}), SOURCE)
    assert {place: value for place, value in decided.items() if place.startswith("spec.resources")} == {
        "spec.resources.limits.hugepages-2Mi": "8Mi",
        "spec.resources.requests.cpu": "1m",
        "spec.resources.requests.memory": "1Gi",
        "spec.resources.requests.hugepages-2Mi": "8Mi",
    }


def test_a_pod_that_requests_huge_pages_gets_no_limit_of_them() -> None:
    containers: list[Json] = [{"resources": resources({"hugepages-2Mi": "2Mi", "cpu": 1})}]
    spec: JsonObject = {"containers": containers, "resources": resources(requests={"hugepages-2Mi": "4Mi"})}
    decided = assigned(decide_defaults({"spec": spec}), SOURCE)
    assert not [place for place in decided if place.startswith("spec.resources")]


def test_only_null_is_an_unset_pointer() -> None:
    volumes: list[Json] = [
        {"name": "a", "azureDisk": {"kind": "", "cachingMode": ""}},
        {"name": "b", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "c", "iscsi": {"iscsiInterface": ""}},
    ]
    decided = assigned(decide_defaults({"spec": {"volumes": volumes}}), SOURCE)
    assert {place: value for place, value in decided.items() if place.startswith("spec.volumes")} == {
        "spec.volumes[0].azureDisk.fsType": "ext4",
        "spec.volumes[0].azureDisk.readOnly": False,
        "spec.volumes[1].ephemeral.volumeClaimTemplate.spec.volumeMode": "Filesystem",
        "spec.volumes[2].iscsi.iscsiInterface": "default",
    }


def test_fields_behind_feature_gates_that_are_off_are_gone() -> None:
    bundle: JsonObject = {"clusterTrustBundle": {"path": "p", "name": "n"}}
    certificate: JsonObject = {"podCertificate": {"keyType": "ED25519"}}
    raw: JsonObject = {
        "metadata": {"generation": 7},
        "spec": {
            "containers": [{"name": "c", "lifecycle": {"stopSignal": "SIGTERM", "preStop": {"sleep": {"seconds": 1}}}}],
            "initContainers": [{"name": "i", "lifecycle": {"stopSignal": "SIGTERM"}}],
            "schedulingGroup": {"podGroupName": "g"},
            "volumes": [{"name": "v", "projected": {"sources": [bundle, certificate, {"secret": {"name": "s"}}]}}],
        },
    }
    pod, decision = created(raw)
    assert assigned(decision, CREATION) == {
        "metadata.generation": 1,
        "spec.volumes[0].projected.sources[0].clusterTrustBundle": None,
        "spec.volumes[0].projected.sources[1].podCertificate": None,
        "spec.schedulingGroup": None,
        "spec.initContainers[0].lifecycle": None,
        "spec.containers[0].lifecycle.stopSignal": None,
    }
    text = json.dumps(pod)
    for name in ("clusterTrustBundle", "podCertificate", "schedulingGroup", "stopSignal"):
        assert name not in text
    assert '"sources": [{}, {}, {"secret": {"name": "s"}}]' in text
    assert '"lifecycle": {"preStop": {"sleep": {"seconds": 1}}}' in text
    assert created(pod)[1].assignments == ()


def test_a_negative_grace_period_is_one_second_and_old_annotations_are_gone() -> None:
    old = "pod.beta.kubernetes.io/init-containers"
    raw: JsonObject = {
        "metadata": {"annotations": {old: "[]", "a": "b"}},
        "spec": {"terminationGracePeriodSeconds": -5},
    }
    pod, decision = converted(raw)
    assert assigned(decision, CONVERSION) == {
        f"metadata.annotations[{old}]": None,
        "spec.terminationGracePeriodSeconds": 1,
    }
    assert pod["metadata"] == {"annotations": {"a": "b"}}
    assert assigned(created(raw)[1], CONVERSION) == assigned(decision, CONVERSION)


def test_label_keys_become_expressions_of_the_selector_beside_them() -> None:
    keys: JsonObject = {"matchLabelKeys": ["app", "absent"], "mismatchLabelKeys": ["tier"]}
    chosen: JsonObject = {"labelSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}}
    term: JsonObject = {"topologyKey": "k", **keys, **chosen}
    raw: JsonObject = {
        "metadata": {"labels": {"app": "web", "tier": "1"}},
        "spec": {
            "affinity": {
                "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term, {**keys}]},
                "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term}]},
            },
            "topologySpreadConstraints": [{**keys, "labelSelector": {}}],
        },
    }
    matching = {"key": "app", "operator": "In", "values": ["web"]}
    differing = {"key": "tier", "operator": "NotIn", "values": ["1"]}
    expressions = "labelSelector.matchExpressions"
    required = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"
    preferred = "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm"
    assert assigned(created(raw)[1], CREATION) == {
        f"{required}.{expressions}[1]": matching,
        f"{required}.{expressions}[2]": differing,
        f"{preferred}.{expressions}[1]": matching,
        f"{preferred}.{expressions}[2]": differing,
        f"spec.topologySpreadConstraints[0].{expressions}[0]": matching,
    }
