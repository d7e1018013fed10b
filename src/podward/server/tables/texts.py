"""How values are told in the cells of a Table: ages, labels, selectors, lists that are cut.

Specification: k8s.io/apimachinery util/duration HumanDuration; labels.FormatLabels; metav1.FormatLabelSelector.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member

NONE = "<none>"
UNSET = "<unset>"
UNKNOWN = "<unknown>"


def text_of(owner: JsonObject, name: str, unset: str = "") -> str:
    """A text field; `unset` where it is absent or empty."""
    value = owner.get(name)
    return value if isinstance(value, str) and value else unset


def number_of(owner: JsonObject, name: str, unset: int = 0) -> int:
    """A field that is a whole number."""
    value = owner.get(name)
    return value if type(value) is int else unset


def objects_of(owner: JsonObject, name: str) -> list[JsonObject]:
    """The objects of a list."""
    value = owner.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def texts_of(owner: JsonObject, name: str) -> list[str]:
    """The texts of a list."""
    value = owner.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def name_of(raw: JsonObject) -> str:
    """The object's name."""
    return text_of(member(raw, "metadata"), "name")


def age_of(raw: JsonObject, now: float) -> str:
    """How long ago the object was created."""
    return since(member(raw, "metadata").get("creationTimestamp"), now)


def since(time: Json, now: float, unset: str = UNKNOWN) -> str:
    """How long ago a time was."""
    return human_duration(now - seconds(time)) if isinstance(time, str) and time else unset


@lru_cache(1024)
def seconds(time: str) -> float:
    """A time of RFC 3339 as seconds since 1970."""
    return datetime.fromisoformat(time).timestamp()


def human_duration(duration: float) -> str:
    """Seconds in words of two units at most, fewer the longer it is."""
    whole = int(duration)
    if whole < 0:
        return "<invalid>" if whole < -1 else "0s"
    minutes, hours = whole // 60, whole // 3600
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 192:
        return _two(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    if hours < 24 * 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"


def labels(value: Json) -> str:
    """Labels, or a selector that is a map, in the order of their keys."""
    if not isinstance(value, dict) or not value:
        return NONE
    return ",".join(f"{key}={value[key]}" for key in sorted(value))


def selector(value: Json) -> str:
    """A label selector as one writes it for `kubectl get -l`; empty if it selects everything, or nothing."""
    if not isinstance(value, dict):
        return ""
    found = [(key, f"{key}={each}") for key, each in member(value, "matchLabels").items()]
    found += [(text_of(each, "key"), _expression(each)) for each in objects_of(value, "matchExpressions")]
    return ",".join(text for _, text in sorted(found, key=lambda each: each[0]))


def _expression(value: JsonObject) -> str:
    key, values = text_of(value, "key"), ",".join(sorted(texts_of(value, "values")))
    match text_of(value, "operator"):
        case "In":
            return f"{key} in ({values})"
        case "NotIn":
            return f"{key} notin ({values})"
        case "DoesNotExist":
            return f"!{key}"
        case _:
            return key


def selector_or_none(value: Json) -> str:
    """The same, or a word that there is none."""
    return selector(value) or NONE


def cut(values: list[str], most: int, count: int, empty: str) -> str:
    """The first of several, with how many more there are."""
    shown = ",".join(values[:most])
    return f"{shown} + {count - most} more..." if count > most else shown or empty


def template_containers(template: JsonObject) -> list[Json]:
    """The cells that tell the containers of a Pod's template."""
    containers = objects_of(member(template, "spec"), "containers")
    return [",".join(text_of(each, name) for each in containers) for name in ("name", "image")]


def truth(value: Json) -> str:
    """A truth value that may be unset."""
    return UNSET if value is None else "True" if value else "False"


def condition(raw: JsonObject, kind: str) -> JsonObject | None:
    """The condition of this type in the object's status."""
    for each in objects_of(member(raw, "status"), "conditions"):
        if each.get("type") == kind:
            return each
    return None
