"""Reading what the typed view leaves out, from the raw Pod."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.path import Path


def member(raw: JsonObject, name: str) -> JsonObject:
    """The object under `name`; an empty one if there is none."""
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def objects(raw: JsonObject, name: str) -> list[JsonObject]:
    """The objects in the list under `name`; null counts as an empty one, as in Go."""
    found = raw.get(name)
    return [item if isinstance(item, dict) else {} for item in found] if isinstance(found, list) else []


def container_objects(raw: JsonObject, at: Path) -> Iterator[tuple[Path, JsonObject]]:
    """Every container of the raw Pod with its path below `at`: init, regular, ephemeral."""
    spec = member(raw, "spec")
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(objects(spec, name)):
            yield at / name / index, container
