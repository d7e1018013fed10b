"""Bodies of requests as objects: read, decoded strictly, with what is wrong told as the client wishes."""

from __future__ import annotations

from typing import cast

import msgspec

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.negotiation import body_type
from podward.server.request import Request
from podward.server.scope import Scope

MOST = 3 << 20
"""The longest body, in bytes."""


async def object_of(request: Request, scope: Scope, validation: str) -> JsonObject | Status:
    """The object in the body."""
    media = body_type(request.headers.get("Content-Type", ""))
    if isinstance(media, Status):
        return media
    body = await request.body()
    if isinstance(body, Status):
        return body
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        return status.bad_request(str(error))
    if not isinstance(found, dict):
        return status.bad_request(f"not an object {validation}")
    kind = scope.resource.kind
    return {"kind": kind, "apiVersion": scope.resource.api_version} | cast("JsonObject", found)
