"""GET of a collection: a list, whole or page by page."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.encoding import beginning, decoded, item_bytes, json_bytes
from podward.server.listing import Listed, listed, selection
from podward.server.replies import list_reply, written_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope

_PLAIN = (None, [""], ["Metadata"])
"""`includeObject`, where metadata is wanted beside the cells of a Table."""


async def handle(scope: Scope, request: Request) -> Answer:
    """The objects that the request wants."""
    chosen = selection(scope, request)
    if isinstance(chosen, Status):
        return chosen
    found = await listed(scope, chosen)
    if isinstance(found, Status):
        return found
    if request.accepted.as_kind == "Table" and not scope.converts and request.query.get("includeObject") in _PLAIN:
        from podward.server.tables.stored_rows import list_table

        table = list_table(scope.resource, found.items, _of_whole(found, scope), request.accepted.as_version)
        return written_reply(request, 200, table)
    if request.accepted.as_kind:
        items = await scope.read_all([decoded(stored) for stored in found.items])
        if isinstance(items, Status):
            return items
        return list_reply(scope, request, items, _of_whole(found, scope))
    body = await list_bytes(scope, found)
    return body if isinstance(body, Status) else written_reply(request, 200, body)


def _of_whole(found: Listed, scope: Scope) -> JsonObject:
    """The metadata of a list that is turned into something else: of a whole one not even an empty token is there."""
    metadata = list_metadata(found, scope)
    if not found.token:
        metadata.pop("continue", None)
    return metadata


def list_metadata(found: Listed, scope: Scope) -> JsonObject:
    """The metadata of a list."""
    of: JsonObject = {"resourceVersion": str(found.revision)}
    if scope.custom is not None:
        of["continue"] = ""
    if found.token:
        of["continue"] = found.token
        if found.remaining:
            of["remainingItemCount"] = found.remaining
    return of


async def list_bytes(scope: Scope, found: Listed) -> bytes | Status:
    """The list as JSON: the stored objects, joined."""
    resource = scope.resource
    head = json_bytes(
        {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": list_metadata(found, scope)}
    )
    if scope.converts:
        read = await scope.read_all([decoded(stored) for stored in found.items])
        if isinstance(read, Status):
            return read
        items = [json_bytes(listed_item(scope, obj)) for obj in read]
    else:
        skipped = len(beginning(resource))
        items = [item_bytes(stored, skipped) for stored in found.items]
    return head[:-1] + b',"items":[' + b",".join(items) + b"]}"


def listed_item(scope: Scope, obj: JsonObject) -> JsonObject:
    """An object as an item of a list: a custom one says what it is."""
    return obj if scope.custom is not None else without_kind(obj)


def without_kind(obj: JsonObject) -> JsonObject:
    """An object as an item of a list."""
    return {name: value for name, value in obj.items() if name not in {"kind", "apiVersion"}}
