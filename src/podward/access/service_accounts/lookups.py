"""Objects that a rule asks for while it decides: it yields a Lookup, and is sent the object, or None."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

from msgspec import Struct

from podward.access.service_accounts.claims import ObjectReference
from podward.api.json_value import JsonObject

T = TypeVar("T")


class Lookup(Struct, frozen=True):
    """An object of the core group, by the resource's name; nodes are in no namespace."""

    resource: str
    namespace: str
    name: str


Looking: TypeAlias = Generator[Lookup, JsonObject | None, T]
"""A rule that looks objects up, and ends with a T."""


def metadata(raw: JsonObject, field: str) -> str:
    """A string of the object's metadata, or an empty one."""
    found = raw.get("metadata")
    value = found.get(field) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def reference(raw: JsonObject) -> ObjectReference:
    """The object's name and uid."""
    return ObjectReference(metadata(raw, "name"), metadata(raw, "uid"))
