"""What a cluster of `serve` has from the beginning beside what its API server makes: made once, and left as it is.

The default StorageClass is of directories of this machine; the rest is the network's (`network_objects`).
"""

from __future__ import annotations

import asyncio

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.cli.serving import network, network_objects
from podward.client.api import Client
from podward.client.connection import load
from podward.controllers.volumes.binding import IS_DEFAULT
from podward.controllers.volumes.local_directories import PROVISIONER
from podward.errors import StoreError
from podward.schema.resources import BY_KIND

_CONFLICT = 409
_STANDARD: JsonObject = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {IS_DEFAULT: "true"}},
    "provisioner": PROVISIONER,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "WaitForFirstConsumer",
}


_INFRA: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "openshift-infra"}}
"""Where OpenShift's own controllers have their service accounts."""


def make(kubeconfig: str, service_range: str, *, openshift: bool = False) -> None:
    """Make the objects as the kubeconfig's user. Raises StoreError where one is refused."""
    of_network = network_objects.objects(network.cluster_dns(service_range))
    asyncio.run(_make(kubeconfig, (_STANDARD, *of_network, *((_INFRA,) if openshift else ()))))


async def _make(kubeconfig: str, objects: tuple[JsonObject, ...]) -> None:
    client = Client(load(kubeconfig), "podward-serve")
    try:
        for obj in objects:
            resource = BY_KIND[str(obj["apiVersion"]), str(obj["kind"])]
            namespace = "kube-system" if resource.namespaced else ""
            refused = await client.create(resource, namespace, obj)
            if isinstance(refused, Status) and refused.code != _CONFLICT and "already allocated" not in refused.message:
                raise StoreError(f"the cluster's own {obj['kind']} is refused: {refused.message}")
    finally:
        await client.close()
