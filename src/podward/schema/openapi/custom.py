"""The definitions of custom resources: what a CustomResourceDefinition says of its objects, and the list of them.

Specification: k8s.io/apiextensions-apiserver pkg/controller/openapi/builder and v2: an object has `apiVersion`, `kind`
and `metadata` beside what its schema says, as an embedded resource has, of which the first two are required. Without a
schema it is any object. Version 2 of OpenAPI has no `oneOf`, `anyOf`, `allOf`, `not` and `nullable`: of a value that
may be null it says nothing, and does not require it; where unknown fields are preserved it says nothing of those that
are known, and at the root nothing at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.schema.openapi.names import META, custom_name

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.api.resource import Resource

_API_VERSION: JsonObject = {
    "type": "string",
    "description": "APIVersion defines the versioned schema of this representation of an object. Servers should convert"
    " recognized schemas to the latest internal value, and may reject unrecognized values. More info:"
    " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
}
_KIND: JsonObject = {
    "type": "string",
    "description": "Kind is a string value representing the REST resource this object represents. Servers may infer"
    " this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info:"
    " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
}
_METADATA: JsonObject = {
    "$ref": f"#/definitions/{META}.ObjectMeta",
    "description": "Standard object's metadata. More info:"
    " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
}
_LIST_METADATA: JsonObject = {"$ref": f"#/definitions/{META}.ListMeta"}
_ONLY_VERSION_3 = frozenset(("oneOf", "anyOf", "allOf", "not", "nullable"))
_PRESERVES, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"


class CustomResource(Struct, frozen=True):
    """A served version of a custom resource; `schema` is its `openAPIV3Schema`, if it has one.

    `strategic`: whether it takes strategic merge patches, as no custom resource does, but others that are told of so.
    """

    resource: Resource
    schema: JsonObject | None = None
    strategic: bool = False


def definitions(custom: CustomResource, version: int) -> dict[str, JsonObject]:
    """The definitions of the objects and of their list, for this version of OpenAPI."""
    resource = custom.resource
    name = custom_name(resource.group, resource.version, resource.kind)
    listed = custom_name(resource.group, resource.version, resource.list_kind)
    schema = _object(custom.schema, version)
    items: JsonObject = {
        "description": f"List of {resource.plural}. More info:"
        " https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md",
        "type": "array",
        "items": {"$ref": f"#/definitions/{name}"},
    }
    return {
        name: {**schema, "x-kubernetes-group-version-kind": [_own(resource, resource.kind)]},
        listed: {
            "description": f"{resource.list_kind} is a list of {resource.kind}",
            "type": "object",
            "required": ["items"],
            "properties": {
                "apiVersion": _API_VERSION,
                "items": items,
                "kind": _KIND,
                "metadata": _LIST_METADATA,
            },
            "x-kubernetes-group-version-kind": [_own(resource, resource.list_kind)],
        },
    }


def _own(resource: Resource, kind: str) -> JsonObject:
    return {"group": resource.group, "kind": kind, "version": resource.version}


def _object(schema: JsonObject | None, version: int) -> JsonObject:
    if schema is None or (version == 2 and schema.get(_PRESERVES) is True):
        return {"type": "object"}
    made = _rewritten(schema, version)
    whole: JsonObject = made if isinstance(made, dict) else {}
    properties = whole.get("properties")
    fields: JsonObject = properties if isinstance(properties, dict) else {}
    return {**whole, "properties": {**fields, "apiVersion": _API_VERSION, "kind": _KIND, "metadata": _METADATA}}


def _rewritten(schema: Json, version: int) -> Json:
    """A schema, and all in it, as this version of OpenAPI has it."""
    if isinstance(schema, list):
        return [_rewritten(item, version) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made: JsonObject = {}
    for name, value in schema.items():
        if version == 2 and name in _ONLY_VERSION_3:
            continue
        if name == "properties" and isinstance(value, dict):
            made[name] = {field: _rewritten(item, version) for field, item in value.items()}
        elif name in {"items", "additionalProperties", "allOf", "anyOf", "oneOf", "not"}:
            made[name] = _rewritten(value, version)
        else:
            made[name] = value
    if version == 2:
        made = _for_version_2(made, schema)
        if schema.get(_PRESERVES) is True:
            return made
    return _embedded(made) if schema.get(_EMBEDDED) is True else made


def _embedded(made: JsonObject) -> JsonObject:
    """A schema with the fields that every object has."""
    inside, needed = made.get("properties"), made.get("required")
    fields: JsonObject = inside if isinstance(inside, dict) else {}
    required: list[Json] = [*needed] if isinstance(needed, list) else []
    required += [name for name in ("kind", "apiVersion") if name not in required]
    properties: JsonObject = {**fields, "apiVersion": _API_VERSION, "kind": _KIND, "metadata": _METADATA}
    return {**made, "properties": properties, "required": required}


def _for_version_2(made: JsonObject, schema: JsonObject) -> JsonObject:
    """What a version without null and alternatives can say of a value."""
    dropped: set[str] = set()
    if schema.get("nullable") is True:
        dropped = {"type", "items", "properties"}
    elif schema.get(_PRESERVES) is True:
        dropped = {"items", "properties"}
    kept = {name: value for name, value in made.items() if name not in dropped}
    properties, needed = schema.get("properties"), kept.get("required")
    if isinstance(properties, dict) and isinstance(needed, list):
        nullable = {name for name, field in properties.items() if isinstance(field, dict) and field.get("nullable")}
        kept["required"] = [name for name in needed if name not in nullable]
    return kept
