"""One served version of a custom resource, as handlers ask for it: what is made of its definition once.

Specification: apiextensions-apiserver pkg/apiserver customresource_handler.go: objects are kept in the storage version,
pruned by its schema; whatever is read has the defaults of that version, and is then pruned by the served one's schema.
Between versions nothing is converted but the version itself, or a webhook converts: `as_kept` and `fitted` are what is
done before and after that.
"""

from __future__ import annotations

from functools import cached_property

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion, Resource
from podward.documents.raw_fields import member, objects
from podward.schema.apply.kind_versions import custom_versions
from podward.schema.apply.managed import Versions
from podward.schema.custom_objects.conversion import Conversion
from podward.schema.custom_objects.defaulting import object_with_defaults
from podward.schema.custom_objects.embedded import coerced, has_embedded
from podward.schema.custom_objects.pruning import pruned_object
from podward.schema.scaling import ScalePaths, custom_paths

_AGE: JsonObject = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
_RULES = "x-kubernetes-validations"


class CustomKind:
    """A version of a custom resource."""

    def __init__(self, definition: JsonObject, resource: Resource) -> None:
        self.definition = definition
        self.resource = resource
        versions = {str(each.get("name")): each for each in objects(member(definition, "spec"), "versions")}
        self.version = versions.get(resource.version, {})
        self.schemas = {name: _schema(each) for name, each in versions.items()}
        self.schema = self.schemas.get(resource.version)
        self.storage_schema = self.schemas.get(resource.stored.version)
        self.has_status = resource.subresource("status") is not None
        self.has_rules = self.schema is not None and has_rules(self.schema)

    @cached_property
    def has_embedded(self) -> bool:
        """Whether there are objects of the API inside of the objects, in any version."""
        return any(schema is not None and has_embedded(schema) for schema in self.schemas.values())

    @cached_property
    def versions(self) -> Versions:
        """The versions of the kind, as managedFields know them."""
        return custom_versions(self.definition)

    @cached_property
    def conversion(self) -> Conversion | None:
        """The webhook that converts objects; None where nothing is converted but the version."""
        return Conversion.read(self.definition)

    @cached_property
    def scale_paths(self) -> ScalePaths | None:
        """Where the objects of this version have their replicas; None without a Scale."""
        return custom_paths(self.definition).get(self.resource.api_version)

    @cached_property
    def columns(self) -> list[JsonObject]:
        """The columns of a Table, beside the name."""
        return objects(self.version, "additionalPrinterColumns") or [_AGE]

    @cached_property
    def selectable(self) -> frozenset[str]:
        """The fields by which objects can be selected, beside name and namespace."""
        fields = objects(self.version, "selectableFields")
        return frozenset(str(each.get("jsonPath")).removeprefix(".") for each in fields)

    def pruned(self, obj: JsonObject, version: str) -> tuple[JsonObject, list[str]]:
        """The object without what the schema of this version does not know, and the places of that.

        Raises NoMetadataError.
        """
        if version not in self.schemas:
            return pruned_object(obj, {})
        schema = self.schemas[version]
        made, gone = pruned_object(obj, schema)
        if schema is None or not self.has_embedded:
            return made, gone
        made, dropped = coerced(made, schema)
        return made, [*gone, *dropped]

    def defaulted(self, obj: JsonObject) -> JsonObject:
        """An object of this version with its defaults."""
        return object_with_defaults(obj, self.schema)

    def stored(self, obj: JsonObject) -> JsonObject:
        """An object of this version as it is stored."""
        made, _ = pruned_object(obj, self.storage_schema)
        return {**made, "apiVersion": str(self.resource.stored)}

    def served(self, obj: JsonObject) -> JsonObject:
        """A stored object as one of this version."""
        made = object_with_defaults(obj, self.storage_schema)
        if self.resource.version != self.resource.stored.version:
            made, _ = pruned_object(made, self.schema)
        return {**made, "apiVersion": self.resource.api_version}

    def as_kept(self, obj: JsonObject) -> JsonObject:
        """A stored object in the version in which it is stored, with its defaults."""
        return object_with_defaults(obj, self.schemas.get(GroupVersion.parse(str(obj.get("apiVersion"))).version))

    def fitted(self, obj: JsonObject) -> JsonObject:
        """A converted object without what the schema of its version does not know."""
        version = GroupVersion.parse(str(obj.get("apiVersion"))).version
        made, _ = pruned_object(obj, self.schemas.get(version))
        return made


def _schema(version: JsonObject) -> JsonObject | None:
    found = member(version, "schema").get("openAPIV3Schema")
    return found if isinstance(found, dict) else None


def has_rules(schema: JsonObject) -> bool:
    """Whether anything in the schema is bound to rules in CEL."""
    if schema.get(_RULES):
        return True
    inner = [*member(schema, "properties").values(), schema.get("items"), schema.get("additionalProperties")]
    return any(isinstance(each, dict) and has_rules(each) for each in inner)
