"""What a Table of one kind of object has: its columns, and the cells of one object.

Specification: k8s.io/apimachinery meta/v1 Table, and Kubernetes' pkg/printers/internalversion. Columns of
priority 1 are those of `kubectl get -o wide`; a server sends them always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api.json_value import Json, JsonObject

Cells: TypeAlias = "Callable[[JsonObject, float], list[Json]]"
"""The cells of an object at a time, in seconds since 1970: ages are told relative to it."""


class Column(Struct, frozen=True):
    """A column. `type` and `format` are OpenAPI's; `json_path` is where a custom resource has its value."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""
    json_path: str = ""

    def definition(self) -> JsonObject:
        """The column as a Table defines it."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


class Printer(Struct, frozen=True):
    """How objects of a kind are told in a Table."""

    columns: tuple[Column, ...]
    cells: Cells


NAME = Column("Name", format="name", description="Name must be unique within a namespace.")
AGE = Column("Age", description="The time since the object was created.")


def integer(name: str) -> Column:
    """A column of numbers."""
    return Column(name, type="integer")


def boolean(name: str) -> Column:
    """A column of yes and no."""
    return Column(name, type="boolean")


def wide(name: str) -> Column:
    """A column that `-o wide` shows."""
    return Column(name, priority=1)


CONTAINERS = (wide("Containers"), wide("Images"))
"""The columns of whatever has a Pod's template."""
