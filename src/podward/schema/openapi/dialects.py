"""Versions 2 and 3 of OpenAPI, as far as they say the same thing in different ways.

Specification: OpenAPI 2.0 and 3.0 as Kubernetes writes them (k8s.io/kube-openapi builder and builder3): version 3 has
schemas under `components`, a body beside the parameters, and a reference with a description inside `allOf`; its
quantities may be numbers, and a field that is an integer or a text says both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

JSON_TYPES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
"""What bodies and answers may be written in."""
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"


class Dialect(Protocol):
    """How a version of OpenAPI writes things."""

    def reference(self, name: str) -> JsonObject:
        """A reference to the schema of this name."""

    def schema(self, name: str, definition: JsonObject) -> JsonObject:
        """A schema, of which a definition of version 2 is given."""

    def parameter(self, name: str, where: str, kind: str, says: str) -> JsonObject:
        """A parameter of a request."""

    def operation(self, base: JsonObject, body: str, body_types: Sequence[str], answer: str, code: str) -> JsonObject:
        """A request: what it sends and gets are names of schemas, or nothing."""


class Version2:
    """OpenAPI 2.0."""

    def reference(self, name: str) -> JsonObject:
        """A reference to the schema of this name."""
        return {"$ref": f"#/definitions/{name}"}

    def schema(self, name: str, definition: JsonObject) -> JsonObject:
        """The definition itself."""
        del name
        return definition

    def parameter(self, name: str, where: str, kind: str, says: str) -> JsonObject:
        """A parameter of a request."""
        made: JsonObject = {"name": name, "in": where, "type": kind, "uniqueItems": True, "description": says}
        return {**made, "required": True} if where == "path" else made

    def operation(self, base: JsonObject, body: str, body_types: Sequence[str], answer: str, code: str) -> JsonObject:
        """A request with its body among the parameters."""
        listed = base.get("parameters")
        parameters: list[Json] = [*listed] if isinstance(listed, list) else []
        if body:
            parameters.insert(0, {"name": "body", "in": "body", "required": True, "schema": self.reference(body)})
        schema: JsonObject = {"schema": self.reference(answer)} if answer else {"schema": {"type": "string"}}
        responses: JsonObject = {code: {"description": "OK", **schema}, "401": {"description": "Unauthorized"}}
        return {
            **base,
            "consumes": [*(body_types or ("*/*",))],
            "produces": [*JSON_TYPES],
            "schemes": ["https"],
            "parameters": parameters,
            "responses": responses,
        }


class Version3:
    """OpenAPI 3.0."""

    def reference(self, name: str) -> JsonObject:
        """A reference to the schema of this name."""
        return {"$ref": f"#/components/schemas/{name}"}

    def schema(self, name: str, definition: JsonObject) -> JsonObject:
        """The definition with references as they are written here."""
        if name == _QUANTITY:
            return {**_without(definition, "type"), "oneOf": [{"type": "string"}, {"type": "number"}]}
        if name == _INT_OR_STRING:
            return {**_without(definition, "type"), "oneOf": [{"type": "integer"}, {"type": "string"}]}
        made = self._rewritten(definition)
        return made if isinstance(made, dict) else {}

    def _rewritten(self, value: Json) -> Json:
        if isinstance(value, list):
            return [self._rewritten(item) for item in value]
        if not isinstance(value, dict):
            return value
        target = value.get("$ref")
        if not isinstance(target, str):
            return {name: self._rewritten(item) for name, item in value.items()}
        pointed = self.reference(target.rpartition("/")[2])
        rest = _without(value, "$ref")
        return {**rest, "allOf": [pointed]} if rest else pointed

    def parameter(self, name: str, where: str, kind: str, says: str) -> JsonObject:
        """A parameter of a request."""
        schema: JsonObject = {"type": kind, "uniqueItems": True}
        made: JsonObject = {"name": name, "in": where, "description": says, "schema": schema}
        return {**made, "required": True} if where == "path" else made

    def operation(self, base: JsonObject, body: str, body_types: Sequence[str], answer: str, code: str) -> JsonObject:
        """A request with its body by itself."""
        made: JsonObject = {**base}
        if body:
            held: JsonObject = {"schema": self.reference(body)}
            made["requestBody"] = {"required": True, "content": dict.fromkeys(body_types or ("*/*",), held)}
        schema: JsonObject = {"schema": self.reference(answer)} if answer else {"schema": {"type": "string"}}
        content: JsonObject = dict.fromkeys(JSON_TYPES, schema) if answer else {"*/*": schema}
        made["responses"] = {code: {"description": "OK", "content": content}, "401": {"description": "Unauthorized"}}
        return made


def _without(value: JsonObject, name: str) -> JsonObject:
    return {key: item for key, item in value.items() if key != name}
