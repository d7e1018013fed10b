"""The API server's refusals, to the letter: recorded answers of the real one, and rules one by one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.defaulting import defaulted
from podward.schema.validation.pod import validate
from podward.schema.view import pod_view
from podward.stages.admission.order import completed

GOLDEN = File(__file__).parent.parent.parent / "golden" / "validate_shared.jsonl.gz"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an"
    " alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def errors(pod: JsonObject, kind: str = "Pod", *, allow_privileged: bool = True) -> list[str]:
    decision = validate(pod_view(pod), pod, kind, allow_privileged=allow_privileged)
    return [f"{violation.path}: {violation.reason}" for violation in decision.violations]


def refusals(spec: JsonObject, container: JsonObject | None = None, kind: str = "Pod") -> list[str]:
    """What is refused about a Pod that is fine but for these fields of its spec and of its container."""
    good: JsonObject = {"name": "c", "image": "i"}
    base: JsonObject = {"containers": [good | (container or {})]}
    pod = completed({"metadata": {"name": "p"}, "spec": base | spec}).stored
    return errors(pod, kind)


def test_every_recorded_answer_is_given_to_the_letter() -> None:
    with gzip.open(GOLDEN, "rt") as file:
        cases = [json.loads(line) for line in file]
    refused = 0
    for case in cases:
        expected, question = case["expected"], case["input"]
        if "decodeError" in expected:
            continue
        allow = question.get("allowPrivileged", True)
        assert errors(completed(question["pod"]).stored, allow_privileged=allow) == expected["apiserverErrors"], case[
            "id"
        ]
        assert errors(defaulted(question["pod"])[0], allow_privileged=allow) == expected["errors"], case["id"]
        refused += bool(expected["errors"])
    assert refused > 150


def test_words_of_the_servers_own_types_are_printed_as_json_and_texts_as_go_prints_them() -> None:
    odd, as_json, as_text = "<\x00\u200b>", '"\\u003c\\u0000\u200b\\u003e"', '"<\\x00\\u200b>"'
    field: JsonObject = {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": odd}}}
    said = refusals({"dnsPolicy": odd, "os": {"name": odd}}, {"imagePullPolicy": odd, "env": [field]})
    shown = {line.partition(": ")[0]: line.partition(" value: ")[2].partition(": ")[0] for line in said}
    assert shown["spec.dnsPolicy"] == shown["spec.os"] == shown["spec.containers[0].imagePullPolicy"] == as_json
    assert refusals({}, {"resources": {"claims": [{"name": odd}]}})[0].startswith(
        f"spec.containers[0].resources.claims[0]: Not found: {as_text}"
    )


@pytest.mark.parametrize(
    ("name", "refused"),
    [("kernel.shmmax", True), ("kernel/sem", True), ("fs.mqueue.x", True), ("kernel.shmfoo", False), ("vm.x", False)],
)
def test_a_sysctl_of_ipc_is_refused_with_the_hosts_ipc(name: str, refused: bool) -> None:  # noqa: FBT001  # a column
    spec: JsonObject = {"hostIPC": True, "securityContext": {"sysctls": [{"name": name, "value": "1"}]}}
    place = "spec.securityContext.sysctls[0].name"
    error = f"{place}: Invalid value: \"{name}\": may not be specified when 'hostIPC' is true"
    assert refusals(spec) == ([error] if refused else [])


def test_a_good_pod_is_not_refused() -> None:
    assert refusals({}) == []
    assert refusals({"volumes": [{"name": "v"}]}, {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}) == []


@pytest.mark.parametrize(
    ("container", "error"),
    [
        ({"name": "A"}, f'spec.containers[0].name: Invalid value: "A": {LABEL}'),
        ({"name": ""}, "spec.containers[0].name: Required value"),
        ({"name": "a.b"}, 'spec.containers[0].name: Invalid value: "a.b": must not contain dots'),
        (
            {"name": "a" * 64},
            f'spec.containers[0].name: Invalid value: "{"a" * 64}": must be no more than 63 characters',
        ),
        ({"image": ""}, "spec.containers[0].image: Required value"),
        (
            {"image": " i"},
            'spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace',
        ),
        (
            {"imagePullPolicy": "Sometimes"},
            (
                'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values:'
                ' "Always", "IfNotPresent",'
                ' "Never"'
            ),
        ),
        (
            {"volumeMounts": [{"name": "x", "mountPath": "/x"}]},
            'spec.containers[0].volumeMounts[0].name: Not found: "x"',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": ""}]},
            "spec.containers[0].volumeMounts[0].mountPath: Required value",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}]},
            'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "/b"}]},
            'spec.containers[0].volumeMounts.subPath: Invalid value: "/b": must be a relative path',
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "b/../c"}]},
            "spec.containers[0].volumeMounts.subPath: Invalid value: \"b/../c\": must not contain '..'",
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}]},
            (
                "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation"
                " is available only"
                " to privileged containers"
            ),
        ),
        (
            {"volumeMounts": [{"name": "v", "mountPath": "/a", "recursiveReadOnly": "Enabled"}]},
            "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
        ),
        (
            {"ports": [{"containerPort": 70000}]},
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            {"securityContext": {"runAsUser": -1}},
            (
                "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and"
                " 2147483647, inclusive"
            ),
        ),
        (
            {"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "../x"}}},
            (
                'spec.containers[0].securityContext.seccompProfile.localhostProfile: Invalid value: "../x":'
                " must not contain"
                " '..'"
            ),
        ),
    ],
)
def test_a_container_is_refused(container: JsonObject, error: str) -> None:
    assert refusals({"volumes": [{"name": "v"}]}, container) == [error]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"containers": []}, "spec.containers: Required value"),
        (
            {"restartPolicy": "Sometimes"},
            'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        ),
        ({"volumes": [{"name": "V"}]}, f'spec.volumes[0].name: Invalid value: "V": {LABEL}'),
        ({"volumes": [{"name": "v"}, {"name": "v"}]}, 'spec.volumes[1].name: Duplicate value: "v"'),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/a/../b"}}]},
            "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
        ),
        ({"volumes": [{"name": "v", "hostPath": {"path": ""}}]}, "spec.volumes[0].hostPath.path: Required value"),
        (
            {"volumes": [{"name": "v", "hostPath": {"path": "/a", "type": "Dir"}}]},
            (
                'spec.volumes[0].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice",'
                ' "CharDevice",'
                ' "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
            ),
        ),
        ({"initContainers": [{"name": "c", "image": "i"}]}, 'spec.initContainers[0].name: Duplicate value: "c"'),
        (
            {"initContainers": [{"name": "i", "image": "i", "lifecycle": {}}]},
            (
                "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without"
                " restartPolicy=Always"
            ),
        ),
        ({"hostUsers": False, "hostIPC": True}, "spec.HostIPC: Forbidden: when `hostUsers` is false"),
        (
            {"hostPID": True, "shareProcessNamespace": True},
            (
                "spec.securityContext.shareProcessNamespace: Invalid value: true: ShareProcessNamespace and"
                " HostPID cannot both"
                " be enabled"
            ),
        ),
        (
            {"hostNetwork": True, "securityContext": {"sysctls": [{"name": "net/ipv4/tcp_syncookies", "value": "1"}]}},
            (
                'spec.securityContext.sysctls[0].name: Invalid value: "net/ipv4/tcp_syncookies": may not be'
                " specified when"
                " 'hostNetwork' is true"
            ),
        ),
        ({"hostname": "A.b"}, f'spec.hostname: Invalid value: "A.b": {LABEL}'),
        (
            {"activeDeadlineSeconds": 0},
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        (
            {"os": {"name": "linux"}, "securityContext": {"windowsOptions": {}}},
            "spec.securityContext.windowsOptions: Forbidden: windows options cannot be set for a linux pod",
        ),
    ],
)
def test_a_spec_is_refused(spec: JsonObject, error: str) -> None:
    assert refusals(spec) == [error]


def test_names_must_be_unique_among_all_containers() -> None:
    twice: list[Json] = [{"name": "a", "image": "i"}, {"name": "a", "image": "i"}]
    assert refusals({"containers": twice}) == ['spec.containers[1].name: Duplicate value: "a"']


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "A"}, "metadata.name: Invalid value"),
        ({"name": "a", "namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b": must not contain dots'),
    ],
)
def test_metadata_is_refused(metadata: JsonObject, error: str) -> None:
    pod = completed({"metadata": metadata, "spec": {"containers": [{"name": "c", "image": "i"}]}}).stored
    (only,) = errors(pod)
    assert only.startswith(error)


@pytest.mark.parametrize(
    ("kind", "policy", "fine"),
    [
        ("Job", "Always", False),
        ("Job", "Never", True),
        ("CronJob", "OnFailure", True),
        ("Deployment", "Always", True),
        ("Deployment", "Never", False),
        ("DaemonSet", "OnFailure", False),
        ("PodTemplate", "Never", True),
    ],
)
def test_a_workload_restricts_the_restart_policy(kind: str, policy: str, fine: bool) -> None:  # noqa: FBT001  # a column
    found = refusals({"restartPolicy": policy}, kind=kind)
    assert [error.split(":")[0] for error in found] == ([] if fine else ["spec.restartPolicy"])


def test_a_privileged_container_needs_the_servers_leave() -> None:
    container: JsonObject = {"name": "c", "image": "i", "securityContext": {"privileged": True}}
    pod = completed({"metadata": {"name": "p"}, "spec": {"containers": [container]}}).stored
    assert errors(pod) == []
    assert errors(pod, allow_privileged=False) == [
        "spec.containers[0].securityContext.privileged: Forbidden: disallowed by cluster policy"
    ]
