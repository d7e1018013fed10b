"""Whether a schema of a custom resource says of every field what it is: whether it is structural.

Specification: Kubernetes, apiextensions-apiserver pkg/apiserver/schema ValidateStructural. What is said under `allOf`,
`anyOf`, `oneOf` and `not` says nothing of what a field is; what stands so at the root says nothing of fields that
aren't there otherwise. Errors are in alphabetical order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.validation.field import NOTHING, Place, forbidden, invalid, required
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.json_value import JsonObject

_EITHER = [{"type": "integer"}, {"type": "string"}]
_INT_OR_STRING, _EMBEDDED = "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"
_UNKNOWN = "x-kubernetes-preserve-unknown-fields"
_NO_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_ELSEWHERE = (
    ("type", "must be empty"), ("additionalProperties", "must be undefined"), ("default", "must be undefined"),
    ("title", "must be empty"), ("description", "must be empty"), ("nullable", "must be false"),
    (_UNKNOWN, "must be false"), (_EMBEDDED, "must be false"), (_INT_OR_STRING, "must be false"),
    ("x-kubernetes-list-map-keys", "must be empty"), ("x-kubernetes-list-type", "must be undefined"),
    ("x-kubernetes-map-type", "must be undefined"),
)  # fmt: skip
"""What is only said where a field is declared."""
_BRANCHES = ("anyOf", "allOf", "oneOf")
_METADATA = "must not specify anything other than name and generateName, but metadata is implicitly specified"


def check(schema: JsonObject, at: Place) -> Decision:
    """What keeps a whole schema from being structural."""
    found = _declared(schema, "root", at) + _undeclared(schema, schema, at, at)
    if len(found.violations) < 2:
        return found
    return Decision(violations=tuple(sorted(found.violations, key=lambda each: f"{each.path}: {each.reason}")))


def _properties(schema: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for name, value in sorted(member(schema, "properties").items()):
        yield name, value if isinstance(value, dict) else {}


# --- what fields are --------------------------------------------------------------------------------------------------


def _declared(schema: JsonObject, level: str, at: Place) -> Decision:
    items, more = schema.get("items"), schema.get("additionalProperties")
    found = [_type(schema, level, at), _extensions(schema, at)]
    if schema.get("type") == "array" and items is None:
        found.append(required(at / "items", "must be specified"))
    if isinstance(items, dict):
        found.append(_declared(items, "item", at / "items"))
    found += [_declared(value, "field", at / "properties" / Key(name)) for name, value in _properties(schema)]
    if isinstance(more, dict):
        found.append(_declared(more, "field", at / "additionalProperties"))
    if level == "root" and more is not None:
        found.append(forbidden(at / "additionalProperties", "must not be used at the root"))
    first = objects(schema, "allOf") if "allOf" in schema else []
    either = schema.get("anyOf") == _EITHER
    within = bool(first) and first[0].get("anyOf") == _EITHER
    of_both = schema.get(_INT_OR_STRING) is True
    found.append(_values(schema, at, skip=of_both and either, skip_first=of_both and within, root=level == "root"))
    found.append(_meta(schema, level, at))
    wrong = [each for each in found if each is not NOTHING]
    return merge(*wrong) if wrong else NOTHING


def _type(schema: JsonObject, level: str, at: Place) -> Decision:
    kind, place = text(schema, "type"), at / "type"
    if schema.get(_EMBEDDED) is True and kind != "object":
        detail = f"must be object if {_EMBEDDED} is true"
        return invalid(place, kind, detail) if kind else required(place, detail)
    if not kind and schema.get(_INT_OR_STRING) is not True and schema.get(_UNKNOWN) is not True:
        return required(place, _NO_TYPE[level])
    wrong = level == "root" and kind and kind != "object"
    return invalid(place, kind, "must be object at the root") if wrong else NOTHING


def _extensions(schema: JsonObject, at: Place) -> Decision:
    both = (_UNKNOWN, _EMBEDDED) if schema.get(_INT_OR_STRING) is True else ()
    detail = f"must be false if {_INT_OR_STRING} is true"
    found = [invalid(at / name, True, detail) for name in both if schema.get(name) is True]
    if schema.get(_EMBEDDED) is True:
        if schema.get("additionalProperties") is not None:
            detail = f"must not be used if {_EMBEDDED} is set"
            found.append(forbidden(at / "additionalProperties", detail))
        if schema.get(_UNKNOWN) is not True and not schema.get("properties"):
            detail = f"must not be empty if {_EMBEDDED} is true without {_UNKNOWN}"
            found.append(required(at / "properties", detail))
    return merge(*found)


def _meta(schema: JsonObject, level: str, at: Place) -> Decision:
    """What every object has, which a schema does not declare anew."""
    if level != "root" and schema.get(_EMBEDDED) is not True:
        return NOTHING
    properties, place, found = member(schema, "properties"), at / "properties", []
    for name, kind in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        written = properties.get(name)
        if isinstance(written, dict) and text(written, "type") != kind:
            found.append(invalid(place / Key(name) / "type", text(written, "type"), f"must be {kind}"))
    metadata = properties.get("metadata")
    if level == "root" and isinstance(metadata, dict):
        named = member(metadata, "properties").keys() <= {"name", "generateName"}
        if not named or metadata.keys() - {"type", "properties", "default"}:
            found.append(forbidden(place / Key("metadata"), _METADATA))
    return merge(*found)


# --- what values are --------------------------------------------------------------------------------------------------


def _values(schema: JsonObject, at: Place, *, skip: bool, skip_first: bool, root: bool) -> Decision:
    """`skip`: the alternatives say what type it is; `skip_first`: those of the first of all parts do."""
    found: list[Decision] = []
    for name in _BRANCHES:
        if name == "anyOf" and skip:
            continue
        for index, part in enumerate(objects(schema, name) if name in schema else ()):
            may = name == "allOf" and skip_first and not index
            found.append(_elsewhere(part, at / name / index, skip=may, root=root))
    if isinstance(schema.get("not"), dict):
        found.append(_elsewhere(member(schema, "not"), at / "not", skip=False, root=root))
    pattern = text(schema, "pattern")
    if pattern and (fault := _fault_of(pattern)):
        detail = f"must be a valid regular expression, but isn't: {fault}"
        found.append(invalid(at / "pattern", pattern, detail))
    return merge(*found)


def _fault_of(pattern: str) -> str:
    from podward.schema.cel.patterns import fault_of  # the library is only for those who have patterns

    return fault_of(pattern)


def _elsewhere(schema: JsonObject, at: Place, *, skip: bool, root: bool) -> Decision:
    found = [_values(schema, at, skip=skip, skip_first=False, root=root)]
    if isinstance(schema.get("items"), dict):
        found.append(_elsewhere(member(schema, "items"), at / "items", skip=False, root=False))
    for name, value in _properties(schema):
        found.append(_elsewhere(value, at / "properties" / Key(name), skip=False, root=False))
    found += [forbidden(at / name, f"{detail} to be structural") for name, detail in _ELSEWHERE if schema.get(name)]
    if root and "metadata" in member(schema, "properties"):
        found.append(forbidden(at / "properties" / Key("metadata"), "must not be specified in a nested context"))
    return merge(*found)


# --- nothing that is not declared -------------------------------------------------------------------------------------


def _undeclared(part: JsonObject, schema: JsonObject, at: Place, from_: Place) -> Decision:
    """What a part says of fields that the schema does not declare; `from_` is where the part stands."""
    found: list[Decision] = []
    for name in _BRANCHES:
        for index, inner in enumerate(objects(part, name) if name in part else ()):
            found.append(_nested(inner, schema, at, from_ / name / index))
    if isinstance(part.get("not"), dict):
        found.append(_nested(member(part, "not"), schema, at, from_ / "not"))
    return merge(*found)


def _nested(part: JsonObject, schema: JsonObject, at: Place, from_: Place) -> Decision:
    found = [_undeclared(part, schema, at, from_)]
    items, declared = part.get("items"), schema.get("items")
    if isinstance(items, dict):
        place = from_ / "items"
        missing = required(at / "items", f"because it is defined in {place.path}")
        found.append(_nested(items, declared, at / "items", place) if isinstance(declared, dict) else missing)
    fields = member(schema, "properties")
    for name, value in _properties(part):
        place, here, known = from_ / "properties" / Key(name), at / "properties" / Key(name), fields.get(name)
        missing = required(here, f"because it is defined in {place.path}")
        found.append(_nested(value, known, here, place) if isinstance(known, dict) else missing)
    return merge(*found)
