"""Nobody gives away what he does not have: the check that writes of roles and bindings go through.

The rules are `podward.access.escalation`; what they ask, the server's authorizers answer.
"""

from __future__ import annotations

from podward.access.escalation import KINDS, RbacWrite, refusal
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.authorizing import decided
from podward.server.request import Request
from podward.server.scope import Scope

_GROUP = "rbac.authorization.k8s.io"


async def refused(scope: Scope, request: Request, new: JsonObject, old: JsonObject | None) -> Status | None:
    """Why this role or binding may not be written; None for every other kind."""
    if scope.resource.group != _GROUP or scope.resource.plural not in KINDS:
        return None
    info, authorizer = request.info, scope.parts.authorizer
    if not authorizer.uses_rbac:
        return None
    write = RbacWrite(request.user, scope.resource.plural, info.namespace, info.name, new, old)
    return await decided(refusal(write, authorizer.rbac), authorizer.authorize)
