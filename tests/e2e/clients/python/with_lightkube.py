"""lightkube: typed objects, apply, watches, errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.apps_v1 import DeploymentSpec
from lightkube.models.core_v1 import Container, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import LabelSelector, ObjectMeta
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Node, Pod
from lightkube.types import CascadeType, PatchType

NAMESPACE = "shop"


@pytest.fixture(name="kube")
def client(config: Path) -> Client:
    return Client(config=KubeConfig.from_file(str(config)).get(), namespace=NAMESPACE, field_manager="tests")


def deployment(replicas: int) -> Deployment:
    labels = {"app": "light"}
    template = PodTemplateSpec(
        metadata=ObjectMeta(labels=labels), spec=PodSpec(containers=[Container(name="c", image="x")])
    )
    return Deployment(
        metadata=ObjectMeta(name="light", namespace=NAMESPACE),
        spec=DeploymentSpec(replicas=replicas, selector=LabelSelector(matchLabels=labels), template=template),
    )


def test_objects_are_created_patched_applied_scaled_and_deleted(kube: Client) -> None:
    made = kube.create(deployment(1))
    assert made.spec is not None
    assert made.spec.strategy is not None
    assert made.spec.strategy.type == "RollingUpdate"
    patched = kube.patch(Deployment, "light", {"metadata": {"labels": {"a": "b"}}}, patch_type=PatchType.MERGE)
    assert patched.metadata is not None
    assert patched.metadata.labels == {"a": "b"}
    applied = deployment(4)
    with pytest.raises(ApiError, match="conflict"):
        kube.apply(applied, field_manager="others")
    again = kube.apply(applied, field_manager="others", force=True)
    assert again.spec is not None
    assert again.spec.replicas == 4
    kube.delete(Deployment, "light", cascade=CascadeType.BACKGROUND)
    with pytest.raises(ApiError) as caught:
        kube.get(Deployment, "light")
    assert (caught.value.status.code, caught.value.status.reason) == (404, "NotFound")


def test_lists_come_in_chunks(kube: Client) -> None:
    for number in range(7):
        kube.create(ConfigMap(metadata=ObjectMeta(name=f"chunk-{number}", labels={"of": "chunks"})))
    names = [
        each.metadata.name for each in kube.list(ConfigMap, labels={"of": "chunks"}, chunk_size=3) if each.metadata
    ]
    assert names == [f"chunk-{number}" for number in range(7)]
    kube.deletecollection(ConfigMap)
    assert list(kube.list(ConfigMap)) == []


def test_a_watch_goes_on_from_a_version(kube: Client) -> None:
    made = kube.create(ConfigMap(metadata=ObjectMeta(name="watched"), data={"a": "1"}))
    assert made.metadata is not None
    kube.patch(ConfigMap, "watched", {"data": {"a": "2"}})
    kube.delete(ConfigMap, "watched")
    told = []
    for what, seen in kube.watch(
        ConfigMap, fields={"metadata.name": "watched"}, resource_version=made.metadata.resourceVersion
    ):
        told.append((what, seen.data))
        if what == "DELETED":
            break
    assert told == [("MODIFIED", {"a": "2"}), ("DELETED", {"a": "2"})]


def test_a_node_gets_a_status(kube: Client) -> None:
    kube.create(Node(metadata=ObjectMeta(name="n")))
    ready = [{"type": "Ready", "status": "True", "reason": "r", "message": "m"}]
    seen = kube.patch(Node.Status, "n", {"status": {"conditions": ready}})
    assert seen.status is not None
    assert [each.type for each in seen.status.conditions or ()] == ["Ready"]


def test_what_is_invalid_is_an_error_with_its_causes(kube: Client) -> None:
    with pytest.raises(ApiError) as caught:
        kube.create(Pod(metadata=ObjectMeta(name="none"), spec=PodSpec(containers=[])))
    assert caught.value.status.details is not None
    assert [cause.field for cause in caught.value.status.details.causes or ()] == ["spec.containers"]
