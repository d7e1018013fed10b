"""Waiting until the nodes of a cluster are Ready: asked of the server by whom its kubeconfig names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.connection import load
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

_NODES = BY_PLURAL["", "v1", "nodes"]
_EVERY = 0.05


def wait(kubeconfig: str, nodes: Iterable[str]) -> None:
    """Return once all of them take Pods."""
    asyncio.run(_wait(kubeconfig, frozenset(nodes)))


async def _wait(kubeconfig: str, names: frozenset[str]) -> None:
    client = Client(load(kubeconfig), "podward-serve")
    try:
        while True:
            listed = await client.list(_NODES)
            if not isinstance(listed, Status):
                taking = {member(node, "metadata").get("name") for node in objects(listed, "items") if is_taking(node)}
                if names <= taking:
                    return
            await asyncio.sleep(_EVERY)
    finally:
        await client.close()


def is_taking(node: JsonObject) -> bool:
    """Whether a Node is Ready, and no taint of its life's keeps Pods away."""
    conditions = objects(member(node, "status"), "conditions")
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    keys = {taint.get("key") for taint in objects(member(node, "spec"), "taints")}
    return ready and "node.kubernetes.io/not-ready" not in keys
