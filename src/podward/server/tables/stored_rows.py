"""The rows of a list's Table, straight from what is stored: of each object only what its cells need is read.

What stands beside the cells, the object's metadata, is not read at all but copied as it is stored.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TypedDict, cast

import msgspec
from msgspec import Raw, Struct

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.server.encoding import decoded, served_bytes
from podward.server.tables.columns import Printer
from podward.server.tables.pods import row_conditions
from podward.server.tables.table import printer_for
from podward.store.interface import Stored


class _Metadata(TypedDict, total=False):
    """What cells need of the metadata: all but managedFields, the largest part of it."""

    name: str
    namespace: str
    uid: str
    labels: dict[str, str] | None
    annotations: dict[str, str] | None
    creationTimestamp: str | None
    deletionTimestamp: str | None
    ownerReferences: list[dict[str, object]] | None


class _Container(TypedDict, total=False):
    name: str
    restartPolicy: str | None


class _PodSpec(TypedDict, total=False):
    containers: list[_Container] | None
    initContainers: list[_Container] | None
    nodeName: str | None
    readinessGates: list[dict[str, str]] | None


class _PodParts(Struct):
    metadata: Raw
    spec: _PodSpec = {}
    status: dict[str, msgspec.Raw] | None = None


_members = msgspec.json.Decoder(dict[str, Raw]).decode
_pod_parts = msgspec.json.Decoder(_PodParts).decode
_metadata = msgspec.json.Decoder(_Metadata).decode
_value = msgspec.json.Decoder().decode


def list_table(resource: Resource, found: Sequence[Stored], metadata: JsonObject, version: str) -> bytes:
    """The table of a list of built-in objects, with their metadata beside the cells, as JSON."""
    printer = printer_for(resource)
    columns: list[Json] = [column.definition() for column in printer.columns]
    return msgspec.json.encode(
        {
            "kind": "Table",
            "apiVersion": f"meta.k8s.io/{version}",
            "metadata": metadata,
            "columnDefinitions": columns,
            "rows": rows(resource, printer, found, version, time.time()),
        }
    )


def rows(resource: Resource, printer: Printer, found: Sequence[Stored], version: str, now: float) -> list[Raw]:
    """A row for each object; beside its cells stands its metadata."""
    of_pods = resource.kind == "Pod" and not resource.group
    start = (
        b',"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/' + version.encode() + b'","metadata":'
    )
    encode, made = msgspec.json.Encoder().encode, []
    for stored in found:
        obj, metadata = _read(stored, of_pods=of_pods)
        head = b'{"cells":' + encode(printer.cells(obj, now))
        if of_pods and (conditions := row_conditions(obj)):
            head += b',"conditions":' + encode(conditions)
        made.append(Raw(head + start + bytes(metadata) + b"}}"))
    return made


def _read(stored: Stored, *, of_pods: bool) -> tuple[JsonObject, Raw]:
    """What cells need of the object, and its metadata."""
    text = served_bytes(stored)
    try:
        if of_pods:
            parts = _pod_parts(text)
            state = {name: _value(value) for name, value in (parts.status or {}).items()}
            pod = {"metadata": _metadata(parts.metadata), "spec": parts.spec, "status": state}
            return cast("JsonObject", pod), parts.metadata
        members = _members(text)
        metadata = members.pop("metadata")
        obj: dict[str, Json] = {name: _value(value) for name, value in members.items()}
        return {**obj, "metadata": cast("JsonObject", _metadata(metadata))}, metadata
    except msgspec.ValidationError:  # it is of an odd form: read all of it
        whole = decoded(stored)
        return whole, Raw(msgspec.json.encode(whole.get("metadata")))
