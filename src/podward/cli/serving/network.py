"""What a cluster must have for its nodes' network: ranges of addresses, a Service for names, what nodes may read."""

from __future__ import annotations

import asyncio
import zlib
from ipaddress import ip_network

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.connection import load
from podward.errors import StoreError
from podward.runtime.network import configuration
from podward.schema.resources import BY_KIND

SERVICE_RANGE = "10.0.0.0/24"
"""Where nobody says otherwise: the API server's own default."""
_DNS = 10
_CONFLICT = 409
_ROLE = "podward:node-network"


def cluster_dns(service_range: str) -> str:
    """The address at which the cluster's names are asked for: by custom the tenth of the Services'."""
    network = ip_network(service_range or SERVICE_RANGE)
    return str(network[min(_DNS, network.num_addresses - 2)])


def free_range(directory: str) -> str:
    """A /20 for Pods, sixteen nodes of 254, that this machine has no route into; another for each directory."""
    return configuration.free_range(zlib.crc32(directory.encode()))


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
                    "resources": ["networkpolicies"],
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
