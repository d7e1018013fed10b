"""Objects and lists as answers, in the form that the client accepts."""

from __future__ import annotations

from typing import cast

from podward.api import status
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.server.encoding import json_bytes
from podward.server.negotiation import JSON, YAML
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Scope

_NO_LIST = "you requested PartialObjectMetadataList, but the requested object is not a list (%s)"
_NO_OBJECT = "you requested PartialObjectMetadata, but the requested object is a list (%s)"


def object_reply(scope: Scope, request: Request, code: int, obj: JsonObject) -> Answer:
    """One object."""
    if request.accepted.as_kind:
        return transformed(scope, request, code, [obj], None)
    return document_reply(request, code, obj)


def list_reply(scope: Scope, request: Request, items: list[JsonObject], metadata: JsonObject) -> Answer:
    """A list that is turned into something else."""
    return transformed(scope, request, 200, items, metadata)


def transformed(
    scope: Scope, request: Request, code: int, items: list[JsonObject], metadata: JsonObject | None
) -> Answer:
    """Objects as a table, or as their metadata alone; `metadata` is a list's, None of one object."""
    accepted = request.accepted
    if accepted.as_kind == "Table":
        from podward.server.tables.table import table_of

        table = table_of(scope.resource, items, metadata, request.query, accepted.as_version, scope.custom)
        return table if isinstance(table, Status) else document_reply(request, code, table)
    version = f"meta.k8s.io/{accepted.as_version}"
    partial: list[Json] = [
        {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": member(item, "metadata")} for item in items
    ]
    if metadata is None:
        if accepted.as_kind != "PartialObjectMetadata":
            return status.Status(406, "NotAcceptable", _NO_LIST % go_type(scope, scope.resource.kind))
        return document_reply(request, code, cast("JsonObject", partial[0]))
    if accepted.as_kind != "PartialObjectMetadataList":
        return status.Status(406, "NotAcceptable", _NO_OBJECT % go_type(scope, scope.resource.list_kind))
    whole: JsonObject = {"kind": "PartialObjectMetadataList", "apiVersion": version, "metadata": metadata}
    return document_reply(request, code, {**whole, "items": partial or None})  # an empty list of Go is null


def document_reply(request: Request, code: int, document: JsonObject) -> Reply:
    """A document that is no object of the store."""
    return written_reply(request, code, json_bytes(document))


def written_reply(request: Request, code: int, body: bytes) -> Reply:
    """JSON text, in the form that the client accepts."""
    accepted = request.accepted
    if accepted.media == YAML:
        from podward.server.yaml_answers import yaml_of

        return Reply(code, yaml_of(body), YAML, document=body)
    if accepted.pretty:
        import msgspec

        return Reply(code, msgspec.json.format(body, indent=2) + b"\n", JSON)
    return Reply(code, body, JSON)


def go_type(scope: Scope, kind: str) -> str:
    """A kind as the real server's messages name its own type of it."""
    group = scope.resource.stored.group
    return f"*{group.partition('.')[0] or 'core'}.{kind}"


def event_object(scope: Scope, request: Request, obj: JsonObject, *, with_columns: bool) -> JsonObject:
    """An object as it stands in an event of a watch."""
    accepted = request.accepted
    if accepted.as_kind == "Table":
        from podward.server.tables.table import event_table

        return event_table(
            scope.resource, obj, request.query, accepted.as_version, scope.custom, with_columns=with_columns
        )
    if accepted.as_kind:
        version = f"meta.k8s.io/{accepted.as_version}"
        return {"kind": "PartialObjectMetadata", "apiVersion": version, "metadata": member(obj, "metadata")}
    return obj
