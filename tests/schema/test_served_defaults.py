"""Defaults of every kind, as a real server set them, and what becomes of objects on their way through it."""

from __future__ import annotations

import pytest

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema.canonical import canonical
from podward.schema.conversion import as_written, converted
from podward.schema.filling import Default, Into
from podward.schema.served_defaults import DEFAULTS, with_served_defaults
from podward.schema.table import TYPES

POD_SPEC: JsonObject = {
    "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
    "securityContext": {}, "terminationGracePeriodSeconds": 30,
}  # fmt: skip
CONTAINER: JsonObject = {
    "imagePullPolicy": "IfNotPresent", "resources": {}, "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}  # fmt: skip
CPU: JsonObject = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}


def spec(of: str, written: JsonObject | None = None, holder: str = "spec") -> JsonObject:
    made = canonical({holder: written or {}}, of)
    return member(with_served_defaults(of, made), holder)


def test_every_row_is_about_a_field_that_its_type_has() -> None:
    for name, rows in DEFAULTS.items():
        types = TYPES[name.partition("/")[0]]
        for row in rows:
            assert not isinstance(row, Default | Into) or row.name in types, (name, row)
            if isinstance(row, Into):
                assert (row.of or types[row.name].lstrip("[")) in DEFAULTS, (name, row.name)


def test_a_template_has_the_defaults_that_are_not_a_pods_own() -> None:
    container: JsonObject = {"name": "c", "image": "i:1", "resources": {"limits": {"cpu": "1"}}}
    pod: JsonObject = {"containers": [container], "hostNetwork": True}
    made = spec("Deployment", {"selector": {}, "template": {"spec": pod}})
    assert member(member(made, "template"), "spec") == {
        **POD_SPEC,
        "hostNetwork": True,
        "containers": [{**CONTAINER, **container}],
    }
    assert made["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert (made["replicas"], made["revisionHistoryLimit"], made["progressDeadlineSeconds"]) == (1, 10, 600)


@pytest.mark.parametrize(
    ("of", "written", "some"),
    [
        ("StatefulSet", {}, {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}),
        ("StatefulSet", {"updateStrategy": {"type": "RollingUpdate"}}, {"updateStrategy": {"type": "RollingUpdate"}}),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, {"updateStrategy": {"type": "OnDelete"}}),
        (
            "StatefulSet",
            {},
            {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}},
        ),
        (
            "DaemonSet",
            {},
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}},
        ),
        ("Deployment", {"strategy": {"type": "Recreate"}}, {"strategy": {"type": "Recreate"}}),
        ("Job", {}, {"parallelism": 1, "completions": 1, "backoffLimit": 6, "suspend": False}),
        ("Job", {"completions": 3}, {"parallelism": 1, "completions": 3}),
        ("Job", {"backoffLimitPerIndex": 1}, {"backoffLimit": 2147483647}),
        ("Job", {"podFailurePolicy": {"rules": []}}, {"podReplacementPolicy": "Failed"}),
        ("CronJob", {}, {"concurrencyPolicy": "Allow", "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}),
        (
            "Service",
            {"ports": [{"port": 80}], "type": "LoadBalancer", "sessionAffinity": "ClientIP"},
            {
                "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
                "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}},
                "externalTrafficPolicy": "Cluster",
                "internalTrafficPolicy": "Cluster",
                "allocateLoadBalancerNodePorts": True,
            },
        ),
        ("Service", {"type": "ExternalName"}, {"sessionAffinity": "None"}),
        ("autoscaling.v2.HorizontalPodAutoscaler", {}, {"metrics": [{"type": "Resource", "resource": CPU}]}),
        ("NetworkPolicy", {"egress": [{}]}, {"policyTypes": ["Ingress", "Egress"]}),
        (
            "NetworkPolicy",
            {"ingress": [{"ports": [{"port": 1}]}]},
            {"ingress": [{"ports": [{"port": 1, "protocol": "TCP"}]}]},
        ),
        ("PersistentVolume", {"capacity": {"storage": "1n"}}, {"capacity": {"storage": "1m"}}),
        ("CSIDriver", {}, {"attachRequired": True, "volumeLifecycleModes": ["Persistent"], "seLinuxMount": False}),
        ("CustomResourceDefinition", {"names": {"kind": "Cake"}}, {"conversion": {"strategy": "None"}}),
        ("FlowSchema", {}, {"matchingPrecedence": 1000}),
        ("TokenRequest", {}, {"expirationSeconds": 3600}),
    ],
)
def test_what_is_not_set_is_set(of: str, written: JsonObject, some: JsonObject) -> None:
    made = spec(of, written)
    assert {name: made.get(name) for name in some} == some


