"""A JSON patch applied to an object.

Specification: RFC 6902, as the API server limits it (endpoints/handlers/patch.go): at most 10,000 operations, and what
cannot be applied is refused without saying why; what is copied is limited in all. As in gopkg.in/evanphx/json-patch.v4,
the document itself is no target.
"""

from __future__ import annotations

import jsonpatch
import jsonpointer
import msgspec

from podward.api.json_equality import same
from podward.api.json_value import Json, JsonObject, copied_object
from podward.schema.malformed import BAD_REQUEST, Malformed

MOST_OPERATIONS = 10_000

MOST_COPIED = 3 * 1024 * 1024
"""How many bytes of JSON all `copy` of one patch may copy: each could double the object."""

_FAILURES = (
    jsonpatch.JsonPatchException,
    jsonpointer.JsonPointerException,
    TypeError,
    KeyError,
    IndexError,
    ValueError,
)
_REFUSED = Malformed(422, "Invalid", "the server rejected our request due to an error in our request")
_KNOWN = frozenset(("add", "remove", "replace", "move", "copy", "test"))
_TWO_PLACES = frozenset(("move", "copy"))
_WITH_VALUE = frozenset(("add", "replace", "test"))


def json_patched(value: JsonObject, patch: Json) -> JsonObject | Malformed:
    """The patched object, or why there is none. The given object is not changed."""
    operations = patch if isinstance(patch, list) else None
    if operations is None or not all(isinstance(each, dict) for each in operations):
        return Malformed(400, BAD_REQUEST, "json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > MOST_OPERATIONS:
        limit = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(operations)}"
        return Malformed(413, "RequestEntityTooLarge", f"Request entity too large: {limit}")
    found: Json = copied_object(value)
    copied = 0
    for each in operations:
        operation = _readable(each) if isinstance(each, dict) else None
        if operation is None:
            return _REFUSED
        try:
            copied += _size(found, operation)
            if copied > MOST_COPIED or (operation["op"] == "test" and not _holds(found, operation)):
                return _REFUSED
            if operation["op"] != "test":
                found = jsonpatch.JsonPatch([operation]).apply(found, in_place=True)
        except _FAILURES:
            return _REFUSED
    return found if isinstance(found, dict) else _REFUSED


def _size(value: Json, operation: JsonObject) -> int:
    """How many bytes of JSON an operation copies."""
    if operation["op"] != "copy":
        return 0
    return len(msgspec.json.encode(jsonpointer.resolve_pointer(value, str(operation["from"]))))


def _holds(value: Json, operation: JsonObject) -> bool:
    """Whether a test is passed; where nothing is, null is."""
    return same(jsonpointer.resolve_pointer(value, str(operation["path"]), None), operation.get("value"))


def _readable(operation: JsonObject) -> JsonObject | None:
    """The operation in the library's form; None where it can never be applied.

    A value that is left out is null.
    """
    named = operation.get("op")
    sort = named if isinstance(named, str) else ""
    places = [operation.get("path")] + ([operation.get("from")] if sort in _TWO_PLACES else [])
    if sort not in _KNOWN or not all(isinstance(place, str) and place.startswith("/") for place in places):
        return None
    return {**operation, "value": operation.get("value")} if sort in _WITH_VALUE else operation
