"""Objects as JSON of the types that an API server has inside, which it prints and compares line by line.

Specification: encoding/json over the internal types, which have no names for JSON: fields stand in the order of their
declaration under their Go names, also those that are not set. Metadata and label selectors are the public types. Two
objects are compared as Python's difflib does it, of which the server's library is a copy.
"""

from __future__ import annotations

import json
from difflib import unified_diff
from functools import cache

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.schema.strategies.internal_types import TYPES
from podward.schema.strategies.selectors import shown

_META = (
    "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
)  # fmt: skip
_ZEROS: JsonObject = {"s": "", "b": False, "i": 0, "q": "0"}
_OF_THE_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_SPEC, _CONTEXT = "core.PodSpec", "securityContext"


def internal(of: str, value: Json) -> Json:
    """The value, which is of this type of `internal_types`, or of one of its codes."""
    return _converted(of, value)


def difference(of: str, old: JsonObject, new: JsonObject) -> str:
    """What has changed, line by line."""
    before, after = (_lines(internal(of, value)) for value in (old, new))
    return "".join(list(unified_diff(before, after, n=3))[2:])


def _lines(value: Json) -> list[str]:
    text = json.dumps(value, indent=1, ensure_ascii=False, separators=(",", ": "))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return [f"{line}\n" for line in text.split("\n")]


@cache
def _fields(of: str) -> tuple[tuple[str, str, str], ...]:
    rows = [field.split(":") for field in TYPES[of].split(" ")]
    return tuple((go, name, code) for go, name, code in rows)


def _converted(code: str, value: Json) -> Json:
    first = code[0]
    if code in _ZEROS:
        return _ZEROS[code] if value is None else value
    if first == "*":
        return None if value is None else _converted(code[1:], value)
    if first in "[{":
        return _items(first, code[1:], value)
    if code == "L":
        return shown(value)
    if len(code) == 1:
        return value
    return _struct(code, value if isinstance(value, dict) else {})


def _items(kind: str, code: str, value: Json) -> Json:
    """A list, or a map in the order of its keys; null where there is none."""
    if isinstance(value, list) and kind == "[":
        return [_converted(code, item) for item in value]
    if isinstance(value, dict) and kind == "{":
        return {key: _converted(code, item) for key, item in sorted(value.items())}
    return None


def _struct(of: str, value: JsonObject) -> JsonObject:
    made: JsonObject = {}
    if of == _SPEC:
        value = _with_the_host(value)
    for go, name, code in _fields(of):
        if go != "+":
            made[go] = _converted(code, value.get(name))
        elif code == "M":
            made.update(_metadata(member(value, "metadata")))
        elif code != "T":
            made.update(_struct(code, value))
    return made


def _with_the_host(spec: JsonObject) -> JsonObject:
    """What a Pod shares with its node stands in its security context."""
    shared: JsonObject = {name: spec[name] for name in _OF_THE_HOST if spec.get(name) is not None}
    return {**spec, _CONTEXT: {**member(spec, _CONTEXT), **shared}} if shared else spec


def _metadata(of: JsonObject) -> JsonObject:
    made: JsonObject = {}
    for name in _META:
        value = of.get(name)
        if value not in (None, "", 0, [], {}):
            made[name] = dict(sorted(value.items())) if isinstance(value, dict) else value
    return made
