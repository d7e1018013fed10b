"""What leads from a node to an object: its Pods, their claims and volumes; and what leads there no more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from podward.access.node.graph import Graph
from podward.api.json_value import JsonObject


def pod(name: str = "web", node: str = "n1", **spec: object) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"nodeName": node, **spec}}


def volume(claim: str = "data", spec: Mapping[str, object] = MappingProxyType({})) -> dict[str, Any]:
    return {"metadata": {"name": "disk"}, "spec": {"claimRef": {"namespace": "shop", "name": claim}, **spec}}


def knowing(*objects: tuple[str, dict[str, Any]]) -> Graph:
    graph = Graph()
    for plural, raw in objects:
        graph.put(plural, raw)
    return graph


@pytest.mark.parametrize(
    ("spec", "plural", "name"),
    [
        ({"serviceAccountName": "robot"}, "serviceaccounts", "robot"),
        ({"imagePullSecrets": [{"name": "pull"}]}, "secrets", "pull"),
        ({"containers": [{"envFrom": [{"secretRef": {"name": "env"}}]}]}, "secrets", "env"),
        (
            {"initContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "one"}}}]}]},
            "secrets",
            "one",
        ),
        ({"ephemeralContainers": [{"envFrom": [{"configMapRef": {"name": "debug"}}]}]}, "configmaps", "debug"),
        ({"volumes": [{"secret": {"secretName": "tls"}}]}, "secrets", "tls"),
        ({"volumes": [{"csi": {"nodePublishSecretRef": {"name": "csi"}}}]}, "secrets", "csi"),
        ({"volumes": [{"azureFile": {"secretName": "azure"}}]}, "secrets", "azure"),
        ({"volumes": [{"projected": {"sources": [{"configMap": {"name": "ca"}}]}}]}, "configmaps", "ca"),
        ({"volumes": [{"persistentVolumeClaim": {"claimName": "data"}}]}, "persistentvolumeclaims", "data"),
        ({"volumes": [{"name": "scratch", "ephemeral": {}}]}, "persistentvolumeclaims", "web-scratch"),
        ({"resourceClaims": [{"name": "gpu", "resourceClaimName": "card"}]}, "resourceclaims", "card"),
    ],
)
def test_a_bound_pod_leads_to_what_it_names(spec: dict[str, Any], plural: str, name: str) -> None:
    graph = knowing(("pods", pod(**spec)))
    assert graph.relation("n1", plural, "shop", name) == (("pods", "shop", "web"), (plural, "shop", name))
    assert graph.relation("n2", plural, "shop", name) is None
    assert graph.relation("n1", plural, "other", name) is None
    graph.remove("pods", "shop", "web")
    assert graph.relation("n1", plural, "shop", name) is None


def test_a_claim_of_a_template_is_known_when_it_was_made() -> None:
    raw = pod(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "cards"}])
    graph = knowing(("pods", raw))
    assert graph.relation("n1", "resourceclaims", "shop", "web-gpu-x") is None
    made: JsonObject = {"resourceClaimStatuses": [{"name": "gpu", "resourceClaimName": "web-gpu-x"}]}
    graph.put("pods", {**raw, "status": made})
    assert graph.relation("n1", "resourceclaims", "shop", "web-gpu-x") is not None


def test_a_volume_and_its_secrets_are_reached_through_the_claim() -> None:
    bound = pod(volumes=[{"persistentVolumeClaim": {"claimName": "data"}}])
    secrets = {"csi": {"nodeStageSecretRef": {"namespace": "vault", "name": "stage"}}}
    graph = knowing(("persistentvolumes", volume("data", secrets)), ("pods", bound))
    assert graph.relation("n1", "persistentvolumes", "", "disk") is not None
    assert graph.relation("n1", "secrets", "vault", "stage") == (
        ("pods", "shop", "web"),
        ("persistentvolumeclaims", "shop", "data"),
        ("persistentvolumes", "", "disk"),
        ("secrets", "vault", "stage"),
    )
    graph.put("persistentvolumes", volume("another", secrets))
    assert graph.relation("n1", "persistentvolumes", "", "disk") is None
    assert graph.relation("n1", "secrets", "vault", "stage") is None


def test_the_secret_of_a_volumes_controller_is_none_of_the_nodes() -> None:
    bound = pod(volumes=[{"persistentVolumeClaim": {"claimName": "data"}}])
    secrets = {"csi": {"controllerExpandSecretRef": {"namespace": "vault", "name": "expand"}}}
    graph = knowing(("persistentvolumes", volume("data", secrets)), ("pods", bound))
    assert graph.relation("n1", "secrets", "vault", "expand") is None


def test_a_mirror_pod_and_a_pod_without_a_node_lead_to_nothing() -> None:
    mirror = pod(volumes=[{"secret": {"secretName": "tls"}}])
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": ""}
    graph = knowing(("pods", mirror), ("pods", pod("waiting", "", serviceAccountName="robot")))
    assert graph.relation("n1", "pods", "shop", "web") is not None
    assert graph.relation("n1", "secrets", "shop", "tls") is None
    assert graph.relation("", "serviceaccounts", "shop", "robot") is None


def test_what_two_pods_need_stays_until_both_are_gone() -> None:
    graph = knowing(*(("pods", pod(name, serviceAccountName="robot")) for name in ("one", "two")))
    graph.remove("pods", "shop", "one")
    assert graph.relation("n1", "serviceaccounts", "shop", "robot") is not None
    graph.remove("pods", "shop", "two")
    assert graph.relation("n1", "serviceaccounts", "shop", "robot") is None


@pytest.mark.parametrize("plural", ["volumeattachments", "resourceslices"])
def test_attachments_and_slices_name_their_node(plural: str) -> None:
    graph = knowing((plural, {"metadata": {"name": "one"}, "spec": {"nodeName": "n1"}}))
    assert graph.relation("n1", plural, "", "one") is not None
    graph.put(plural, {"metadata": {"name": "one"}, "spec": {}})
    assert graph.relation("n1", plural, "", "one") is None
