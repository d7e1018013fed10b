"""Streams to a node: exec, attach, port-forward, logs, proxy. They need a node that the server can reach."""

from __future__ import annotations

from podward.api import status
from podward.server.request import Answer, Request
from podward.server.scope import Scope


async def handle(scope: Scope, request: Request) -> Answer:
    """Refuse: there is no node yet. An object that is not there is told first."""
    info = request.info
    stored = await scope.parts.store.get(scope.key(info.namespace, info.name))
    if stored is None:
        return status.not_found(scope.group_resource, info.name)
    return status.service_unavailable(f"no node can be reached for {info.subresource}")
