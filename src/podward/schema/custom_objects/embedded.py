"""Objects of the API inside of custom objects: their metadata has a type, and they say what they are.

Specification: apiextensions-apiserver pkg/apiserver/schema/objectmeta: what metadata does not know is dropped, what
does not fit is refused before anything is asked; version and kind are needed, metadata is valid where it stands. What
every object has at its root is seen to elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, Violation, merge
from podward.documents.raw_fields import member
from podward.path import Key, Path
from podward.schema.body_reading import NoMetadataError
from podward.schema.canonical import MisfitError, canonical
from podward.schema.custom_objects.matching import shown
from podward.schema.godecode.decoding import GoDecodeError, decode
from podward.schema.godecode.tree import read
from podward.schema.strategies import object_meta
from podward.schema.strategies.names import SEGMENT, host_faults
from podward.schema.validation.field import NOTHING, invalid, refused, required
from podward.schema.validation.internal import go_json

_EMBEDDED = "x-kubernetes-embedded-resource"
_UNKNOWN = 'unknown field "'
_METADATA = {True: object_meta.any_new(SEGMENT, namespaced=True), False: object_meta.any_new(SEGMENT, namespaced=False)}
_NO_NAME = "fakename"


def has_embedded(schema: JsonObject) -> bool:
    """Whether there are objects of the API inside of the values of a schema."""
    inner = [*member(schema, "properties").values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and (each.get(_EMBEDDED) is True or has_embedded(each)) for each in inner)


def coerced(obj: JsonObject, schema: JsonObject) -> tuple[JsonObject, list[str]]:
    """The object with sound metadata inside, and the places of what was dropped. Raises NoMetadataError."""
    gone: list[str] = []

    def visit(value: JsonObject, of: JsonObject, at: Path) -> JsonObject:
        return _coerced(value, at, gone) if of.get(_EMBEDDED) is True and at.segments else value

    made = _walked(obj, schema, Path(), visit)
    return (made, gone) if isinstance(made, dict) else (obj, gone)


def faults_in(obj: JsonObject, schema: JsonObject) -> Decision:
    """What is wrong with the objects of the API inside of an object."""
    found: list[Decision] = []

    def visit(value: JsonObject, of: JsonObject, at: Path) -> JsonObject:
        if of.get(_EMBEDDED) is True and at.segments:
            found.extend(_faults(value, at))
        return value

    _walked(obj, schema, Path(), visit)
    return merge(*found) if found else NOTHING


def _walked(value: Json, schema: Json, at: Path, visit: Callable[[JsonObject, JsonObject, Path], JsonObject]) -> Json:
    """The value with what `visit` makes of each object in it."""
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        items = schema.get("items")
        return [_walked(item, items, at / index, visit) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, others = member(schema, "properties"), schema.get("additionalProperties")
    made = {
        name: _walked(field, properties.get(name, others), at / (name if name in properties else Key(name)), visit)
        for name, field in value.items()
    }
    return visit(made, schema, at)


def _coerced(value: JsonObject, at: Path, gone: list[str]) -> JsonObject:
    for name in ("apiVersion", "kind"):
        if name in value and not isinstance(value[name], str):
            raise NoMetadataError(f"{at / name}: Invalid value: {shown(value[name])}: must be a string")
    if "metadata" not in value:
        return value
    metadata = value["metadata"]
    try:
        found = decode(read(msgspec.json.encode(metadata)), "ObjectMeta")
        made = canonical(found.value, "ObjectMeta")
    except (GoDecodeError, MisfitError) as error:
        place = at / "metadata"
        raise NoMetadataError(f"{place}: Invalid value: {go_json(metadata)}: {_of_go(str(error))}") from None
    unknown = [said.removeprefix(_UNKNOWN)[:-1] for said in found.strict_errors if said.startswith(_UNKNOWN)]
    gone.extend(f"{at / 'metadata'}.{name}" for name in unknown)
    return {**value, "metadata": made}


def _of_go(error: str) -> str:
    return error if error.startswith("json: ") else f"json: {error}"


def _faults(value: JsonObject, at: Path) -> Iterator[Decision]:
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None:
        yield required(at / "apiVersion")
    elif isinstance(version, str):
        if not version:
            yield invalid(at / "apiVersion", version, "must not be empty")
        elif version.count("/") > 1:
            yield invalid(at / "apiVersion", version, f"unexpected GroupVersion string: {version}")
    if kind is None:
        yield required(at / "kind")
    elif isinstance(kind, str):
        if not kind:
            yield invalid(at / "kind", kind, "must not be empty")
        elif faults := host_faults(kind.lower()):
            detail = f"may have mixed case, but should otherwise match: {','.join(faults)}"
            yield invalid(at / "kind", kind, detail)
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        named = {**metadata, "name": metadata.get("name") or _NO_NAME}
        decided = _METADATA[bool(metadata.get("namespace"))]({"metadata": named})
        yield merge(*[_placed(each, at) for each in decided.violations])


def _placed(violation: Violation, at: Path) -> Decision:
    return refused(at + violation.path, violation.value, (violation.reason,))
