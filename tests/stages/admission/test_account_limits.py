"""What Pods may refer to: mirror Pods to nothing secret, others to what a limiting account has."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.stages.admission.account_limits import fault_of_debugging, fault_of_mirror, fault_of_references

ACCOUNT: JsonObject = {
    "metadata": {"name": "sa", "annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}},
    "secrets": [{"name": "ours"}],
    "imagePullSecrets": [{"name": "registry"}],
}
REST = "is not allowed because service account sa does not reference that secret"


def pod(**spec: object) -> JsonObject:
    return {"metadata": {"name": "p"}, "spec": spec}  # type: ignore[dict-item]  # JSON


def variable(secret: str) -> JsonObject:
    return {"name": "V", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({}, ""),
        ({"serviceAccountName": "sa"}, "a mirror pod may not reference service accounts"),
        ({"volumes": [{"secret": {"secretName": "s"}}]}, "a mirror pod may not reference secrets"),
        ({"containers": [{"env": [variable("s")]}]}, "a mirror pod may not reference secrets"),
        (
            {"volumes": [{"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}]},
            "a mirror pod may not use ServiceAccountToken volume projections",
        ),
    ],
)
def test_a_mirror_pod_refers_to_nothing_secret(spec: dict[str, object], fault: str) -> None:
    assert fault_of_mirror(pod(**spec)) == fault


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ({"volumes": [{"secret": {"secretName": "ours"}}, {"emptyDir": {}}]}, ""),
        ({"volumes": [{"secret": {"secretName": "other"}}]}, f'volume with secret.secretName="other" {REST}'),
        (
            {"initContainers": [{"name": "i", "env": [variable("ours"), variable("x")]}]},
            f'init container i with envVar V referencing secret.secretName="x" {REST}',
        ),
        (
            {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "x"}}]}]},
            f'container c with envFrom referencing secret.secretName="x" {REST}',
        ),
        (
            {"imagePullSecrets": [{"name": "registry"}, {"name": "x"}]},
            f'imagePullSecrets[1].name="x" {REST.removesuffix("secret")}imagePullSecret',
        ),
        ({"ephemeralContainers": [{"name": "e", "env": [variable("x")]}]}, ""),
    ],
)
def test_the_secrets_of_a_limiting_account_are_all_there_are(spec: dict[str, object], fault: str) -> None:
    assert fault_of_references(pod(**spec), ACCOUNT) == fault
    assert fault_of_references(pod(**spec), {"metadata": {"name": "sa"}}) == ""


def test_so_they_are_for_ephemeral_containers() -> None:
    debugged = pod(ephemeralContainers=[{"name": "e", "env": [variable("x")]}])
    told = f'ephemeral container e with envVar V referencing secret.secretName="x" {REST}'
    assert fault_of_debugging(debugged, ACCOUNT) == told
    assert fault_of_debugging(debugged, {"metadata": {"name": "sa"}}) == ""
