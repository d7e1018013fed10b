"""Fine points of answers that programs rely on, and people read."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from api_server import Server

JOBS, MAPS = "/apis/batch/v1/namespaces/default/jobs", "/api/v1/namespaces/default/configmaps"
POLICIES = "/apis/admissionregistration.k8s.io/v1"
ORPHANS = (
    '299 - "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them'
    ' or set propagationPolicy=Orphan to suppress this warning"'
)
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


def job(name: str) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": pod}}}


def cluster_object(server: Server, path: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    code, answer, _ = server.ask(
        "POST", path, {"apiVersion": path.split("/", 2)[2].rpartition("/")[0], "kind": kind, **body}
    )
    assert code == 201, answer
    made: dict[str, Any] = answer
    return made


@pytest.mark.parametrize("rest", ["/warned", "?labelSelector=a=b"])
def test_whoever_deletes_jobs_is_told_that_their_pods_stay(server: Server, rest: str) -> None:
    server.ask("POST", JOBS, job("warned"))
    _, _, headers = server.ask("DELETE", JOBS + rest)
    assert headers["Warning"] == ORPHANS


def test_whoever_says_what_becomes_of_the_pods_of_a_job_is_not_warned(server: Server) -> None:
    server.ask("POST", JOBS, job("said"))
    _, _, headers = server.ask("DELETE", f"{JOBS}/said?propagationPolicy=Background")
    assert "Warning" not in headers


def test_a_dry_run_of_a_deletion_can_be_judged_by_a_policy(server: Server) -> None:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["DELETE"], "resources": ["configmaps"]}
    spec: dict[str, Any] = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": 'request.operation == "DELETE" && request.options.dryRun == ["All"]'}],
    }
    metadata = {"metadata": {"name": "of-deletions"}}
    path = f"{POLICIES}/validatingadmissionpolicies"
    cluster_object(server, path, "ValidatingAdmissionPolicy", {**metadata, "spec": spec})
    binding = {"policyName": "of-deletions", "validationActions": ["Deny"]}
    bindings = f"{POLICIES}/validatingadmissionpolicybindings"
    cluster_object(server, bindings, "ValidatingAdmissionPolicyBinding", {**metadata, "spec": binding})
    server.ask("POST", MAPS, {"metadata": {"name": "judged"}})
    code, answer, _ = server.ask("DELETE", f"{MAPS}/judged?dryRun=All")
    server.ask("DELETE", f"{bindings}/of-deletions")
    server.ask("DELETE", f"{path}/of-deletions")
    assert (code, answer["status"]) == (200, "Success")


@pytest.mark.parametrize(("version", "code"), [("7", 500), ("x", 201), ("0", 201)])
def test_only_a_number_is_a_version_that_a_new_object_must_not_have(server: Server, version: str, code: int) -> None:
    body = {"metadata": {"name": "versioned", "resourceVersion": version}}
    assert server.ask("POST", f"{MAPS}?dryRun=All", body)[0] == code


def test_a_class_of_volume_attributes_is_held_back_from_going(server: Server) -> None:
    path = "/apis/storage.k8s.io/v1/volumeattributesclasses"
    body = {"metadata": {"name": "held"}, "driverName": "a.b", "parameters": {"a": "b"}}
    made = cluster_object(server, path, "VolumeAttributesClass", body)
    assert made["metadata"]["finalizers"] == ["kubernetes.io/vac-protection"]


def test_a_limit_range_without_a_name_gets_one(server: Server) -> None:
    path = "/api/v1/namespaces/default/limitranges"
    _, made, _ = server.ask("POST", f"{path}?dryRun=All", {"spec": {"limits": []}})
    assert len(made["metadata"]["name"]) == 36


def test_a_review_of_oneself_holds_nothing_of_what_was_sent(server: Server) -> None:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    made = cluster_object(server, path, "SelfSubjectReview", {"metadata": {"name": "a", "labels": {"b": "c"}}})
    assert list(made["metadata"]) == ["creationTimestamp"]


def test_lists_of_nothing_are_tables_and_metadata_too(server: Server) -> None:
    _, table, _ = server.ask("GET", "/api/v1/componentstatuses", Accept=TABLE)
    assert table["kind"] == "Table"
    _, found, _ = server.ask("GET", "/api/v1/namespaces/default/podtemplates", Accept=METADATA)
    assert (found["kind"], found["items"]) == ("PartialObjectMetadataList", None)


def test_a_request_for_a_certificate_is_a_block_of_pem(server: Server) -> None:
    spec = {"signerName": "a.b/c", "usages": ["client auth"], "request": "AQ=="}
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    _, refused, _ = server.ask("POST", path, {"metadata": {"name": "none"}, "spec": spec})
    (cause,) = refused["details"]["causes"]
    assert cause["message"] == 'Invalid value: "AQ==": PEM block type must be CERTIFICATE REQUEST'


def test_a_custom_object_is_scaled_whatever_its_version(server: Server) -> None:
    counted = {"type": "object", "properties": {"n": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": counted, "status": counted}}
    scale = {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"}
    version = {
        "name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}, "scale": scale},
    }  # fmt: skip
    names = {"plural": "scaleds", "singular": "scaled", "kind": "Scaled"}
    spec = {"group": "fine.example.com", "scope": "Cluster", "names": names, "versions": [version]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    cluster_object(
        server, path, "CustomResourceDefinition", {"metadata": {"name": "scaleds.fine.example.com"}, "spec": spec}
    )
    path = "/apis/fine.example.com/v1/scaleds"
    deadline = time.monotonic() + 60
    while server.ask("GET", path)[0] != 200:
        assert time.monotonic() < deadline, "never served"
        time.sleep(0.02)
    cluster_object(server, path, "Scaled", {"metadata": {"name": "a"}, "spec": {"n": 1}})
    wanted = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "a"}, "spec": {"replicas": 7}}
    code, scaled, _ = server.ask("PUT", f"{path}/a/scale", wanted)
    assert (code, scaled["spec"]) == (200, {"replicas": 7})
    merge = "application/merge-patch+json"
    _, refused, _ = server.ask("PATCH", f"{path}/a/status", '{"status": {"n": -2}}', Content_Type=merge)
    assert [cause["field"] for cause in refused["details"]["causes"]] == [".status.n"]
    _, refused, _ = server.ask("PATCH", f"{path}/a/status", '{"status": []}', Content_Type=merge)
    assert refused["reason"] == "Invalid"


def test_devices_that_others_use_are_for_namespaces_with_a_label(server: Server) -> None:
    exactly = {"deviceClassName": "c", "adminAccess": True}
    body = {"metadata": {"name": "admin"}, "spec": {"devices": {"requests": [{"name": "r", "exactly": exactly}]}}}
    server.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "admins"}})
    path = "/apis/resource.k8s.io/v1/namespaces/admins/resourceclaims"
    _, refused, _ = server.ask("POST", path, body)
    (cause,) = refused["details"]["causes"]
    assert (cause["field"], cause["reason"]) == ("spec.devices.requests[0].adminAccess", "FieldValueForbidden")
    labels = {"metadata": {"labels": {"resource.kubernetes.io/admin-access": "true"}}}
    merge = "application/merge-patch+json"
    server.ask("PATCH", "/api/v1/namespaces/admins", json.dumps(labels), Content_Type=merge)
    assert server.ask("POST", path, body)[0] == 201


def test_the_taint_of_a_device_says_since_when_it_is_there(server: Server) -> None:
    device = {"name": "d", "taints": [{"key": "k", "effect": "NoSchedule"}]}
    pool = {"name": "p", "generation": 1, "resourceSliceCount": 1}
    spec = {"driver": "a.b", "nodeName": "n", "pool": pool, "devices": [device]}
    made = cluster_object(
        server, "/apis/resource.k8s.io/v1/resourceslices", "ResourceSlice", {"metadata": {"name": "s"}, "spec": spec}
    )
    (taint,) = made["spec"]["devices"][0]["taints"]
    assert taint["timeAdded"] == made["metadata"]["creationTimestamp"]


def test_a_token_that_is_no_base64_is_told_as_go_tells_it(server: Server) -> None:
    _, refused, _ = server.ask("GET", f"{MAPS}?continue=x")
    assert refused["message"].endswith("continue key is not valid: illegal base64 data at input byte 0")


def test_an_autoscaler_of_the_old_version_has_its_target_in_a_table(server: Server) -> None:
    path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}
    server.ask("POST", path, {"metadata": {"name": "old"}, "spec": spec})
    for where in (path, f"{path}/old"):
        _, table, _ = server.ask("GET", where, Accept=TABLE)
        assert table["rows"][0]["cells"][2] == "cpu: <unknown>/50%"


def test_nobody_manages_what_a_default_takes_away(server: Server) -> None:
    spec = {"ports": [{"port": 80}], "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}}}
    path = "/api/v1/namespaces/default/services?dryRun=All"
    _, made, _ = server.ask("POST", path, {"metadata": {"name": "plain"}, "spec": spec})
    assert "f:sessionAffinityConfig" not in made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]


def test_a_volume_says_since_when_it_is_in_its_phase(server: Server) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    made = cluster_object(
        server, "/api/v1/persistentvolumes", "PersistentVolume", {"metadata": {"name": "phased"}, "spec": spec}
    )
    path, since = "/api/v1/persistentvolumes/phased/status", "2020-01-01T00:00:00Z"
    status = {"phase": "Pending", "lastPhaseTransitionTime": since}
    _, made, _ = server.ask("PUT", path, {**made, "status": status})
    _, made, _ = server.ask("PUT", path, {**made, "status": {"phase": "Pending"}})
    assert made["status"]["lastPhaseTransitionTime"] == since
    _, made, _ = server.ask("PUT", path, {**made, "status": {"phase": "Available"}})
    assert made["status"]["lastPhaseTransitionTime"] > since


def test_a_pod_whose_node_is_gone_has_no_log(server: Server) -> None:
    server.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "default"}})
    spec = {"nodeName": "gone", "containers": [{"name": "c", "image": "i"}]}
    code, made, _ = server.ask("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "left"}, "spec": spec})
    assert code == 201, made
    code, refused, _ = server.ask("GET", "/api/v1/namespaces/default/pods/left/log")
    assert (code, refused["message"]) == (404, 'pods "gone" not found')


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("log?tailLines=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
        ("log?sinceTime=x", 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'),
        ("portforward?ports=x", 'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'),
    ],
)
def test_an_option_that_cannot_be_read_is_told_before_the_pod_is_looked_for(
    server: Server, asked: str, said: str
) -> None:
    code, refused, _ = server.ask("GET", f"/api/v1/namespaces/default/pods/nobody/{asked}")
    assert (code, refused["message"]) == (400, said)


def test_a_service_does_not_become_headless_with_two_families(server: Server) -> None:
    path = "/api/v1/namespaces/default/services"
    server.ask("POST", path, {"metadata": {"name": "two"}, "spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}})
    change = {"spec": {"clusterIP": "None", "ipFamilyPolicy": "PreferDualStack", "selector": None}}
    merge = "application/merge-patch+json"
    code, refused, _ = server.ask("PATCH", f"{path}/two", json.dumps(change), Content_Type=merge)
    assert code == 422, refused
    assert "may not change once set" in refused["message"]
