"""Changes of an object that a subresource makes by itself, without the strategy of its kind."""

from __future__ import annotations

from collections.abc import Callable

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.encoding import decoded, stored_bytes
from podward.server.registry import written
from podward.server.request import Request
from podward.server.scope import Scope
from podward.store.interface import Mismatch


async def changed(
    scope: Scope, request: Request, name: str, make: Callable[[JsonObject], JsonObject | Status], *, dry_run: bool
) -> JsonObject | Status:
    """The object as `make` leaves it, stored as often as it takes."""
    store, key = scope.parts.store, scope.key(request.info.namespace, name)
    current = await store.get(key)
    while True:
        if current is None:
            return status.not_found(scope.group_resource, name)
        old = decoded(current)
        made = make(old)
        if isinstance(made, Status):
            return made
        obj = written(scope, made)
        if dry_run or obj == old:
            return obj
        stored = await store.update(key, stored_bytes(scope.resource, obj), current.revision)
        if not isinstance(stored, Mismatch):
            return decoded(stored)
        current = stored.current
