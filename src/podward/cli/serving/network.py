"""What a cluster must have for its nodes' network: ranges of addresses, a Service for names, what nodes may read."""

from __future__ import annotations

import zlib
from ipaddress import ip_network

from podward.api.json_value import JsonObject
from podward.runtime.network import configuration

SERVICE_RANGE = "10.0.0.0/24"
"""Where nobody says otherwise: the API server's own default."""
_DNS = 10
_ROLE = "podward:node-network"


def cluster_dns(service_range: str) -> str:
    """The address at which the cluster's names are asked for: by custom the tenth of the Services'."""
    network = ip_network(service_range or SERVICE_RANGE)
    return str(network[min(_DNS, network.num_addresses - 2)])


def free_range(directory: str) -> str:
    """A /20 for Pods, sixteen nodes of 254, that this machine has no route into; another for each directory."""
    return configuration.free_range(zlib.crc32(directory.encode()))


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
