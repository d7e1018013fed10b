"""Reading patches, and applying them to objects.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/patch.go: what a patch makes is decoded as strictly
as if it had been sent; what is wrong with it is told at the field `patch`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec

from podward.api import status
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.errors import InputError
from podward.schema.bodies import Undecodable
from podward.schema.godecode.syntax import syntax_error
from podward.schema.godecode.tree import Members, read
from podward.schema.kinds import type_of
from podward.schema.malformed import Malformed
from podward.schema.patches.json_patch import go_word, json_patched, undecodable
from podward.schema.patches.merge import merge_patched
from podward.schema.patches.strategic import strategic_patched
from podward.schema.yaml_bodies import YamlBodyError, read_yaml_body
from podward.server.decoding import again, defaulted
from podward.server.encoding import json_bytes
from podward.server.request import Request
from podward.server.scope import Scope

JSON_PATCH, MERGE, STRATEGIC = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
APPLY = "application/apply-patch+yaml"
TYPES = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
_OPERATION = frozenset(("op", "path", "from", "value"))
_STRICT = "strict decoding error: "


class Patch:
    """A patch that was read; `strict` is what is odd about its own text."""

    __slots__ = ("_apply", "_scope", "_strict", "_validation")

    def __init__(
        self, scope: Scope, apply: Callable[[JsonObject], JsonObject | Malformed], strict: list[str], validation: str
    ) -> None:
        self._scope = scope
        self._apply = apply
        self._strict = strict
        self._validation = validation

    def applied_to(self, old: JsonObject, request: Request) -> JsonObject | Status:
        """The patched object, decoded and with its defaults, or why there is none."""
        made = self._apply(old)
        if isinstance(made, Malformed):
            return refused(made)
        found = again(made, self._scope, self._validation)
        if isinstance(found, Undecodable):
            own = found.bare.removeprefix(_STRICT)
            strict = found.bare != own
            return _unfit(made, _STRICT + ", ".join([*self._strict, own]) if strict else found.bare)
        if self._strict and self._validation == "Strict":
            return _unfit(made, _STRICT + ", ".join(self._strict))
        for warning in (*self._strict, *found.warnings):
            request.warn(warning)
        resource = self._scope.resource
        return defaulted(found.object, resource.api_version, resource.kind)


def refused(fault: Malformed) -> Status:
    """The answer to a patch that cannot be applied."""
    details = status.StatusDetails() if fault.code == 422 else None
    return Status(fault.code, fault.reason, fault.message, details)


def _unfit(made: JsonObject, why: str) -> Status:
    text = json_bytes(made).decode(errors="replace")
    return status.invalid_for("", "", "", [("patch", f"Invalid value: {msgspec.json.encode(text).decode()}: {why}")])


def read_patch(scope: Scope, media: str, body: bytes, validation: str) -> Patch | Status:
    """The patch in a body."""
    wrong = syntax_error(body)
    if wrong is not None:
        return status.bad_request(wrong if media == STRATEGIC else f"error decoding patch: {wrong}")
    value = cast("Json", msgspec.json.decode(body))
    strict = [] if validation == "Ignore" else _odd(media, body, value)
    if media == JSON_PATCH:
        unfit = "" if validation == "Ignore" else undecodable(value, "[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
        if unfit:
            return status.bad_request(f"error decoding patch: {unfit}")
        return Patch(scope, lambda old: json_patched(old, value), strict, validation)
    if not isinstance(value, dict):
        unfit = _unmarshalled(value, "map[string]interface {}")
        return status.bad_request(unfit if media == STRATEGIC else f"error decoding patch: {unfit}")
    patch = value
    if media == MERGE:
        return Patch(scope, lambda old: merge_patched(old, patch), strict, validation)
    of = type_of(scope.resource.api_version, scope.resource.kind) or scope.resource.kind
    return Patch(scope, lambda old: strategic_patched(of, old, patch), strict, validation)


def _odd(media: str, body: bytes, value: Json) -> list[str]:
    """Fields that stand twice, and fields that an operation does not have."""
    try:
        found = list(_twice(read(body), ""))
    except InputError:
        return []
    if media != JSON_PATCH or not isinstance(value, list):
        return found
    unknown = [
        f'json patch unknown field "[{index}].{name}"'
        for index, operation in enumerate(value)
        if isinstance(operation, dict)
        for name in operation
        if name not in _OPERATION
    ]
    return [*(f"json patch {each}" for each in found), *unknown]


def _twice(tree: object, way: str) -> list[str]:
    found: list[str] = []
    if isinstance(tree, Members):
        seen: set[str] = set()
        for name, value in tree:
            place = f"{way}.{name}" if way else str(name)
            if name in seen:
                found.append(f'duplicate field "{place}"')
            seen.add(str(name))
            found += _twice(value, place)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            found += _twice(value, f"{way}[{index}]")
    return found


class Applying:
    """An object that is applied, as it was sent; `strict` is what is odd about its text."""

    __slots__ = ("_strict", "_validation", "object")

    def __init__(self, obj: JsonObject, strict: str, validation: str) -> None:
        self.object = obj
        self._strict = strict
        self._validation = validation

    @classmethod
    def read(cls, body: bytes, validation: str) -> Applying | Status:
        """The object in a body."""
        try:
            value, twice = read_yaml_body(body)
        except YamlBodyError as error:
            return status.bad_request(f"error decoding YAML: error converting YAML to JSON: {error}")
        if value is not None and not isinstance(value, dict):
            unfit = _unmarshalled(value, "map[string]interface {}")
            return status.bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {unfit}")
        lines = "".join(f'\n  line {line}: key "{name}" already set in map' for name, line in twice)
        strict = f"error converting YAML to JSON: yaml: unmarshal errors:{lines}" if lines else ""
        return cls(value or {}, strict, validation)

    def made(self, scope: Scope, obj: JsonObject, request: Request) -> JsonObject | Status:
        """What applying made, in Go's form and with its defaults."""
        if self._strict and self._validation == "Strict":
            return status.bad_request(f"error strict decoding YAML: {self._strict}")
        if self._strict and self._validation == "Warn":
            request.warn(self._strict)
        found = again(obj, scope, "Ignore")
        if isinstance(found, Undecodable):
            return status.unexplained(found.message)
        return defaulted(found.object, scope.resource.api_version, scope.resource.kind)


def _unmarshalled(value: Json, into: str) -> str:
    """Why Go cannot decode this value into one of that type."""
    return f"json: cannot unmarshal {go_word(value)} into Go value of type {into}"
