"""From client-side apply to server-side apply: kubectl's annotation with what was last applied.

Specification: apimachinery, util/managedfields/internal: lastappliedmanager.go, lastappliedupdater.go. For the manager
`kubectl` what the annotation says and the live object still has is no conflict; and an annotation that is there is kept
up to date, unless all annotations would be larger than 256 KiB with it.
"""

from __future__ import annotations

import msgspec

from podward.api.json_value import Json, JsonObject
from podward.schema.apply.checking import faults
from podward.schema.apply.comparing import compared
from podward.schema.apply.field_set import FieldSet, difference
from podward.schema.apply.ownership import owned
from podward.schema.apply.path_element import scalar
from podward.schema.apply.types import Type

MANAGER = "kubectl"
"""The manager for whom this is done."""

_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
_LARGEST = 256 * 1024


def owned_by_it(kind: Type, api_version: str, live: JsonObject) -> FieldSet | None:
    """What the last client-side apply set and still stands; None where that is not known."""
    text = _annotations(live).get(_ANNOTATION)
    try:
        applied: Json = msgspec.json.decode(text) if isinstance(text, str) and text else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(applied, dict) or applied.get("apiVersion") != api_version or faults(kind, applied):
        return None
    fields = owned(kind, applied)
    changes = compared(kind, applied, live)
    for changed in (changes.modified, changes.added, changes.removed):
        fields = difference(fields, changed)
    return fields


def kept_up(value: JsonObject, patch: JsonObject) -> JsonObject:
    """The object, whose annotation says what was applied now, if it has one."""
    annotations = _annotations(value)
    if not annotations.get(_ANNOTATION):
        return value
    kept = {name: text for name, text in annotations.items() if name != _ANNOTATION}
    applied = _go_json(_without_annotation(patch)) + "\n"
    size = sum(len(name.encode()) + len(str(text).encode()) for name, text in kept.items())
    if size + len(_ANNOTATION) + len(applied.encode()) <= _LARGEST:
        kept[_ANNOTATION] = applied
    metadata = value["metadata"]
    return {**value, "metadata": {**(metadata if isinstance(metadata, dict) else {}), "annotations": kept}}


def _annotations(value: JsonObject) -> JsonObject:
    metadata = value.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _without_annotation(patch: JsonObject) -> JsonObject:
    metadata = patch.get("metadata")
    annotations = _annotations(patch)
    if _ANNOTATION not in annotations or not isinstance(metadata, dict):
        return patch
    kept = {name: text for name, text in annotations.items() if name != _ANNOTATION}
    return {**patch, "metadata": {**metadata, "annotations": kept}}


def _go_json(value: Json) -> str:
    """JSON as Go writes a map: names in order, `<`, `>` and `&` escaped."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{scalar(name)}:{_go_json(item)}" for name, item in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_go_json, value)) + "]"
    return scalar(value)
