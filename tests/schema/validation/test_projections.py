"""Projected volumes, claims that a volume makes, and paths of files, to the letter (Kubernetes 1.36)."""

from __future__ import annotations

import pytest

from podward.api.json_value import Json, JsonObject
from podward.schema.defaulting import converted
from podward.schema.validation.pod import errors
from podward.schema.view import pod_view

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    " an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is"
    " '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
KEY_TYPES = '"RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"'
NO_FILE = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
PORTAL = (
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is"
    " specified."
)
ISCSI: JsonObject = {
    "targetPortal": "p" * 70, "iqn": "iqn.2001-04.a:b", "lun": 0, "initiatorName": "iqn.2001-04.a:b",
}  # fmt: skip
FORM = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


def refusals(source: JsonObject) -> list[str]:
    """What is refused about a volume, before fields behind feature gates are dropped; places are below the volume."""
    spec: JsonObject = {"containers": [{"name": "c", "image": "i"}], "volumes": [{"name": "v", **source}]}
    raw, _ = converted({"metadata": {"name": "p", "namespace": "n"}, "spec": spec})
    found = errors(pod_view(raw), raw).violations
    return [f"{violation.path}: {violation.reason}".removeprefix("spec.volumes[0].") for violation in found]


@pytest.mark.parametrize(
    ("bundle", "told"),
    [
        ({"name": "n", "path": "p"}, []),
        ({"signerName": "a.b/c", "labelSelector": {"matchLabels": {"a": "b"}}, "path": "p"}, []),
        ({"path": "p"}, [": Required value: either name or signerName must be specified"]),
        ({"name": "n"}, [".path: Required value"]),
        ({"name": "n", "path": "..x"}, [".path: Invalid value: \"..x\": must not start with '..'"]),
        (
            {"name": "n", "signerName": "s", "path": "p", "labelSelector": {"matchExpressions": [{"key": "k"}]}},
            [
                (
                    ': Invalid value: {"Name":"n","SignerName":"s","LabelSelector":'
                    '{"matchExpressions":[{"key":"k","operator":""}]},"Optional":null,"Path":"p"}:'
                    " only one of name and signerName may be used"
                )
            ],
        ),
        (
            {"name": "n", "path": "p", "labelSelector": {}},
            [".labelSelector: Invalid value: {}: labelSelector must be unset if name is specified"],
        ),
        (
            {"name": "", "path": "p"},
            [
                ".name: Required value: must be a valid object name",
                f'.name: Invalid value: "": not a valid clustertrustbundlename: {SUBDOMAIN}',
            ],
        ),
        ({"name": "a.b:c:n", "path": "p"}, []),
        (
            {"name": ":n", "path": "p"},
            [
                (
                    '.name: Invalid value: ":n": not a valid clustertrustbundlename: ClusterTrustBundle without signer'
                    ' name must not have ":" in its name'
                )
            ],
        ),
        (
            {"signerName": "", "path": "p"},
            [".signerName: Required value: must be a valid signer name", ".signerName: Required value"],
        ),
        ({"signerName": "a/b/c", "path": "p"}, [f'.signerName: Invalid value: "a/b/c": {FORM}']),
        (
            {"signerName": "A/B", "path": "p"},
            [
                f'.signerName: Invalid value: "A": validating label "A": {LABEL}',
                '.signerName: Invalid value: "A": should be a domain with at least two segments separated by dots',
                f'.signerName: Invalid value: "B": validating label "B": {SUBDOMAIN}',
            ],
        ),
    ],
)
def test_a_trust_bundle_is_refused(bundle: JsonObject, told: list[str]) -> None:
    at = "projected.sources[0].clusterTrustBundle"
    assert refusals({"projected": {"sources": [{"clusterTrustBundle": bundle}]}}) == [f"{at}{each}" for each in told]