def test_a_service_that_nobody_reaches_has_no_policies() -> None:
    made = spec("Service", {"type": "ExternalName"})
    assert {"internalTrafficPolicy", "externalTrafficPolicy"}.isdisjoint(made)


def test_labels_of_a_template_are_the_objects_own() -> None:
    template: JsonObject = {"metadata": {"labels": {"a": "b"}}}
    made = with_served_defaults(
        "ReplicationController", canonical({"spec": {"template": template}}, "ReplicationController")
    )
    assert member(made, "metadata") == {"labels": {"a": "b"}}
    assert member(made, "spec")["selector"] == {"a": "b"}


def test_a_limit_of_containers_is_their_default() -> None:
    item: JsonObject = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Ki"}}
    made = spec("LimitRange", {"limits": [item]})["limits"]
    assert made == [{**item, "default": {"cpu": "2"}, "defaultRequest": {"cpu": "2", "memory": "1Ki"}}]


def test_a_namespace_is_labelled_with_its_name() -> None:
    made = with_served_defaults("Namespace", canonical({"metadata": {"name": "n"}}, "Namespace"))
    assert made["metadata"] == {"name": "n", "labels": {"kubernetes.io/metadata.name": "n"}}
    assert made["status"] == {"phase": "Active"}


def test_rbac_is_the_group_of_users_and_roles() -> None:
    binding: JsonObject = {"roleRef": {"kind": "Role"}, "subjects": [{"kind": "User"}, {"kind": "ServiceAccount"}]}
    made = with_served_defaults("RoleBinding", canonical(binding, "RoleBinding"))
    group = "rbac.authorization.k8s.io"
    assert member(made, "roleRef")["apiGroup"] == group
    assert made["subjects"] == [{"kind": "User", "name": "", "apiGroup": group}, {"kind": "ServiceAccount", "name": ""}]


def test_defaults_are_set_once() -> None:
    for of in DEFAULTS:
        if "/" not in of:
            once = with_served_defaults(of, canonical({}, of))
            assert with_served_defaults(of, once) == once, of


def test_texts_of_a_secret_become_data() -> None:
    made = converted("Secret", {"data": {"a": "eA=="}, "stringData": {"b": "ü"}})
    assert made == {"data": {"a": "eA==", "b": "w7w="}}


def test_the_old_name_of_the_service_account_is_written_too() -> None:
    assert converted("PodSpec", {"serviceAccount": "x"}) == {"serviceAccount": "x", "serviceAccountName": "x"}
    both: JsonObject = {"serviceAccount": "x", "serviceAccountName": "y"}
    assert converted("PodSpec", both) == {"serviceAccount": "y", "serviceAccountName": "y"}
    plain: JsonObject = {"spec": {"containers": []}}
    assert converted("Deployment", plain) is plain


def test_what_is_said_twice_agrees() -> None:
    assert converted("PodStatus", {"podIP": "1.1.1.1"})["podIPs"] == [{"ip": "1.1.1.1"}]
    assert converted("PodStatus", {"podIPs": [{"ip": "1.1.1.1"}]})["podIP"] == "1.1.1.1"
    assert converted("NodeSpec", {"podCIDR": "10.0.0.0/8"})["podCIDRs"] == ["10.0.0.0/8"]
    made = converted("StatefulSet", {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"}}]}})
    claim = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": {"name": "d"}}
    assert made == {"spec": {"volumeClaimTemplates": [claim]}}


def test_what_is_answered_is_converted_and_in_gos_form() -> None:
    made = as_written("Deployment", {"spec": {"template": {"spec": {"serviceAccountName": "x", "containers": []}}}})
    assert made["status"] == {}
    template = member(member(made, "spec"), "template")
    assert template == {
        "metadata": {},
        "spec": {"serviceAccountName": "x", "serviceAccount": "x", "containers": None},
    }
    assert as_written("Deployment", made) == made
