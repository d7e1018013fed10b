"""A JSON patch applied to an object.

Specification: RFC 6902, as gopkg.in/evanphx/json-patch.v4 applies it: `replace` and `copy` take what is not there in an
object for null, an index may count from the end, only `replace` and `test` know the whole document, and what stands
before a path's first slash does not count. As the API server limits it (endpoints/handlers/patch.go), there are at most
10,000 operations; all `copy` together may copy 3 MiB. Why an operation cannot be applied is not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec import Struct

from podward.api.json_equality import same
from podward.api.json_value import Json, JsonObject, copied, copied_object
from podward.schema.malformed import BAD_REQUEST, Malformed

MOST_OPERATIONS = 10_000
MOST_COPIED = 3 * 1024 * 1024
"""How many bytes of JSON all `copy` of one patch may copy: each could double the object."""

_REFUSED = Malformed(422, "Invalid", "the server rejected our request due to an error in our request")
_INDEX = re.compile("[+-]?[0-9]{1,9}")
_ESCAPE = re.compile("~[01]")


def json_patched(value: JsonObject, patch: Json) -> JsonObject | Malformed:
    """The patched object, or why there is none. The given object is not changed."""
    fault = undecodable(patch, "jsonpatch.Patch", "jsonpatch.Operation")
    if fault or not isinstance(patch, list):
        return Malformed(400, BAD_REQUEST, fault)
    if len(patch) > MOST_OPERATIONS:
        limit = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(patch)}"
        return Malformed(413, "RequestEntityTooLarge", f"Request entity too large: {limit}")
    document = _Document(copied_object(value))
    try:
        for operation in patch:
            document.apply(operation if isinstance(operation, dict) else {})
    except _RefusedError:
        return _REFUSED
    return document.root if isinstance(document.root, dict) else _REFUSED


class Unapplied(Struct, frozen=True):
    """The operation of a patch that cannot be applied, and its path."""

    operation: str
    path: str


def json_patched_as_far(value: JsonObject, patch: list[JsonObject]) -> JsonObject | Unapplied:
    """The patched object, or the first operation that cannot be applied. The given object is not changed."""
    document = _Document(copied_object(value))
    for operation in patch[:MOST_OPERATIONS]:
        try:
            document.apply(operation)
        except _RefusedError:
            return Unapplied(str(operation.get("op")), str(operation.get("path")))
    return document.root if isinstance(document.root, dict) else Unapplied("replace", "")


def undecodable(patch: Json, of_patch: str, of_operation: str) -> str:
    """Why Go cannot decode a patch into values of these types; empty where it can."""
    if patch is not None and not isinstance(patch, list):
        return f"json: cannot unmarshal {go_word(patch)} into Go value of type {of_patch}"
    for operation in patch or ():
        if operation is not None and not isinstance(operation, dict):
            return f"json: cannot unmarshal {go_word(operation)} into Go value of type {of_operation}"
    return ""


def go_word(value: Json) -> str:
    """The sort of a JSON value in encoding/json's words."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "number"


class _RefusedError(Exception):
    """An operation cannot be applied."""


class _Document:
    """The document on its way."""

    def __init__(self, root: Json) -> None:
        self.root = root
        self._copied = 0
        self._operations: dict[str, Callable[[str, JsonObject], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }

    def apply(self, operation: JsonObject) -> None:
        """Apply one operation. Raises _RefusedError."""
        named, path = operation.get("op"), operation.get("path")
        if not isinstance(named, str) or named not in self._operations or not isinstance(path, str):
            raise _RefusedError
        self._operations[named](path, operation)

    def _add(self, path: str, operation: JsonObject) -> None:
        self._put(path, copied(operation.get("value")))

    def _remove(self, path: str, operation: JsonObject) -> None:
        del operation
        where, key = self._found(path)
        if isinstance(where, dict):
            if key not in where:
                raise _RefusedError
            del where[key]
        else:
            del where[_index(key, len(where))]

    def _replace(self, path: str, operation: JsonObject) -> None:
        value = copied(operation.get("value"))
        if not path:
            if not isinstance(value, dict | list):
                raise _RefusedError
            self.root = value
            return
        where, key = self._found(path)
        if isinstance(where, dict):
            where[key] = value
        else:
            where[_index(key, len(where))] = value

    def _move(self, path: str, operation: JsonObject) -> None:
        source = _text(operation, "from")
        value = self._get(source)
        self._remove(source, operation)
        self._put(path, value)

    def _copy(self, path: str, operation: JsonObject) -> None:
        value = self._get(_text(operation, "from"))
        self._copied += len(msgspec.json.encode(value))
        if self._copied > MOST_COPIED:
            raise _RefusedError
        self._put(path, copied(value))

    def _test(self, path: str, operation: JsonObject) -> None:
        if not same(self._get(path) if path else self.root, operation.get("value")):
            raise _RefusedError

    def _get(self, path: str) -> Json:
        where, key = self._found(path)
        return where.get(key) if isinstance(where, dict) else where[_index(key, len(where))]

    def _put(self, path: str, value: Json) -> None:
        where, key = self._found(path)
        if isinstance(where, dict):
            where[key] = value
        elif key == "-":
            where.append(value)
        else:
            where.insert(_index(key, len(where) + 1), value)

    def _found(self, path: str) -> tuple[JsonObject | list[Json], str]:
        """The object or list that a path's last step is in, and that step."""
        _, *steps = path.split("/")
        where = self.root
        if not steps or not isinstance(where, dict | list):
            raise _RefusedError
        for step in steps[:-1]:
            name = _unescaped(step)
            below = where.get(name) if isinstance(where, dict) else where[_index(name, len(where))]
            if not isinstance(below, dict | list):
                raise _RefusedError
            where = below
        return where, _unescaped(steps[-1])


def _text(operation: JsonObject, name: str) -> str:
    value = operation.get(name)
    if not isinstance(value, str):
        raise _RefusedError
    return value


def _index(key: str, length: int) -> int:
    """The place in a list of this length; a negative one counts from its end."""
    if not _INDEX.fullmatch(key) or not -length <= int(key) < length:
        raise _RefusedError
    return int(key) % length


def _unescaped(step: str) -> str:
    return _ESCAPE.sub(lambda found: "/" if found[0] == "~1" else "~", step) if "~" in step else step
