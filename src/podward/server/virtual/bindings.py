"""`bindings`: the older way to bind a Pod, named by the object."""

from __future__ import annotations

from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.subresources import binding


async def handle(scope: Scope, request: Request) -> Answer:
    """Bind the Pod that the object names."""
    return await binding.handle(scope, request)
