"""What a cluster must have for its nodes' network: a Service at the address for names, and what nodes may read."""

from __future__ import annotations

import asyncio

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.cli.serving.network import cluster_dns
from podward.client.api import Client
from podward.client.connection import load
from podward.errors import StoreError
from podward.schema.resources import BY_KIND

_CONFLICT = 409
_ROLE = "podward:node-network"


def make(kubeconfig: str, service_range: str) -> None:
    """Make the objects; those that are there stay as they are. Raises StoreError where one is refused."""
    asyncio.run(_make(kubeconfig, service_range))


async def _make(kubeconfig: str, service_range: str) -> None:
    client = Client(load(kubeconfig), "podward-serve")
    try:
        for obj in objects(cluster_dns(service_range)):
            resource = BY_KIND[str(obj["apiVersion"]), str(obj["kind"])]
            namespace = "kube-system" if resource.namespaced else ""
            refused = await client.create(resource, namespace, obj)
            if isinstance(refused, Status) and refused.code != _CONFLICT and "already allocated" not in refused.message:
                raise StoreError(f"the cluster's own {obj['kind']} is refused: {refused.message}")
    finally:
        await client.close()


def objects(dns: str) -> tuple[JsonObject, ...]:
    """The Service of the cluster's names at this address, and what nodes may read beyond their own role."""
    return (
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kube-dns",
                "namespace": "kube-system",
                "labels": {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"},
            },
            "spec": {
                "clusterIP": dns,
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                ],
            },
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": _ROLE},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "nodes"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]},
                {
                    "apiGroups": ["networking.k8s.io"],
                    "resources": ["networkpolicies", "servicecidrs"],
                    "verbs": ["get", "list", "watch"],
                },
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _ROLE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _ROLE},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}],
        },
    )