@pytest.mark.parametrize(
    ("certificate", "told"),
    [
        ({}, []),
        ({"keyType": "rsa"}, [f'.keyType: Unsupported value: "rsa": supported values: {KEY_TYPES}']),
        ({"keyPath": ""}, [f": Required value: {NO_FILE}"]),
        ({"certificateChainPath": "/x"}, ['.certificateChainPath: Invalid value: "/x": must be a relative path']),
        (
            {"signerName": "kubernetes.io/x", "maxExpirationSeconds": 86401},
            [".maxExpirationSeconds: Invalid value: 86401: if provided, maxExpirationSeconds must be <= 86400"],
        ),
        (
            {"maxExpirationSeconds": 3599},
            [".maxExpirationSeconds: Invalid value: 3599: if provided, maxExpirationSeconds must be >= 3600"],
        ),
        (
            {"userAnnotations": {"a": "b"}},
            ['.userAnnotations: Invalid value: "a": must be a domain-prefixed key (such as "acme.io/foo")'],
        ),
        ({"userAnnotations": {"A.b/c": "d", "": "e"}}, [".userAnnotations: Required value"]),
    ],
)
def test_a_certificate_is_refused(certificate: JsonObject, told: list[str]) -> None:
    at = "projected.sources[0].podCertificate"
    good: JsonObject = {"signerName": "a.b/c", "keyType": "ED25519", "keyPath": "k"}
    assert refusals({"projected": {"sources": [{"podCertificate": good | certificate}]}}) == [
        f"{at}{each}" for each in told
    ]


def test_no_two_sources_give_the_same_path() -> None:
    sources: list[Json] = [
        {"clusterTrustBundle": {"name": "n", "path": "p"}},
        {"podCertificate": {"signerName": "a.b/c", "keyType": "ED25519", "keyPath": "p", "certificateChainPath": "q"}},
        {"secret": {"name": "s", "items": [{"key": "k", "path": "q"}]}},
    ]
    assert refusals({"projected": {"sources": sources}}) == [
        'projected: Invalid value: "p": conflicting duplicate paths',
        'projected: Invalid value: "s": conflicting duplicate paths',
    ]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"name": "a", "kind": "PersistentVolumeClaim"}, []),
        ({"name": "a", "kind": "VolumeSnapshot", "apiGroup": "snapshot.storage.k8s.io"}, []),
        (
            {},
            [
                ".name: Required value",
                ".kind: Required value",
                ": Invalid value: \"\": must be 'PersistentVolumeClaim' when referencing the default apiGroup",
            ],
        ),
        ({"name": "a", "kind": "K", "apiGroup": "A"}, [f'.apiGroup: Invalid value: "A": {SUBDOMAIN}']),
    ],
)
def test_where_a_claims_data_come_from(source: JsonObject, told: list[str]) -> None:
    claim: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    for name in ("dataSource", "dataSourceRef"):
        template: JsonObject = {"spec": {**claim, name: source}}
        at = f"ephemeral.volumeClaimTemplate.spec.{name}"
        assert refusals({"ephemeral": {"volumeClaimTemplate": template}}) == [f"{at}{each}" for each in told]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"csi": {"driver": ""}}, ["csi.driver: Required value"]),
        (
            {"downwardAPI": {"items": [{"path": "..", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            [
                "downwardAPI.path: Invalid value: \"..\": must not contain '..'",
                "downwardAPI.path: Invalid value: \"..\": must not start with '..'",
            ],
        ),
        (
            {"iscsi": ISCSI, "csi": {"driver": "d"}},
            [f'name: Invalid value: "v": {PORTAL}', "csi: Forbidden: may not specify more than 1 volume type"],
        ),
    ],
)
def test_volumes_are_refused_in_the_servers_order(source: JsonObject, told: list[str]) -> None:
    assert refusals(source) == told


def test_both_places_of_a_claims_data_agree() -> None:
    spec: JsonObject = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec["dataSource"] = {"name": "a", "kind": "PersistentVolumeClaim"}
    at = "ephemeral.volumeClaimTemplate.spec"
    for other, told in (
        ({}, []),
        ({"name": "b"}, [f"{at}: Invalid value: {{}}: must match dataSourceRef"]),
        (
            {"namespace": "n"},
            [f"{at}: Invalid value: {{}}: may not be specified when dataSourceRef.namespace is specified"],
        ),
    ):
        reference: JsonObject = {"name": "a", "kind": "PersistentVolumeClaim", **other}
        template: JsonObject = {"spec": {**spec, "dataSourceRef": reference}}
        assert refusals({"ephemeral": {"volumeClaimTemplate": template}}) == told
