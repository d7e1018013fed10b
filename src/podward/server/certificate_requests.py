"""Certificate requests: who asked for one is who wrote it, and who decides about one must be allowed to.

The rules are `podward.access.certificate_requests`; what they ask, the server's authorizers answer.
"""

from __future__ import annotations

from podward.api.caller import User
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.server.authorizing import decided
from podward.server.request import Request
from podward.server.scope import Scope

_GROUP, _PLURAL = "certificates.k8s.io", "certificatesigningrequests"


def with_requester(scope: Scope, user: User, obj: JsonObject) -> JsonObject:
    """A new request with its caller in it, whose certificate it asks for; any other object as it is."""
    if (scope.resource.group, scope.resource.plural) != (_GROUP, _PLURAL):
        return obj
    caller: dict[str, Json] = {"username": user.username, "uid": user.uid, "groups": list(user.groups)}
    caller["extra"] = {name: list(values) for name, values in user.extra.items()}
    return {**obj, "spec": {**member(obj, "spec"), **{name: value for name, value in caller.items() if value}}}


def with_times(scope: Scope, obj: JsonObject, old: JsonObject) -> JsonObject:
    """A request, through one of its subresources, whose conditions say when; any other object as it is."""
    if not scope.subresource or (scope.resource.group, scope.resource.plural) != (_GROUP, _PLURAL):
        return obj
    from podward.schema.strategies import certificate_requests

    return certificate_requests.with_times(obj, old, scope.parts.clock.now())


async def refused(scope: Scope, request: Request, new: JsonObject, old: JsonObject | None) -> Status | None:
    """Why this request may not be written; None for every other kind."""
    if (scope.resource.group, scope.resource.plural) != (_GROUP, _PLURAL):
        return None
    from podward.access.certificate_requests import RequestWrite, refusal  # few servers are asked for certificates

    name = request.info.name or str(member(new, "metadata").get("name") or "")
    write = RequestWrite(request.user, name, scope.subresource, new, old)
    return await decided(refusal(write, scope.parts.admission.disabled), scope.parts.authorizer.authorize)
