"""kr8s: objects that know how to change themselves, and wait."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

import kr8s
import pytest
from kr8s.objects import ConfigMap, Deployment, Pod

NAMESPACE = "shop"


@pytest.fixture(name="kube")
def client(config: Path) -> kr8s.Api:
    found = kr8s.api(kubeconfig=str(config), namespace=NAMESPACE)
    assert isinstance(found, kr8s.Api)
    return found


def test_it_knows_the_server_and_the_caller(kube: kr8s.Api) -> None:
    assert kube.version()["gitVersion"].startswith("v1.")
    assert kube.whoami() == "admin"
    assert {"pods", "deployments"} <= {each["name"] for each in kube.api_resources()}


def test_a_deployment_is_created_scaled_labelled_and_deleted(kube: kr8s.Api) -> None:
    labels = {"app": "kr8s"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "x"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    web = Deployment({"metadata": {"name": "kr8s", "namespace": NAMESPACE}, "spec": spec}, api=kube)
    web.create()
    assert web.exists()
    web.patch({"spec": {"replicas": 3}})
    assert web.replicas == 3
    web.label({"tier": "front"})
    web.annotate({"note": "hello"})
    (found,) = kube.get("deployments", label_selector={"tier": "front"})
    assert found.annotations["note"] == "hello"
    web.delete()
    assert not web.exists()


def test_it_waits_for_a_condition(kube: kr8s.Api, config: Path) -> None:
    spec = {"containers": [{"name": "c", "image": "busybox"}]}
    pod = Pod({"metadata": {"name": "waited", "namespace": NAMESPACE}, "spec": spec}, api=kube)
    pod.create()
    ready = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}'
    words = ["patch", "pod", "waited", "-n", NAMESPACE, "--subresource=status", "-p", ready]
    kubectl = os.path.join(os.path.dirname(sys.executable), "kubectl")
    timer = Timer(0.5, subprocess.run, ([kubectl, "--kubeconfig", str(config), *words],))
    timer.start()
    pod.wait("condition=Ready", timeout=20)
    timer.join()
    assert [each["type"] for each in pod.status.conditions] == ["Ready"]


def test_it_watches(kube: kr8s.Api) -> None:
    wanted = ConfigMap({"metadata": {"name": "seen", "namespace": NAMESPACE}, "data": {"a": "b"}}, api=kube)
    wanted.create()
    for what, seen in kube.watch("configmaps", field_selector={"metadata.name": "seen"}):
        assert (what, seen.raw["data"]) == ("ADDED", {"a": "b"})
        break
    wanted.delete()


def test_what_fails_is_an_error_with_the_servers_words(kube: kr8s.Api) -> None:
    with pytest.raises(kr8s.NotFoundError):
        Pod.get("none", namespace=NAMESPACE, api=kube)
    bad = ConfigMap({"metadata": {"name": "Bad_Name", "namespace": NAMESPACE}}, api=kube)
    with pytest.raises(kr8s.ServerError, match="a lowercase RFC 1123 subdomain"):
        bad.create()
