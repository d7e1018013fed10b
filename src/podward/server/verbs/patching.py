"""Reading patches, and applying them to objects.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/handlers/patch.go: what a patch makes is decoded as strictly
as if it had been sent; what is wrong with it is told at the field `patch`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from podward.api import status
from podward.api.gotext import quote
from podward.api.govalue import plain
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.schema.bodies import Undecodable
from podward.schema.kinds import type_of
from podward.schema.malformed import Malformed
from podward.schema.patches.json_patch import go_word, json_patched, undecodable
from podward.schema.patches.merge import merge_patched
from podward.schema.patches.reading import UnreadableError, read_json
from podward.schema.patches.restoring import misfit
from podward.schema.patches.strategic import strategic_patched
from podward.schema.yaml_bodies import YamlBodyError, read_yaml_body
from podward.server.decoding import again, aside, completed
from podward.server.encoding import json_bytes
from podward.server.options import WriteOptions, write_options
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
_ONE_FAULT = re.compile(", (?=unknown field |duplicate field )")
_NO_PATCH = "Invalid JSON Patch"


class Patch(ABC):
    """A patch that was read; `strict` is what is odd about its own text."""

    def __init__(self, scope: Scope, strict: list[str], validation: str) -> None:
        self._scope = scope
        self._strict = strict
        self._validation = validation

    @abstractmethod
    def make(self, old: JsonObject) -> JsonObject | Malformed:
        """The patched object, as it comes."""

    def shown(self, made: JsonObject) -> str:
        """What a message shows of the patched object."""
        return json_bytes(made).decode(errors="replace")

    def fault(self, made: JsonObject, decoder: str) -> str:
        """Why the patched object is none of its kind, about which the decoder says this."""
        del made
        return decoder

    def ordered(self, unknown: list[str]) -> list[str]:
        """What is told of fields that the kind has not, in the order in which it is told."""
        return unknown

    def applied_to(self, old: JsonObject, request: Request) -> JsonObject | Status:
        """The patched object, decoded and with its defaults, or why there is none."""
        made = self.make(old)
        if isinstance(made, Malformed):
            return refused(made)
        found = again(made, self._scope, self._validation)
        if isinstance(found, Undecodable):
            own = found.bare.removeprefix(_STRICT)
            if found.bare != own:
                return self._unfit(made, _STRICT + ", ".join([*self._strict, *self.ordered(_ONE_FAULT.split(own))]))
            return self._unfit(made, self.fault(made, found.bare))
        if self._strict and self._validation == "Strict":
            return self._unfit(made, _STRICT + ", ".join(self._strict))
        for warning in (*self._strict, *found.warnings):
            request.warn(warning)
        return completed(found.object, self._scope)

    def _unfit(self, made: JsonObject, why: str) -> Status:
        return status.invalid_for("", "", "", [("patch", f"Invalid value: {quote(self.shown(made))}: {why}")])


class _JsonPatch(Patch):
    """A list of operations."""

    def __init__(self, scope: Scope, strict: list[str], validation: str, operations: Json) -> None:
        super().__init__(scope, strict, validation)
        self._operations = operations

    def make(self, old: JsonObject) -> JsonObject | Malformed:
        return json_patched(old, self._operations)


class _MergePatch(Patch):
    """An object that is merged."""

    def __init__(self, scope: Scope, strict: list[str], validation: str, patch: JsonObject) -> None:
        super().__init__(scope, strict, validation)
        self._patch = patch

    def make(self, old: JsonObject) -> JsonObject | Malformed:
        return merge_patched(old, self._patch)


class _StrategicPatch(_MergePatch):
    """An object that is merged as its kind says. The result is restored, not decoded: its kind does not matter."""

    def make(self, old: JsonObject) -> JsonObject | Malformed:
        resource = self._scope.resource
        made = strategic_patched(self._type, old, self._patch)
        return (
            made if isinstance(made, Malformed) else {**made, "apiVersion": resource.api_version, "kind": resource.kind}
        )

    def shown(self, made: JsonObject) -> str:
        del made
        return plain(self._patch)

    def fault(self, made: JsonObject, decoder: str) -> str:
        return misfit(self._type, made) or decoder

    def ordered(self, unknown: list[str]) -> list[str]:
        return sorted(unknown)

    @property
    def _type(self) -> str:
        resource = self._scope.resource
        return type_of(resource.api_version, resource.kind) or resource.kind


def refused(fault: Malformed) -> Status:
    """The answer to a patch that cannot be applied."""
    details = status.StatusDetails() if fault.code == 422 else None
    return Status(fault.code, fault.reason, fault.message, details)


async def patch_of(scope: Scope, request: Request) -> tuple[Patch | Applying, WriteOptions] | Status:
    """What a request to patch or apply sends, and its options."""
    media = request.headers.get("Content-Type", "").partition(";")[0].strip()
    if media not in TYPES:
        return status.UNSUPPORTED_BY_ROUTE
    if media == STRATEGIC and scope.custom is not None:
        return status.unsupported_media_type((JSON_PATCH, MERGE, APPLY))
    body = await request.body()
    if isinstance(body, Status):
        return body
    request.sent = body
    options = write_options(request.query, "PatchOptions", apply=media == APPLY)
    if isinstance(options, Status):
        return options
    sent = await aside(
        body,
        lambda: Applying.read(body, options) if media == APPLY else _read(scope, media, body, options.validation),
    )
    return sent if isinstance(sent, Status) else (sent, options)


def _read(scope: Scope, media: str, body: bytes, validation: str) -> Patch | Status:
    """The patch in a body."""
    try:
        value, twice = read_json(body)
    except UnreadableError as error:
        return status.bad_request(str(error) if media == STRATEGIC else f"error decoding patch: {error}")
    strict = [] if validation == "Ignore" else _odd(media, twice, value)
    if media == JSON_PATCH:
        unfit = "" if validation == "Ignore" else undecodable(value, "[]handlers.jsonPatchOp", "handlers.jsonPatchOp")
        if unfit:
            return status.bad_request(f"error decoding patch: {unfit}")
        return _JsonPatch(scope, strict, validation, value or [])
    if value is None:
        return _StrategicPatch(scope, [], validation, {}) if media == STRATEGIC else status.bad_request(_NO_PATCH)
    if not isinstance(value, dict):
        unfit = _unmarshalled(value, "map[string]interface {}")
        return status.bad_request(unfit if media == STRATEGIC else f"error decoding patch: {unfit}")
    return (_MergePatch if media == MERGE else _StrategicPatch)(scope, strict, validation, value)


def _odd(media: str, twice: list[str], value: Json) -> list[str]:
    """Fields that stand twice, and fields that an operation does not have."""
    if media != JSON_PATCH or not isinstance(value, list):
        return twice
    unknown = [
        f'json patch unknown field "[{index}].{name}"'
        for index, operation in enumerate(value)
        if isinstance(operation, dict)
        for name in operation
        if name not in _OPERATION
    ]
    return [*(f"json patch {each}" for each in twice), *unknown]


class Applying:
    """An object that is applied, as it was sent; `strict` is what is odd about its text."""

    __slots__ = ("_strict", "object", "options")

    def __init__(self, obj: JsonObject, strict: str, options: WriteOptions) -> None:
        self.object = obj
        self.options = options
        self._strict = strict

    @classmethod
    def read(cls, body: bytes, options: WriteOptions) -> Applying | Status:
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
        return cls(value or {}, strict, options)

    def made(self, scope: Scope, obj: JsonObject, request: Request) -> JsonObject | Status:
        """What applying made, in Go's form and with its defaults."""
        if self._strict and self.options.validation == "Strict":
            return status.bad_request(f"error strict decoding YAML: {self._strict}")
        if self._strict and self.options.validation == "Warn":
            request.warn(self._strict)
        found = again(obj, scope, "Ignore")
        if isinstance(found, Undecodable):
            return status.unexplained(found.message)
        return completed(found.object, scope)


def _unmarshalled(value: Json, into: str) -> str:
    """Why Go cannot decode this value into one of that type."""
    return f"json: cannot unmarshal {go_word(value)} into Go value of type {into}"
