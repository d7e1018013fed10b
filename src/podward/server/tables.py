"""Objects as tables, as `kubectl get` prints them: the columns of each kind, and a row for each object."""

from __future__ import annotations

from podward.api import status
from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.server.request_info import Query

_INCLUDES = frozenset(("", "None", "Metadata", "Object"))


def table_of(
    resource: Resource, items: list[JsonObject], metadata: JsonObject | None, query: Query, version: str
) -> JsonObject | Status:
    """The table of these objects; `metadata` is a list's, None of one object."""
    include = (query.get("includeObject") or ("",))[0]
    if include not in _INCLUDES:
        error = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        return status.invalid_for("TableOptions", "meta.k8s.io", "", [("includeObject", error)])
    del resource
    rows: list[Json] = [_row(item, include, version) for item in items]
    if metadata is None:
        metadata = {"resourceVersion": member(items[0], "metadata").get("resourceVersion", "")}
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": [*_COLUMNS],
        "rows": rows,
    }


def event_table(resource: Resource, obj: JsonObject, query: Query, version: str, *, with_columns: bool) -> JsonObject:
    """One object of a watch; only the first has the columns."""
    table = table_of(resource, [obj], None, query, version)
    if isinstance(table, Status):
        return obj
    return table if with_columns else {**table, "columnDefinitions": None}


_COLUMNS: tuple[JsonObject, ...] = (
    {"name": "Name", "type": "string", "format": "name", "description": "Name of the object", "priority": 0},
    {"name": "Created At", "type": "date", "format": "", "description": "When it was made", "priority": 0},
)


def _row(obj: JsonObject, include: str, version: str) -> JsonObject:
    of = member(obj, "metadata")
    row: JsonObject = {"cells": [of.get("name"), of.get("creationTimestamp")]}
    if include != "None":
        partial: JsonObject = {
            "kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": of,
        }  # fmt: skip
        row["object"] = obj if include == "Object" else partial
    return row
