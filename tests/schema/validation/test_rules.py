"""The rules about metadata, spec and volumes, one by one, to the letter (pkg/apis/core/validation)."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.schema.validation.pod import errors, validate
from podward.schema.view import pod_view
from podward.stages.admission.order import completed

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'example.com', regex used for validation is"
    r" '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NAME = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def pod(spec: JsonObject, container: JsonObject, metadata: JsonObject) -> JsonObject:
    good: JsonObject = {"name": "c", "image": "i", **container}
    return completed({"metadata": {"name": "p", **metadata}, "spec": {"containers": [good], **spec}}).stored


def refusals(
    spec: JsonObject | None = None,
    container: JsonObject | None = None,
    metadata: JsonObject | None = None,
) -> list[str]:
    raw = pod(spec or {}, container or {}, metadata or {})
    return [f"{violation.path}: {violation.reason}" for violation in validate(pod_view(raw), raw).violations]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ({"hostPath": {"path": "/a/../x"}}, ".hostPath.path: Invalid value: \"/a/../x\": must not contain '..'"),
        (
            {"hostPath": {"path": "/x", "type": "Z"}},
            (
                '.hostPath.type: Unsupported value: "Z": supported values: "", "BlockDevice",'
                ' "CharDevice", "Directory",'
                ' "DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
            ),
        ),
        (
            {"emptyDir": {"sizeLimit": "-1"}},
            ".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity",
        ),
        (
            {"emptyDir": {}, "secret": {"secretName": "s"}},
            ".secret: Forbidden: may not specify more than 1 volume type",
        ),
        ({"nfs": {"server": "s", "path": "x"}}, '.nfs.path: Invalid value: "x": must be an absolute path'),
        (
            {"configMap": {"name": "n", "defaultMode": 1000}},
            ".configMap.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive",
        ),
        ({"ephemeral": {}}, ".ephemeral.volumeClaimTemplate: Required value"),
    ],
)
def test_a_volume_is_refused(source: JsonObject, error: str) -> None:
    assert refusals({"volumes": [{"name": "v", **source}]}) == [f"spec.volumes[0]{error}"]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"nodeSelector": {"a": "c d"}}, f'nodeSelector: Invalid value: "c d": {VALUE}'),
        (
            {"affinity": {"nodeAffinity": {REQUIRED: {}}}},
            (
                f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms: Required value: must have at least one"
                " node selector term"
            ),
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        PREFERRED: [
                            {"weight": 0, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
                        ]
                    }
                }
            },
            f"affinity.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the range 1-100",
        ),
        (
            {"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": "a b"}]}}},
            f'affinity.podAntiAffinity.{REQUIRED}[0].topologyKey: Invalid value: "a b": {NAME}',
        ),
        (
            {"tolerations": [{"operator": "Exists", "key": "a", "value": "b"}]},
            "tolerations[0].operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        (
            {"tolerations": [{"key": "a", "operator": "Exists", "tolerationSeconds": 1}]},
            "tolerations[0].effect: Invalid value: \"\": effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "k", "whenUnsatisfiable": "ScheduleAnyway"}]},
            "topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
        ),
        (
            {"hostAliases": [{"ip": "010.0.0.1"}]},
            'hostAliases[0].ip: Invalid value: "010.0.0.1": must not have leading 0s',
        ),
        (
            {"hostAliases": [{"ip": "::ffff:10.0.0.1"}]},
            'hostAliases[0].ip: Invalid value: "::ffff:10.0.0.1": must not be an IPv4-mapped IPv6 address',
        ),
        ({"dnsPolicy": "None"}, "dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"),
        (
            {"dnsPolicy": "x"},
            (
                'dnsPolicy: Unsupported value: "x": supported values: "ClusterFirstWithHostNet",'
                ' "ClusterFirst", "Default",'
                ' "None"'
            ),
        ),
        ({"schedulingGates": [{"name": "a"}, {"name": "a"}]}, 'schedulingGates[1]: Duplicate value: "a"'),
        (
            {"readinessGates": [{"conditionType": "a b"}]},
            f'readinessGates[0].conditionType: Invalid value: "a b": {NAME}',
        ),
        (
            {"activeDeadlineSeconds": 0},
            "activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
        ),
        ({"runtimeClassName": "A"}, f'runtimeClassName: Invalid value: "A": {SUBDOMAIN}'),
        ({"priorityClassName": "A"}, f'priorityClassName: Invalid value: "A": {SUBDOMAIN}'),
        ({"serviceAccountName": "A"}, f'serviceAccountName: Invalid value: "A": {SUBDOMAIN}'),
        (
            {"preemptionPolicy": "x"},
            'preemptionPolicy: Unsupported value: "x": supported values: "PreemptLowerPriority", "Never"',
        ),
        ({"overhead": {"cpu": "-1"}}, 'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0'),
        (
            {"resourceClaims": [{"name": "a", "resourceClaimName": "x", "resourceClaimTemplateName": "y"}]},
            (
                "resourceClaims[0]: Invalid value:"
                ' {"Name":"a","ResourceClaimName":"x","ResourceClaimTemplateName":"y"}: at most'
                " one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            ),
        ),
    ],
)
def test_a_spec_is_refused(spec: JsonObject, error: str) -> None:
    assert refusals(spec) == [f"spec.{error}"]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"labels": {"a b": "c"}}, f'labels: Invalid value: "a b": {NAME}'),
        ({"annotations": {"a b": "c"}}, f'annotations: Invalid value: "a b": {NAME}'),
        ({"annotations": {"A/b": "c"}}, ""),
        (
            {"finalizers": ["x"]},
            'finalizers[0]: Invalid value: "x": name is neither a standard finalizer name nor is it fully qualified',
        ),
        (
            {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "x"}},
            'annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer',
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "n"}]},
            'ownerReferences.uid: Invalid value: "": must not be empty',
        ),
    ],
)
def test_metadata_is_refused(metadata: JsonObject, error: str) -> None:
    assert refusals(metadata=metadata) == ([f"metadata.{error}"] if error else [])


def test_errors_come_in_the_servers_order() -> None:
    spec: JsonObject = {
        "restartPolicy": "x",
        "dnsPolicy": "y",
        "nodeSelector": {"a": "b c"},
        "volumes": [{"name": ""}],
        "tolerations": [{"operator": "X", "key": "k"}],
        "hostname": "A",
        "runtimeClassName": "A",
    }
    found = refusals(spec, {"ports": [{}], "env": [{"name": ""}]}, {"labels": {"a": "b c"}})
    assert [error.partition(": ")[0] for error in found] == [
        "metadata.labels",
        "spec.volumes[0].name",
        "spec.containers[0].ports[0].containerPort",
        "spec.containers[0].env[0].name",
        "spec.restartPolicy",
        "spec.dnsPolicy",
        "spec.nodeSelector",
        "spec.hostname",
        "spec.tolerations[0].operator",
        "spec.runtimeClassName",
    ]


def test_the_server_misses_a_namespace_and_tells_an_error_as_often_as_it_finds_it() -> None:
    owner: JsonObject = {"apiVersion": "v1", "kind": "K", "name": "n"}
    metadata: JsonObject = {"ownerReferences": [owner, owner]}
    raw = pod({}, {}, metadata)
    error = 'metadata.ownerReferences.uid: Invalid value: "": must not be empty'
    complete = [f"{violation.path}: {violation.reason}" for violation in errors(pod_view(raw), raw).violations]
    assert complete == ["metadata.namespace: Required value", error, error]
    assert refusals(metadata=metadata) == [error]
