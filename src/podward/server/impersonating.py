"""Acting as somebody else: the filter that lets a caller do so, if that is allowed.

The rules are `podward.access.impersonation`; the chain asks this filter after authentication, before authorization.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator

from podward.access.impersonation import Impersonated, impersonate, wanted_user
from podward.api.authorization import Answer, Attributes
from podward.api.caller import User
from podward.api.status import Status
from podward.server.request import Request

_HEADER = "impersonate-"
_NOTE = "authentication.kubernetes.io/impersonation-constraint"


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
    found = await _asked(impersonate(wanted, about), authorize)
    if isinstance(found, Status):
        return found
    request.user = found.user
    if found.constraint:
        request.audit[_NOTE] = found.constraint
    return None


async def _asked(
    asking: Generator[Attributes, Answer, Impersonated | Status], authorize: Callable[[Attributes], Awaitable[Answer]]
) -> Impersonated | Status:
    """What comes of the questions, once the authorizers have answered them."""
    try:
        question = next(asking)
        while True:
            question = asking.send(await authorize(question))
    except StopIteration as end:
        found: Impersonated | Status = end.value
        return found
