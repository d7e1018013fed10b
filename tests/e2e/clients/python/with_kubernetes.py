"""The official Python client: objects, patches, errors, watches that are told their version is gone, streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

NAMESPACE = "shop"


def pod(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "busybox"}]},
    }


@pytest.fixture(name="api")
def api_client() -> Iterator[Any]:
    with config.new_client_from_config() as found:
        yield found


def test_pods_are_created_read_listed_patched_and_deleted(api: Any) -> None:
    core = client.CoreV1Api(api)
    made = core.create_namespaced_pod(NAMESPACE, pod("a"))
    assert (made.status.phase, made.spec.restart_policy, made.status.qos_class) == ("Pending", "Always", "BestEffort")
    assert core.read_namespaced_pod("a", NAMESPACE).metadata.uid == made.metadata.uid
    assert [each.metadata.name for each in core.list_namespaced_pod(NAMESPACE, label_selector="app=a").items] == ["a"]
    patched = core.patch_namespaced_pod("a", NAMESPACE, {"metadata": {"labels": {"tier": "front"}}})
    assert patched.metadata.labels == {"app": "a", "tier": "front"}
    by_json = [{"op": "add", "path": "/metadata/labels/x", "value": "y"}]
    assert core.patch_namespaced_pod("a", NAMESPACE, by_json).metadata.labels["x"] == "y"
    status = core.patch_namespaced_pod_status("a", NAMESPACE, {"status": {"phase": "Running"}})
    assert status.status.phase == "Running"
    core.delete_namespaced_pod("a", NAMESPACE, grace_period_seconds=0)
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_pod("a", NAMESPACE)
    assert (caught.value.status, caught.value.reason) == (404, "Not Found")


def test_a_stale_update_is_a_conflict(api: Any) -> None:
    core = client.CoreV1Api(api)
    made = core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": "c"}, "data": {"a": "1"}})
    made.data = {"a": "2"}
    core.replace_namespaced_config_map("c", NAMESPACE, made)
    with pytest.raises(ApiException) as caught:
        core.replace_namespaced_config_map("c", NAMESPACE, made)
    assert caught.value.status == 409


def test_what_is_invalid_is_told_field_by_field(api: Any) -> None:
    with pytest.raises(ApiException) as caught:
        client.CoreV1Api(api).create_namespaced_pod(NAMESPACE, {**pod("Bad_Name")})
    assert caught.value.status == 422
    assert '"field":"metadata.name"' in caught.value.body


def test_a_watch_tells_what_happens(api: Any) -> None:
    core = client.CoreV1Api(api)
    since = core.list_namespaced_secret(NAMESPACE).metadata.resource_version
    core.create_namespaced_secret(NAMESPACE, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    core.patch_namespaced_secret("s", NAMESPACE, {"stringData": {"a": "c"}})
    core.delete_namespaced_secret("s", NAMESPACE)
    told = []
    events = watch.Watch()
    for event in events.stream(core.list_namespaced_secret, NAMESPACE, resource_version=since, timeout_seconds=20):
        told.append((event["type"], event["object"].data["a"]))
        if event["type"] == "DELETED":
            events.stop()
    assert told == [("ADDED", "Yg=="), ("MODIFIED", "Yw=="), ("DELETED", "Yw==")]


def test_a_watch_of_a_version_that_is_to_come_fails_and_a_new_list_goes_on(api: Any) -> None:
    core = client.CoreV1Api(api)
    with pytest.raises(ApiException) as caught:
        list(watch.Watch().stream(core.list_namespaced_pod, NAMESPACE, resource_version="x", timeout_seconds=5))
    assert caught.value.status in {400, 500}
    events = watch.Watch().stream(core.list_namespaced_config_map, "kube-system", timeout_seconds=1)
    assert all(event["type"] == "ADDED" for event in events)


def test_the_dynamic_client_finds_every_resource_and_applies(api: Any) -> None:
    found = dynamic.DynamicClient(api)
    deployments = found.resources.get(api_version="apps/v1", kind="Deployment")
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}},
        },
    }
    applied = deployments.server_side_apply(wanted, name="web", namespace=NAMESPACE, field_manager="tests")
    assert applied.metadata.managedFields[0].manager == "tests"
    other = {**wanted, "spec": {**wanted["spec"], "replicas": 2}}
    with pytest.raises(ApiException) as caught:
        deployments.server_side_apply(other, name="web", namespace=NAMESPACE, field_manager="others")
    assert caught.value.status == 409
    forced = deployments.server_side_apply(
        other, name="web", namespace=NAMESPACE, field_manager="others", force_conflicts=True
    )
    assert forced.spec.replicas == 2
    scale = client.AppsV1Api(api).patch_namespaced_deployment_scale("web", NAMESPACE, {"spec": {"replicas": 5}})
    assert scale.spec.replicas == 5
    deployments.delete(name="web", namespace=NAMESPACE)


def test_who_may_not_is_told_so(api: Any) -> None:
    reviews = client.AuthorizationV1Api(api)
    asked = {"spec": {"user": "alice", "resourceAttributes": {"verb": "get", "resource": "secrets"}}}
    assert reviews.create_subject_access_review(asked).status.allowed is False
    with config.new_client_from_config(context="alice") as alice:
        with pytest.raises(ApiException) as caught:
            client.CoreV1Api(alice).list_namespaced_secret(NAMESPACE)
        assert caught.value.status == 403
        assert 'User \\"alice\\" cannot list resource \\"secrets\\"' in caught.value.body


def test_exec_is_refused_in_words(api: Any) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(NAMESPACE, pod("e"))
    with pytest.raises(ApiException) as caught:
        stream(core.connect_get_namespaced_pod_exec, "e", NAMESPACE, command=["id"], stdout=True)
    assert "does not have a host assigned" in str(caught.value)
