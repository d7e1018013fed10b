"""Objects as a Table: the columns of their kind, and a row for each.

Specification: k8s.io/apiserver, pkg/endpoints/handlers/response.go. Of several events of a watch only the first has the
columns.
"""

from __future__ import annotations

import time

from podward.api import status
from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.custom_objects.kind import CustomKind
from podward.schema.versions import in_version
from podward.server.request_info import Query
from podward.server.tables.columns import Printer
from podward.server.tables.core_objects import CORE
from podward.server.tables.custom import printer_of
from podward.server.tables.openshift import OPENSHIFT
from podward.server.tables.other_objects import FALLBACK, OTHERS
from podward.server.tables.platform import PLATFORM
from podward.server.tables.pods import row_conditions
from podward.server.tables.workloads import WORKLOADS

PRINTERS: dict[tuple[str, str], Printer] = {**CORE, **WORKLOADS, **OTHERS, **PLATFORM, **OPENSHIFT}
"""How each kind is told, by its group and name."""
_AUTOSCALING = GroupVersion("autoscaling", "v2")
_INCLUDES = frozenset(("", "None", "Metadata", "Object"))


def _printed(resource: Resource, item: JsonObject) -> JsonObject:
    """The object in the version that columns are made of."""
    old = resource.kind == "HorizontalPodAutoscaler" and resource.api_version == "autoscaling/v1"
    return in_version(item, _AUTOSCALING) if old else item


def table_of(  # noqa: PLR0913, PLR0917 - as much as there is to know
    resource: Resource,
    items: list[JsonObject],
    metadata: JsonObject | None,
    query: Query,
    version: str,
    custom: CustomKind | None = None,
) -> JsonObject | Status:
    """The table of these objects; `metadata` is a list's, None of one object."""
    include = (query.get("includeObject") or ("",))[0]
    if include not in _INCLUDES:
        error = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        return status.invalid_for("TableOptions", "meta.k8s.io", "", [("includeObject", error)])
    if metadata is None:
        metadata = {"resourceVersion": member(items[0], "metadata").get("resourceVersion", "")}
    printer, now = printer_for(resource) if custom is None else printer_of(custom.columns), time.time()
    of_pods = resource.kind == "Pod" and not resource.group
    rows: list[Json] = []
    for item in items:
        row: JsonObject = {"cells": printer.cells(_printed(resource, item), now)}
        if of_pods and (conditions := row_conditions(item)):
            row["conditions"] = conditions
        row["object"] = _shown(item, include, version)
        rows.append(row)
    columns: list[Json] = [column.definition() for column in printer.columns]
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    }


def printer_for(resource: Resource) -> Printer:
    """How objects of a built-in kind are told."""
    return PRINTERS.get((resource.group, resource.kind), FALLBACK)


def event_table(  # noqa: PLR0913 - as much as there is to know
    resource: Resource,
    obj: JsonObject,
    query: Query,
    version: str,
    custom: CustomKind | None = None,
    *,
    with_columns: bool,
) -> JsonObject:
    """One object of a watch; only the first has the columns."""
    table = table_of(resource, [obj], None, query, version, custom)
    if isinstance(table, Status):
        return obj
    return table if with_columns else {**table, "columnDefinitions": None}


def _shown(obj: JsonObject, include: str, version: str) -> Json:
    """What of the object stands beside its cells."""
    if include == "None":
        return None
    if include == "Object":
        return obj
    return {
        "kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": member(obj, "metadata"),
    }  # fmt: skip
