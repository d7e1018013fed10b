"""GET of one object."""

from __future__ import annotations

from podward.api import status
from podward.api.status import Status
from podward.errors import CompactedError, FutureRevisionError
from podward.server.encoding import decoded, served_bytes
from podward.server.listing import revision_of, too_large_version
from podward.server.negotiation import DEFAULT
from podward.server.replies import object_reply
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Scope


async def handle(scope: Scope, request: Request) -> Answer:
    """The object of this name."""
    if request.query and (fault := await _unreachable(scope, request)) is not None:
        return fault
    info = request.info
    stored = await scope.parts.store.get(scope.key(info.namespace, info.name))
    if stored is None:
        return status.not_found(scope.group_resource, info.name)
    if request.accepted is DEFAULT and not scope.converts:
        return Reply(200, served_bytes(stored))
    obj = await scope.read(decoded(stored))
    return obj if isinstance(obj, Status) else object_reply(scope, request, 200, obj)


async def _unreachable(scope: Scope, request: Request) -> Status | None:
    """Why the version that the object must at least have cannot be had."""
    version = (request.query.get("resourceVersion") or ("",))[0]
    number = revision_of(version)
    if isinstance(number, str):
        return status.unexplained(number)
    try:
        await scope.parts.store.reach(number)
    except FutureRevisionError:
        return await too_large_version(scope, number)
    except CompactedError:
        return None
    return None
