"""Names in the API of devices: of drivers, pools, attributes; and sets that hold nothing twice.

Specification: Kubernetes, pkg/apis/resource/validation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.schema.strategies.volume_sources import driver_name
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    each,
    invalid,
    invalid_value,
    required,
    too_long,
    too_many,
    unsupported,
)
from podward.schema.validation.labels import key_faults, value_faults
from podward.schema.validation.names import label_faults, subdomain_faults
from podward.schema.validation.raw import text

T = TypeVar("T")
EFFECTS = ("NoExecute", "NoSchedule", "None")
_OPERATORS = ("Equal", "Exists")
_LONGEST_NAME, _LONGEST_POOL = 32, 253
_IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_NO_IDENTIFIER = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters"
    " or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')"
)


def members(
    items: Sequence[T], most: int, at: Place, check: Callable[[T, Place], Decision], key: Callable[[T], str]
) -> Decision:
    """What is wrong with items of which there are no two with the same key; of too many, no more is said."""
    if len(items) > most:
        return too_many(at, len(items), most)
    found = [check(item, at / index) for index, item in enumerate(items)]
    seen: set[str] = set()
    for index, item in enumerate(items):
        if key(item) in seen:
            found.append(duplicate(at / index, key(item)))
        seen.add(key(item))
    return merge(*found)


def items(values: Sequence[T], most: int, at: Place, check: Callable[[T, Place], Decision]) -> Decision:
    """What is wrong with items that may be the same."""
    if len(values) > most:
        return too_many(at, len(values), most)
    return merge(*[check(value, at / index) for index, value in enumerate(values)])


def label(name: str, at: Place) -> Decision:
    """What is wrong with the name of a request or a device."""
    return each(at, name, label_faults(name))


def label_key(name: str, at: Place) -> Decision:
    """What is wrong with the name of a condition or the key of a taint."""
    return each(at, name, key_faults(name))


def class_name(name: str, at: Place) -> Decision:
    """What is wrong with the name of a class."""
    return each(at, name, subdomain_faults(name)) if name else required(at)


def pool_name(name: str, at: Place) -> Decision:
    """What is wrong with the name of a pool: subdomains with slashes between them."""
    if not name:
        return required(at)
    found = [too_long(at, "", _LONGEST_POOL)] if len(name.encode()) > _LONGEST_POOL else []
    return merge(*found, *[each(at, part, subdomain_faults(part)) for part in name.split("/")])


def qualified(name: str, at: Place) -> Decision:
    """What is wrong with the name of an attribute: an identifier, after a domain or alone."""
    parts = name.split("/")
    if len(parts) == 1:
        return _identifier(parts[0], at)
    if len(parts) > 2:
        return NOTHING
    domain = driver_name(parts[0], at) if parts[0] else invalid(at, "", "the domain must not be empty")
    return domain + (_identifier(parts[1], at) if parts[1] else invalid(at, "", "the name must not be empty"))


def fully_qualified(name: str, at: Place) -> Decision:
    """What is wrong with the name of an attribute with its domain."""
    if "/" in name:
        return qualified(name, at)
    detail = "a fully qualified name must be a domain and a name separated by a slash"
    return qualified(name, at) + invalid(at, name, detail)


def _identifier(name: str, at: Place) -> Decision:
    found = [too_long(at, "", _LONGEST_NAME)] if len(name.encode()) > _LONGEST_NAME else []
    if not _IDENTIFIER.fullmatch(name):
        found.append(invalid(at, name, _NO_IDENTIFIER))
    return merge(*found)


def taint(of: JsonObject, at: Place) -> Decision:
    """What is wrong with a taint of a device."""
    key, value, effect = text(of, "key"), text(of, "value"), text(of, "effect")
    found = [label_key(key, at / "key"), each(at / "value", value, value_faults(value))]
    if effect not in EFFECTS:
        found.append(unsupported(at / "effect", effect, EFFECTS) if effect else required(at / "effect"))
    return merge(*found)


def toleration(of: JsonObject, at: Place) -> Decision:
    """What is wrong with a toleration of taints of devices."""
    key, value, operator, effect = (text(of, name) for name in ("key", "value", "operator", "effect"))
    found = [label_key(key, at / "key")] if key else []
    if operator == "Exists" and value:
        found.append(invalid(at / "value", value, "must be empty for operator `Exists`"))
    elif operator == "Equal":
        found.append(each(at / "value", value, value_faults(value)))
    elif operator not in _OPERATORS:
        found.append(unsupported(at / "operator", operator, _OPERATORS) if operator else required(at / "operator"))
    if effect and effect not in EFFECTS:
        found.append(unsupported(at / "effect", effect, EFFECTS))
    return merge(*found)


def binding_conditions(of: JsonObject, at: Place) -> Decision:
    """What is wrong with the conditions that a device's binding waits for, and those that end it."""
    awaited, ending = (_texts(of.get(name)) for name in ("bindingConditions", "bindingFailureConditions"))
    ok, failed = at / "bindingConditions", at / "bindingFailureConditions"
    found = [items(awaited, 4, ok, label_key), items(ending, 4, failed, label_key)]
    found += [duplicate(ok / index, name) for index, name in enumerate(awaited) if name in awaited[:index]]
    for index, name in enumerate(ending):
        if name in ending[:index]:
            found.append(duplicate(failed / index, name))
        if name in awaited:
            found.append(invalid(failed / index, name, _OVERLAP))
    if ending and not awaited:
        found.append(invalid_value(ok, of.get("bindingConditions"), _NOTHING_AWAITED))
    if awaited and not ending:
        found.append(invalid_value(failed, of.get("bindingFailureConditions"), _NOTHING_ENDS))
    return merge(*found)


_OVERLAP = "bindingFailureConditions must not overlap with bindingConditions"
_NOTHING_AWAITED = "bindingConditions are required to use bindingFailureConditions"
_NOTHING_ENDS = "bindingFailureConditions are required to use bindingConditions"


def _texts(value: Json) -> list[str]:
    return [item if isinstance(item, str) else "" for item in value] if isinstance(value, list) else []
