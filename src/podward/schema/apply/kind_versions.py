"""The versions of a built-in kind, as managedFields know them.

Specification: Kubernetes' API groups: an Event is of two of them, a HorizontalPodAutoscaler of two versions; every
other kind has one stable version. A manager's fields are those of the version in which it wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.documents.raw_fields import member, objects
from podward.schema.apply.builtin_types import builtin
from podward.schema.apply.custom_types import custom
from podward.schema.apply.empty_objects import empty_object
from podward.schema.apply.managed import Versions
from podward.schema.apply.types import Type
from podward.schema.served_types import KINDS
from podward.schema.versions import in_version


@cache
def builtin_versions(api_version: str, kind: str) -> Versions:
    """The versions of this kind, for writes in one of them."""
    types = {version: builtin(kinds[kind]) for version, kinds in KINDS.items() if kind in kinds}
    return Versions(types, _converted, {"apiVersion": api_version, "kind": kind, **empty_object(api_version, kind)})


def with_version(value: JsonObject, version: str) -> JsonObject:
    """The custom object as one of another version, where nothing but that is converted."""
    return {**value, "apiVersion": version}


def custom_versions(
    definition: JsonObject, convert: Callable[[JsonObject, str], JsonObject] = with_version
) -> Versions:
    """The versions of the kind that a CustomResourceDefinition defines, and how objects are converted."""
    spec = member(definition, "spec")
    types: dict[str, Type] = {}
    for version in objects(spec, "versions"):
        schema = member(version, "schema").get("openAPIV3Schema")
        types[f"{spec.get('group')}/{version.get('name')}"] = custom(schema if isinstance(schema, dict) else None)
    return Versions(types, convert)


def _converted(value: JsonObject, version: str) -> JsonObject:
    return in_version(value, GroupVersion.parse(version))
