"""Fields by which custom objects can be selected, and formats that nobody knows.

Specification: Kubernetes, apiextensions-apiserver ValidateCustomResourceSelectableFields, and the strategy's warnings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.custom_objects.field_paths import NoFieldError, field_at
from podward.schema.validation.field import NOTHING, Place, duplicate, invalid, required, too_many
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

MOST = 8
_PARTS = ("items", "additionalProperties", "not", "allOf", "anyOf", "oneOf")
_SIMPLE = ("string", "boolean", "integer")
_TYPES = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are"


def check(part: JsonObject, at: Place, *, before: Json, without: str) -> Decision:
    """The selectable fields of a version, or of all.

    `before` are those that were let in; `without` is what is said where there is no schema.
    """
    fields = objects(part, "selectableFields")
    if not fields:
        return NOTHING
    schema = member(part, "schema").get("openAPIV3Schema")
    if not isinstance(schema, dict):
        return invalid(at, "", without)
    found: list[Decision] = []
    known = set[str]()
    for index, each in enumerate(fields):
        place, way = at / index / "jsonPath", text(each, "jsonPath")
        found.append(_field(way, schema, place, known) if way else required(place))
    if len(known) > MOST and part.get("selectableFields") != before:
        found.append(too_many(at, len(known), MOST))
    return merge(*found)


def _field(way: str, schema: JsonObject, at: Place, known: set[str]) -> Decision:
    try:
        path, of = field_at(way, schema, with_brackets=False)
    except NoFieldError as error:
        return invalid(at, way, f"is an invalid path: {error}")
    found: list[Decision] = []
    if path.segments[:1] == ("metadata",):
        found.append(invalid(at, way, "must not point to fields in metadata"))
    if text(of, "type") not in _SIMPLE:
        found.append(invalid(at, way, f"{_TYPES} allowed."))
    if str(path) in known:
        found.append(duplicate(at, way))
    known.add(str(path))
    return merge(*found)


def warned(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    """The warnings about formats that are new and that nobody knows."""
    before = set(_unknown_formats(old)) if old is not None else set()
    return tuple([f'unrecognized format "{form}"' for form in _unknown_formats(obj) if form not in before])


def _unknown_formats(definition: JsonObject) -> list[str]:
    found: list[str] = []
    seen: list[Json] = []
    for version in objects(member(definition, "spec"), "versions"):
        schema = member(version, "schema").get("openAPIV3Schema")
        if isinstance(schema, dict) and schema not in seen:
            found += _formats(schema)
            seen.append(schema)
    return found


def _formats(schema: JsonObject) -> Iterator[str]:
    from podward.schema.custom_objects.formats import is_known

    form = text(schema, "format")
    if form and not is_known(form, text(schema, "type")):
        yield form
    properties = schema.get("properties")
    for _, inner in sorted(properties.items()) if isinstance(properties, dict) else ():
        if isinstance(inner, dict):
            yield from _formats(inner)
    for name in _PARTS:
        if name in schema:
            inner = schema[name]
            for each in inner if isinstance(inner, list) else (inner,):
                if isinstance(each, dict):
                    yield from _formats(each)
