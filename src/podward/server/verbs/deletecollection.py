"""DELETE of a collection: each of its objects, as if it were deleted alone."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.deletion import delete_options
from podward.server.encoding import decoded
from podward.server.listing import listed, selection
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.delete import delete, warn_of_orphans
from podward.server.verbs.list import list_metadata, listed_item


async def handle(scope: Scope, request: Request) -> Answer:
    """Delete what the request selects; the answer lists it as it was."""
    chosen = selection(scope, request)
    if isinstance(chosen, Status):
        return chosen
    options = await delete_options(request, scope)
    if isinstance(options, Status):
        return options
    warn_of_orphans(scope, request, options)
    found = await listed(scope, chosen)
    if isinstance(found, Status):
        return found
    items: list[JsonObject] = []
    for stored in found.items:
        namespace, _, name = stored.key.removeprefix(scope.prefix()).rpartition("/")
        gone = await delete(scope, request, namespace, name, options)
        if isinstance(gone, Status) and gone.code != 404:
            return gone
        items.append(decoded(stored))
    read = await scope.read_all(items)
    if isinstance(read, Status):
        return read
    resource = scope.resource
    return document_reply(
        request,
        200,
        {
            "kind": resource.list_kind,
            "apiVersion": resource.api_version,
            "metadata": list_metadata(found, scope),
            "items": [listed_item(scope, obj) for obj in read],
        },
    )
