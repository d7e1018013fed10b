"""ComponentStatuses: deprecated, and of components that are not here."""

from __future__ import annotations

from podward.api import status
from podward.api.admission import GroupResource
from podward.server.replies import document_reply, list_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope


async def handle(scope: Scope, request: Request) -> Answer:
    """An empty list, or none of that name."""
    if request.info.name:
        return status.not_found(GroupResource("", "componentstatus"), request.info.name)
    if request.accepted.as_kind:
        return list_reply(scope, request, [], {})
    kind = scope.resource.list_kind
    return document_reply(request, 200, {"kind": kind, "apiVersion": "v1", "metadata": {}, "items": []})
