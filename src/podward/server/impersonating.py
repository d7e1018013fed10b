"""Acting as somebody else: the filter that lets a caller do so, if that is allowed.

The rules are `podward.access.impersonation`; the chain asks this filter after authentication, before authorization.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from podward.access.impersonation import impersonate, wanted_user
from podward.api.authorization import Answer, Attributes
from podward.api.caller import User
from podward.api.status import Status
from podward.server.authorizing import decided
from podward.server.request import Request

_HEADER = "impersonate-"
CONSTRAINT = "authentication.kubernetes.io/impersonation-constraint"
"""Under this name the rest of the server is told what a caller was allowed."""


def asked_for(request: Request) -> User | Status | None:
    """Whom the request wants to act as."""
    headers: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        if name.lower().startswith(_HEADER):
            headers.setdefault(name.lower(), []).append(value)
    return wanted_user(headers) if headers else None


async def acting_as(
    request: Request, wanted: User, about: Attributes, authorize: Callable[[Attributes], Awaitable[Answer]]
) -> Status | None:
    """Let the request's user be the wanted one, or tell why not."""
    found = await decided(impersonate(wanted, about), authorize)
    if isinstance(found, Status):
        return found
    request.user = found.user
    if found.constraint:
        request.audit[CONSTRAINT] = found.constraint
    return None
