"""MutatingAdmissionPolicy: what its mutations make of an object.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/policy/mutating and its patch package. A mutation is
an apply configuration, which must not name an atomic list or map, or a JSON patch, which changes nothing where one of
its tests fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from msgspec import Struct

from podward.api.admission import AdmissionRequest
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status, StatusCause, StatusDetails
from podward.schema.apply.checking import faults
from podward.schema.apply.merging import merged
from podward.schema.apply.path_element import field, printed
from podward.schema.apply.types import ListType, MapType, Type, form
from podward.schema.cel.environment import Failed
from podward.schema.cel.literals import TYPE
from podward.schema.patches.json_patch import Unapplied, json_patched_as_far
from podward.stages.admission.policies.policy import Binding, Mutation, Policy
from podward.stages.admission.policies.validating import Facts, evaluated, matching

_OPTIONAL_FIELDS = ("from",)


class Wrong(Struct, frozen=True):
    """Why a mutation cannot be made; `reason` is empty where the policy itself is wrong."""

    why: str
    reason: str = "Invalid"


def is_meant(policy: Policy, facts: Facts, params: JsonObject | None) -> bool | Wrong:
    """Whether the policy's match conditions hold."""
    variables = facts.variables()
    variables["params"] = params
    found = matching(policy.conditions, variables, facts.ask)
    return Wrong(found.reason) if isinstance(found, Failed) else found


def mutated(mutation: Mutation, facts: Facts, params: JsonObject | None, kind: Type) -> JsonObject | Wrong:
    """The object as a mutation leaves it, not yet read as its kind again."""
    variables = facts.variables()
    variables["params"] = params
    value = evaluated(mutation.expression, mutation.text, variables, facts.ask)
    if isinstance(value, Failed):
        return Wrong(value.reason)
    obj, made = facts.asked.object or {}, cast("Any", value)
    if mutation.is_patch:
        return _patched(obj, made) if isinstance(made, list) else Wrong(_NO_LIST)
    return _applied(obj, made, kind) if isinstance(made, dict) else Wrong("invalid return type")


_LONGEST_INDEX = 9
_NO_LIST = "type mismatch: JSONPatchType.expression should evaluate to array"


def _patched(obj: JsonObject, operations: list[Any]) -> JsonObject | Wrong:
    patch: list[JsonObject] = []
    for operation in operations:
        if not isinstance(operation, dict):
            return Wrong(f"{_NO_LIST} of JSONPatch")
        mismatches = list(_misnamed(operation.get("value"), "Object", anywhere=True))
        if mismatches:
            return Wrong(f"type mismatch: {mismatches[0]}")
        plain = _plain(operation)
        patch.append({name: value for name, value in plain.items() if value or name not in _OPTIONAL_FIELDS})
    found = json_patched_as_far(obj, patch)
    return _unapplied(obj, found) if isinstance(found, Unapplied) else found


def _unapplied(obj: JsonObject, found: Unapplied) -> JsonObject | Wrong:
    """What comes of a patch that does not apply: a test that fails leaves the object as it is."""
    parent, _, key = found.path.rpartition("/")
    if found.operation == "test":
        if isinstance(_at(obj, parent), dict | list):
            return obj
        return Wrong(f"JSON Patch: test operation does not apply: is missing path: {found.path}: missing value")
    if found.operation == "remove" and isinstance(_at(obj, parent), dict):
        absent = f"error in remove for path: '{found.path}': Unable to remove nonexistent key: {key}: missing value"
        return Wrong(f"JSON Patch: {absent}")
    missing = f"doc is missing path: {quote(found.path)}: missing value"
    return Wrong(f"JSON Patch: {found.operation} operation does not apply: {missing}")


def _at(value: Json, path: str) -> Json:
    """What is at this path of a JSON patch; None where there is nothing."""
    for step in path.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            is_index = name.isascii() and name.isdecimal() and len(name) <= _LONGEST_INDEX
            value = value[int(name)] if is_index and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _applied(obj: JsonObject, configuration: dict[str, Any], kind: Type) -> JsonObject | Wrong:
    mismatches = list(_misnamed(configuration, "Object"))
    if mismatches:
        told = "\n".join(mismatches)
        return Wrong(f"type mismatch: {told}")
    patch: JsonObject = {**_plain(configuration), "apiVersion": obj.get("apiVersion"), "kind": obj.get("kind")}
    wrong = faults(kind, patch)
    if wrong:
        return Wrong(f"error applying patch: failed to convert patch object to typed object: {wrong}")
    whole = [at for at in _atomics(kind, patch, "") if at]
    if whole:
        what = f"may not mutate atomic arrays, maps or structs: {', '.join(whole)}"
        return Wrong(f"error applying patch: invalid ApplyConfiguration: {what}")
    return merged(kind, obj, patch)


def _misnamed(value: Any, expected: str, *, anywhere: bool = False) -> Iterator[str]:  # noqa: ANN401 - what CEL made
    """Where an object says that it is of another type than its place has; `anywhere`: it begins at any place."""
    if isinstance(value, list):
        for item in value:
            yield from _misnamed(item, expected, anywhere=anywhere)
    elif isinstance(value, dict):
        name = value.get(TYPE)
        if name is not None and name != expected and not anywhere:
            where = "which matches field name path from root Object type"
            yield f"unexpected type name {quote(str(name))}, expected {quote(expected)}, {where}"
        for key, item in value.items():
            if key != TYPE:
                yield from _misnamed(item, f"{name or expected}.{key}" if name else expected)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what CEL made
    """The same without the names of types."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items() if key != TYPE}
    return value


def _atomics(kind: Type, value: Json, at: str) -> Iterator[str]:
    """The places in an apply configuration that are replaced as a whole."""
    found = form(kind, value)
    if isinstance(found, MapType) and isinstance(value, dict):
        if found.atomic:
            yield at
        for name, item in value.items():
            declared = found.fields.get(name)
            if declared is not None:
                yield from _atomics(declared, item, at + printed(field(name)))
    elif isinstance(found, ListType) and isinstance(value, list):
        if found.atomic:
            yield at
        for index, item in enumerate(value):
            yield from _atomics(found.item, item, f"{at}[{index}]")


class Refused(Struct, frozen=True):
    """A policy that refuses a request, by which binding, and why."""

    policy: Policy
    binding: Binding | None
    wrong: Wrong

    @property
    def message(self) -> str:
        """The sentence that is told."""
        if self.binding is None:
            return f"policy {quote(self.policy.name)} denied request: {self.wrong.why}"
        return f"policy '{self.policy.name}' with binding '{self.binding.name}' denied request: {self.wrong.why}"


def refusal(request: AdmissionRequest, refused: list[Refused]) -> Status | None:
    """The refusal of a request, where a policy that fails must not be ignored."""
    told = [each for each in refused if not each.policy.ignores_failures]
    if not told:
        return None
    causes = tuple(StatusCause(message=each.message) for each in told)
    of = request.resource
    details = StatusDetails(request.told_name, of.group, of.resource, causes=causes)
    return Status(403, told[0].wrong.reason or "Forbidden", told[0].message, details)
