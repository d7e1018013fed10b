"""Reading fields of a raw object that the typed views leave out."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.path import Path


def member(raw: JsonObject, name: str) -> JsonObject:
    """The object in the field `name`; an empty object if the field has none."""
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def objects(raw: JsonObject, name: str) -> list[JsonObject]:
    """The objects of the list in the field `name`; as in Go, a null item counts as an empty object.

    The list may be the one of `raw` itself.
    """
    found = raw.get(name)
    if not isinstance(found, list):
        return []
    for item in found:
        if type(item) is not dict:
            return [item if isinstance(item, dict) else {} for item in found]
    return found  # type: ignore[return-value]  # which mypy can't see


def container_objects(raw: JsonObject, at: Path) -> Iterator[tuple[Path, JsonObject]]:
    """Every container of the raw Pod with its path, which begins with `at`: init, regular, then ephemeral ones."""
    spec = member(raw, "spec")
    for name in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(objects(spec, name)):
            yield at / name / index, container
