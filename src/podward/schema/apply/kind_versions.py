"""The versions of a built-in kind, as managedFields know them.

Specification: Kubernetes' API groups: an Event is of two of them, a HorizontalPodAutoscaler of two versions; every
other kind has one stable version. A manager's fields are those of the version in which it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.schema.apply.builtin_types import builtin
from podward.schema.apply.custom_types import custom
from podward.schema.apply.empty_objects import empty_object
from podward.schema.apply.managed import Versions
from podward.schema.served_types import KINDS
from podward.schema.versions import in_version


@cache
def builtin_versions(api_version: str, kind: str) -> Versions:
    """The versions of this kind, for writes in one of them."""
    types = {version: builtin(kinds[kind]) for version, kinds in KINDS.items() if kind in kinds}
    return Versions(types, _converted, {"apiVersion": api_version, "kind": kind, **empty_object(api_version, kind)})


def custom_versions(
    schemas: Mapping[str, JsonObject | None], convert: Callable[[JsonObject, str], JsonObject]
) -> Versions:
    """The versions of a custom kind: each `apiVersion` with its structural schema, and how objects are converted."""
    return Versions({version: custom(schema) for version, schema in schemas.items()}, convert)


def _converted(value: JsonObject, version: str) -> JsonObject:
    return in_version(value, GroupVersion.parse(version))
