"""Reading a raw object's fields as Go's zero values would have them: absent, null and zero are the same."""

from __future__ import annotations

from podward.api.json_value import JsonObject


def text(raw: JsonObject, name: str) -> str:
    """A string; empty if it isn't there."""
    found = raw.get(name)
    return found if isinstance(found, str) else ""


def texts(raw: JsonObject, name: str) -> list[str]:
    """A list of strings; null in it is an empty one."""
    found = raw.get(name)
    return [item if isinstance(item, str) else "" for item in found] if isinstance(found, list) else []


def number(raw: JsonObject, name: str) -> int:
    """An integer; 0 if it isn't there."""
    found = raw.get(name)
    return found if type(found) is int else 0


def strings(raw: JsonObject, name: str) -> dict[str, str]:
    """A map of strings, by its sorted keys: the server visits maps in no order at all."""
    found = raw.get(name)
    if not isinstance(found, dict):
        return {}
    return {key: item if isinstance(item, str) else "" for key, item in sorted(found.items())}


def pointer(raw: JsonObject, name: str) -> str | None:
    """A string that may be nil."""
    found = raw.get(name)
    return found if isinstance(found, str) else None
