"""CustomResourceDefinitions.

Specification: Kubernetes, apiextensions-apiserver pkg/apis/apiextensions/validation and the strategy in
pkg/registry/customresourcedefinition. What all versions have alike is told at the spec, as the server keeps it there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.custom_objects.naming import approval, is_protected
from podward.schema.strategies import object_meta
from podward.schema.strategies.custom_resources import schemas, selectable
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import first_generation, keeping_status
from podward.schema.strategies.names import NameRule, host_faults
from podward.schema.strategies.object_meta import keeping_all_but_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.webhooks import client, review_versions
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported_text,
)
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_SCOPES, _STRATEGIES = ("Cluster", "Namespaced"), ("None", "Webhook")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_SHARED = ("schema", "subresources", "additionalPrinterColumns", "selectableFields")
_APPROVED = "api-approved.kubernetes.io"
_LET_IN = ("ApprovedAnnotation", "UnapprovedAnnotation")
_LONGEST_WARNING = 256
_STATUS = ROOT / "status"
_NO_SCHEMA = "may only be set when validations.schema is included"
_NO_SCHEMA_HERE = "may only be set when `version.schema.openAPIV3Schema` is not included"


def _inside(spec: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """What all versions have alike, and the versions without it."""
    versions = objects(spec, "versions")
    alike = [
        name for name in _SHARED if versions and all(same(each.get(name), versions[0].get(name)) for each in versions)
    ]
    shared: JsonObject = {name: versions[0][name] for name in alike if versions[0].get(name) is not None}
    return shared, [{name: value for name, value in each.items() if name not in alike} for each in versions]


# --- the spec ---------------------------------------------------------------------------------------------------------


def _spec(obj: JsonObject, *, old: JsonObject | None = None, recognized: bool = True) -> Decision:
    spec = member(obj, "spec")
    group, place = text(spec, "group"), SPEC / "group"
    found: list[Decision] = []
    if not group:
        found.append(required(place))
    elif faults := subdomain_faults(group):
        found.append(invalid(place, group, ",".join(faults)))
    elif "." not in group:
        found.append(invalid(place, group, "should be a domain with at least one dot"))
    found.append(_word(spec, "scope", _SCOPES, SPEC))
    shared, versions = _inside(spec)
    before = {} if old is None else _schemas(member(old, "spec"))
    known = {name for name, schema in _schemas(spec).items() if name in before and same(schema, before[name])}
    of_old = {} if old is None else _selectable(member(old, "spec"))
    first = text(versions[0], "name") if versions else ""
    found.append(_versions(shared, versions, known, of_old))
    if first and (faults := host_faults(first)):
        found.append(invalid(SPEC / "version", first, ",".join(faults)))
    found.append(_names_of_spec(member(spec, "names")))
    alike = _Part(shared, _has_status(shared, versions), first in known, of_old.get(first), _NO_SCHEMA)
    found.append(_version_parts(alike, SPEC, "validation"))
    if isinstance(spec.get("conversion"), dict):
        found.append(_conversion(member(spec, "conversion"), SPEC / "conversion", recognized=recognized))
    return merge(*found)


def _word(of: JsonObject, name: str, words: tuple[str, ...], at: Place) -> Decision:
    value = text(of, name)
    if value in words:
        return NOTHING
    return unsupported_text(at / name, value, words) if value else required(at / name)


def _has_status(shared: JsonObject, versions: list[JsonObject]) -> bool:
    return any(member(each, "subresources").get("status") is not None for each in (shared, *versions))


def _schemas(spec: JsonObject) -> dict[str, Json]:
    """The schemas of all versions."""
    return {text(each, "name"): member(each, "schema").get("openAPIV3Schema") for each in objects(spec, "versions")}


def _selectable(spec: JsonObject) -> dict[str, Json]:
    """The selectable fields of all versions."""
    return {text(each, "name"): each.get("selectableFields") for each in objects(spec, "versions")}


class _Part(Struct, frozen=True):
    """What a version says, or all of them alike; whether its status is written apart, and its schema as it was."""

    of: JsonObject
    has_status: bool
    unchanged: bool
    selectable_before: Json
    without_schema: str


def _versions(shared: JsonObject, versions: list[JsonObject], known: set[str], of_old: dict[str, Json]) -> Decision:
    at, found = SPEC / "versions", []
    if member(shared, "schema").get("openAPIV3Schema") is None:
        for index, version in enumerate(versions):
            if member(version, "schema").get("openAPIV3Schema") is None:
                found.append(required(at / index / "schema" / "openAPIV3Schema"))
    for index, version in enumerate(versions):
        name = text(version, "name")
        if faults := host_faults(name):
            found.append(invalid(at / index / "name", name, ",".join(faults)))
        found.append(_deprecation(version, at / index / "deprecationWarning"))
        own = version if "subresources" in version else shared
        part = _Part(version, _has_status(own, []), name in known, of_old.get(name), _NO_SCHEMA_HERE)
        found.append(_version_parts(part, at / index, "schema"))
    names = [text(version, "name") for version in versions]
    if len(set(names)) != len(names):
        found.append(invalid_value(at, _shown(versions), "must contain unique version names"))
    if sum(version.get("storage") is True for version in versions) != 1:
        detail = "must have exactly one version marked as storage version"
        found.append(invalid_value(at, _shown(versions), detail))
    return merge(*found)


def _shown(versions: list[JsonObject]) -> Json:
    return [
        {
            "Name": text(each, "name"),
            "Served": each.get("served") is True,
            "Storage": each.get("storage") is True,
            "Deprecated": each.get("deprecated") is True,
            "DeprecationWarning": each.get("deprecationWarning"),
            "Schema": each.get("schema"),
            "Subresources": each.get("subresources"),
            "AdditionalPrinterColumns": each.get("additionalPrinterColumns"),
            "SelectableFields": each.get("selectableFields"),
        }
        for each in versions
    ]


def _deprecation(version: JsonObject, at: Place) -> Decision:
    warning = pointer(version, "deprecationWarning")
    if warning is None:
        return NOTHING
    if version.get("deprecated") is not True:
        return invalid_value(at, warning, "can only be set for deprecated versions")
    found = []
    if len(warning.encode()) > _LONGEST_WARNING:
        found.append(invalid_value(at, warning, f"must be <= {_LONGEST_WARNING} characters long"))
    if not warning:
        found.append(invalid_value(at, warning, "must not be an empty string"))
    for char in warning:
        if char != " " and not char.isprintable():
            index = len(warning[: warning.index(char)].encode())
            detail = "must only contain printable UTF-8 characters; non-printable character found at index"
            found.append(invalid_value(at, warning, f"{detail} {index}"))
            break
    return merge(*found)


def _version_parts(part: _Part, at: Place, schema_at: str) -> Decision:
    """Schema, subresources and columns: of a version, or of all versions."""
    found: list[Decision] = []
    of, schema = part.of, member(part.of, "schema").get("openAPIV3Schema")
    if isinstance(schema, dict):
        place = at / schema_at / "openAPIV3Schema"
        found.append(schemas.check(schema, place, with_status=part.has_status, unchanged=part.unchanged))
    scale = member(of, "subresources").get("scale")
    if isinstance(scale, dict):
        found.append(_scale(scale, at / "subresources"))
    for index, column in enumerate(objects(of, "additionalPrinterColumns")):
        found.append(_column(column, at / "additionalPrinterColumns" / index))
    place = at / "selectableFields"
    found.append(selectable.check(of, place, before=part.selectable_before, without=part.without_schema))
    return merge(*found)


def _scale(scale: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    for name, of in (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")):
        path, place = text(scale, name), at / f"scale.{name}"
        if not path:
            found.append(required(place))
        elif wrong := _simple(path, place):
            found.append(wrong)
        elif not path.startswith(f"{of}."):
            found.append(invalid(place, path, f"should be a json path under {of}"))
    path, place = text(scale, "labelSelectorPath"), at / "scale.labelSelectorPath"
    if path and (wrong := _simple(path, place)):
        found.append(wrong)
    elif path and not path.startswith((".spec.", ".status.")):
        found.append(invalid_value(place, path, "should be a json path under either .spec or .status"))
    return merge(*found)


def _simple(path: str, at: Place) -> Decision | None:
    return None if path.startswith(".") else invalid(at, path, "must be a simple json path starting with .")


def _column(column: JsonObject, at: Place) -> Decision:
    kind, form, path = (text(column, name) for name in ("type", "format", "jsonPath"))
    found = [] if text(column, "name") else [required(at / "name")]
    detail = f"must be one of {','.join(_COLUMN_TYPES)}"
    if kind not in _COLUMN_TYPES:
        found.append(invalid(at / "type", kind, detail) if kind else required(at / "type", detail))
    if form and form not in _COLUMN_FORMATS:
        found.append(invalid(at / "format", form, f"must be one of {','.join(_COLUMN_FORMATS)}"))
    wrong = _simple(path, at / "JSONPath") if path else required(at / "JSONPath")
    return merge(*found) if wrong is None else merge(*found, wrong)


# --- names, conversion, approval --------------------------------------------------------------------------------------


def _names_of_spec(names: JsonObject) -> Decision:
    at = SPEC / "names"
    missing = [name for name in ("plural", "singular", "kind", "listKind") if not text(names, name)]
    return merge(*[required(at / name) for name in missing], _names(names, at))


def _names(names: JsonObject, at: Place) -> Decision:
    found: list[Decision] = []
    for name in ("plural", "singular", "kind", "listKind"):
        value, mixed = text(names, name), "ind" in name
        faults = host_faults(value.lower() if mixed else value) if value else ()
        if faults:
            detail = "may have mixed case, but should otherwise match: " if mixed else ""
            found.append(invalid(at / name, value, detail + ",".join(faults)))
    for index, value in enumerate(texts(names, "shortNames")):
        if faults := host_faults(value):
            found.append(invalid(at / "shortNames" / index, value, ",".join(faults)))
    kind = text(names, "kind")
    if kind and kind == text(names, "listKind"):
        found.append(invalid(at / "listKind", kind, "kind and listKind may not be the same"))
    for index, value in enumerate(texts(names, "categories")):
        if faults := host_faults(value):
            found.append(invalid(at / "categories" / index, value, ",".join(faults)))
    return merge(*found)


def _conversion(conversion: JsonObject, at: Place, *, recognized: bool) -> Decision:
    hook, found = member(conversion, "webhook"), [_word(conversion, "strategy", _STRATEGIES, at)]
    place, versions_at = at / "webhookClientConfig", at / "conversionReviewVersions"
    written, of = texts(hook, "conversionReviewVersions"), hook.get("clientConfig")
    if text(conversion, "strategy") == "Webhook":
        missing = required(place, "required when strategy is set to Webhook")
        found.append(client(of, place) if isinstance(of, dict) else missing)
        return merge(*found, review_versions(written, versions_at, "", needed=recognized))
    detail = "should not be set when strategy is not set to Webhook"
    if of is not None:
        found.append(forbidden(place, detail))
    if written:
        found.append(forbidden(versions_at, detail))
    return merge(*found)


def _approved(obj: JsonObject, old: JsonObject | None) -> Decision:
    if not is_protected(obj):
        return NOTHING
    found = approval(obj)
    place = ROOT / "metadata" / "annotations" / Key(_APPROVED)
    if found.reason in _LET_IN or (old is not None and approval(old).reason == found.reason):
        return NOTHING
    written = text(member(member(obj, "metadata"), "annotations"), _APPROVED)
    return invalid(place, written, found.message) if written else required(place, found.message)


def _unknown(obj: JsonObject, old: JsonObject | None) -> Decision:
    if old is not None and member(old, "spec").get("preserveUnknownFields") is True:
        return NOTHING
    if member(obj, "spec").get("preserveUnknownFields") is not True:
        return NOTHING
    detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
    return invalid_value(SPEC / "preserveUnknownFields", True, detail)


# --- definitions ------------------------------------------------------------------------------------------------------


def _meta(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    wanted = f"{text(member(spec, 'names'), 'plural')}.{text(spec, 'group')}"

    def faults(name: str) -> tuple[str, ...]:
        wrong = () if name == wanted else ('must be spec.names.plural+"."+spec.group',)
        return (*subdomain_faults(name), *wrong)

    return object_meta.any_new(NameRule(faults), namespaced=False)(obj)


def _stored(obj: JsonObject) -> Decision:
    place, stored = _STATUS / "storedVersions", texts(member(obj, "status"), "storedVersions")
    if not stored:
        return invalid_value(place, None, "must have at least one stored version")
    shown: list[Json] = [*stored]
    versions = objects(member(obj, "spec"), "versions")
    names = [text(version, "name") for version in versions]
    found = [
        invalid_value(place, shown, f"must have the storage version {text(version, 'name')}")
        for version in versions
        if version.get("storage") is True and text(version, "name") not in stored
    ]
    for index, name in enumerate(stored):
        if name not in names:
            detail = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions"
                f" until a storage migration ensures no data remains persisted in {name} and removes {name} from"
                " status.storedVersions"
            )
            found.append(invalid(place / index, name, detail))
    return merge(*found)


def _accepted(obj: JsonObject) -> Decision:
    return _names(member(member(obj, "status"), "acceptedNames"), _STATUS / "acceptedNames")


def _rest(obj: JsonObject, old: JsonObject | None) -> Decision:
    return merge(_accepted(obj), _stored(obj), _approved(obj, old), _unknown(obj, old))


def _is_established(obj: JsonObject) -> bool:
    conditions = objects(member(obj, "status"), "conditions")
    return any(text(each, "type") == "Established" and text(each, "status") == "True" for each in conditions)


def _change(obj: JsonObject, old: JsonObject) -> Decision:
    versions = texts(member(member(member(old, "spec"), "conversion"), "webhook"), "conversionReviewVersions")
    recognized = not versions or not {"v1", "v1beta1"}.isdisjoint(versions)
    found = [object_meta.any_changed(obj, old), _spec(obj, old=old, recognized=recognized)]
    fixed = [("scope",), ("names", "kind")] if _is_established(old) else []
    for steps in (*fixed, ("group",), ("names", "plural")):
        now, before = member(obj, "spec"), member(old, "spec")
        place, name = SPEC, steps[-1]
        for step in steps[:-1]:
            now, before, place = member(now, step), member(before, step), place / step
        if text(now, name) != text(before, name):
            found.append(invalid(place / name, text(now, name), "field is immutable"))
    return merge(*found, _rest(obj, old))


def _with_storage_version(obj: JsonObject) -> JsonObject:
    """The first version that is one for the storage is among those that have been."""
    status = member(obj, "status")
    stored: list[Json] = [*texts(status, "storedVersions")]
    for version in objects(member(obj, "spec"), "versions"):
        if version.get("storage") is True:
            if text(version, "name") in stored:
                return obj
            return {**obj, "status": {**status, "storedVersions": [*stored, text(version, "name")]}}
    return obj


def _new(obj: JsonObject) -> JsonObject:
    bare: JsonObject = {name: value for name, value in obj.items() if name != "status"}
    return first_generation(_with_storage_version(bare))


DEFINITION = Strategy(
    validate=lambda obj: merge(_meta(obj), _spec(obj), _rest(obj, None)),
    validate_update=_change,
    prepare_for_create=_new,
    prepare_for_update=lambda obj, old: _with_storage_version(keeping_status(obj, old)),
    warnings=selectable.warned,
    allow_unconditional_update=False,
    namespaced=False,
)
DEFINITION_STATUS = Strategy(
    validate_update=lambda obj, old: object_meta.any_changed(obj, old) + _accepted(obj),
    prepare_for_update=keeping_all_but_status,
    allow_unconditional_update=False,
    namespaced=False,
)
