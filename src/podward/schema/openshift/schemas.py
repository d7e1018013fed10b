"""The schemas of types in `schema.table`, as custom resource definitions and OpenAPI have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.schema.table import ALWAYS_WRITTEN, TYPES

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_CORE = "#/definitions/io.k8s.api.core.v1."
_META = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1."
_KUBERNETES = {
    **dict.fromkeys(
        ("EnvVar", "NamespaceCondition", "ObjectReference", "PodTemplateSpec", "ResourceRequirements"), _CORE
    ),
    **dict.fromkeys(("ObjectMeta", "ListMeta"), _META),
}
"""Types of Kubernetes itself, and where OpenAPI defines them."""
_SCALARS: dict[str, JsonObject] = {
    "s": {"type": "string"},
    "b": {"type": "boolean"},
    "i": {"type": "integer", "format": "int32"},
    "l": {"type": "integer", "format": "int64"},
    "t": {"type": "string", "format": "date-time"},
    "y": {"type": "string", "format": "byte"},
    "o": {"x-kubernetes-int-or-string": True},
    "r": {"type": "object"},
}


def schema_of(of: str, *, without: frozenset[str] = frozenset()) -> JsonObject:
    """The schema of a type, but for fields of these names; types of Kubernetes' own are referred to."""
    properties: JsonObject = {name: _schema(code) for name, code in TYPES[of].items() if name not in without}
    found: JsonObject = {"type": "object", "properties": properties}
    needed: list[Json] = [name for name in ALWAYS_WRITTEN.get(of, "").split() if name not in without]
    return {**found, "required": needed} if needed else found


def _schema(code: str) -> JsonObject:
    if code.startswith("["):
        return {"type": "array", "items": _schema(code[1:])}
    if code.startswith("{"):
        return {"type": "object", "additionalProperties": _schema(code[1:])}
    if code in _KUBERNETES:
        return {"$ref": f"{_KUBERNETES[code]}{code}"}
    found = _SCALARS.get(code)
    return dict(found) if found is not None else schema_of(code)
