"""The object in which nothing is set, as Go writes it: what a new object is compared to for its managedFields."""

from __future__ import annotations

from functools import cache

from podward.api.json_value import JsonObject
from podward.schema.canonical import canonical
from podward.schema.kinds import type_of


@cache
def empty_object(api_version: str, kind: str) -> JsonObject:
    """The object of this built-in kind with nothing but the fields that are always written."""
    name = type_of(api_version, kind)
    return {} if name is None else canonical({}, name)
