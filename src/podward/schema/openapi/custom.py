"""The definitions of custom resources: what a CustomResourceDefinition says of its objects, and the list of them.

Specification: k8s.io/apiextensions-apiserver pkg/controller/openapi/builder: an object has `apiVersion`, `kind` and
`metadata` beside what its schema says; without a schema, or where the schema's root preserves unknown fields, it is any
object. Embedded resources have these three fields too. Version 2 of OpenAPI has no `oneOf`, `anyOf`, `not`, `nullable`
and no defaults: what a schema says of a value that may be null, or of an integer or a text, is left out there.
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
_ONLY_VERSION_3 = frozenset(("oneOf", "anyOf", "allOf", "not", "nullable", "default"))
_PRESERVES, _EMBEDDED, _INT_OR_STRING = (
    f"x-kubernetes-{name}" for name in ("preserve-unknown-fields", "embedded-resource", "int-or-string")
)


class CustomResource(Struct, frozen=True):
    """A served version of a custom resource; `schema` is its `openAPIV3Schema`, if it has one."""

    resource: Resource
    schema: JsonObject | None = None


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
        return {"type": "object", **({} if schema is None else {_PRESERVES: True})}
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
    if schema.get(_EMBEDDED) is True:
        inside = made.get("properties")
        fields: JsonObject = inside if isinstance(inside, dict) else {}
        made["properties"] = {**fields, "apiVersion": _API_VERSION, "kind": _KIND, "metadata": _METADATA}
    if version == 2:
        return _for_version_2(made, schema)
    return made


def _for_version_2(made: JsonObject, schema: JsonObject) -> JsonObject:
    """What a version without null and alternatives can say of a value."""
    loose = schema.get("nullable") is True or schema.get(_INT_OR_STRING) is True or schema.get(_PRESERVES) is True
    dropped = {"type", "items", "properties"} if loose else set[str]()
    if schema.get(_PRESERVES) is True and schema.get("type") == "object":
        dropped = {"items", "properties"}
    return {name: value for name, value in made.items() if name not in dropped}
