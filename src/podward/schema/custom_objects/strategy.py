"""How custom objects, and their status, are prepared and validated.

Specification: apiextensions-apiserver pkg/registry/customresource strategy.go, status_strategy.go and validator.go.
Rules in CEL are asked only of what is sound otherwise. What an old object had wrong in its sets may stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.api.govalue import plain, type_name
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.path import Path
from podward.schema.custom_objects.embedded import faults_in
from podward.schema.custom_objects.list_types import twice
from podward.schema.custom_objects.matching import Fault, equal, faults_of
from podward.schema.custom_objects.rules import Outcome, Rules, correlated
from podward.schema.strategies import object_meta
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import raised
from podward.schema.strategies.names import SUBDOMAIN
from podward.schema.strategies.object_meta import keeping_all_but_status
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import NOTHING, invalid, refused
from podward.schema.validation.raw import texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject
    from podward.schema.custom_objects.kind import CustomKind

_BLOCKING = ("Unsupported value", "Required value", "Too long", "Too many")
_TYPED = " in body must be of type "
_SKIPPED = (
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing"
    " errors to complete validation"
)
_NOT_CHECKED: Fault = ("<nil>", _SKIPPED)
_MOST_REPLICAS = (1 << 31) - 1


def strategy_of_custom(kind: CustomKind, subresource: str) -> Strategy:
    """The strategy of a version's objects, or of their status."""
    asked = _Asked(kind)
    if subresource == "status":
        return Strategy(
            validate_update=asked.status_change,
            prepare_for_update=keeping_all_but_status,
            namespaced=kind.resource.namespaced,
            allow_unconditional_update=False,
        )
    return Strategy(
        validate=asked.new,
        validate_update=asked.change,
        prepare_for_create=_new_without_status if kind.has_status else _new,
        prepare_for_update=_keeping_status if kind.has_status else _as_sent,
        warnings=asked.warnings,
        namespaced=kind.resource.namespaced,
        allow_unconditional_update=False,
    )


def _new(obj: JsonObject) -> JsonObject:
    return {**obj, "metadata": {**member(obj, "metadata"), "generation": 1}}


def _new_without_status(obj: JsonObject) -> JsonObject:
    return _new({name: value for name, value in obj.items() if name != "status"})


def _as_sent(obj: JsonObject, old: JsonObject) -> JsonObject:
    names = (obj.keys() | old.keys()) - {"metadata", "apiVersion", "kind"}
    return obj if all(same(obj.get(name), old.get(name)) for name in names) else raised(obj, old)


def _keeping_status(obj: JsonObject, old: JsonObject) -> JsonObject:
    made = {name: value for name, value in obj.items() if name != "status"}
    if "status" in old:
        made["status"] = old["status"]
    return _as_sent(made, old)


_STANDARD = frozenset(("orphan", "foregroundDeletion", "kubernetes"))


def _finalizer_warnings(obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
    added = set(texts(member(obj, "metadata"), "finalizers"))
    added -= set(texts(member(old or {}, "metadata"), "finalizers"))
    told: list[str] = []
    for name in sorted(added):
        if "/" in name or name in _STANDARD:
            continue
        path = " including a path (/)" if "." in name else ""
        told.append(
            f'metadata.finalizers: "{name}": prefer a domain-qualified finalizer name{path} to avoid accidental'
            " conflicts with other finalizer writers"
        )
    return tuple(told)


class _Asked:
    """What is asked of the objects of one version."""

    def __init__(self, kind: CustomKind) -> None:
        self._kind = kind
        self._last: tuple[JsonObject, JsonObject | None, Outcome] | None = None
        self._schema: JsonObject = kind.schema or {}
        self._metadata = object_meta.any_new(SUBDOMAIN, namespaced=kind.resource.namespaced)
        self._rules: Rules | None = Rules(self._schema) if kind.has_rules else None

    def new(self, obj: JsonObject) -> Decision:
        """What is wrong with a new object."""
        if (other := self._another(obj)) is not None:
            return other
        found = [*faults_of(_bare(obj), self._schema), *self._scale_faults(obj)]
        meta = self._metadata(obj) + self._embedded(obj)
        return self._judged(meta, [*found, *twice(_bare(obj), self._schema)], obj, None)

    def change(self, obj: JsonObject, old: JsonObject) -> Decision:
        """What is wrong with a change."""
        if (other := self._another(obj)) is not None:
            return other
        found = [*self._unratcheted(obj, old), *self._scale_faults(obj), *self._twice_now(obj, old)]
        return self._judged(object_meta.any_changed(obj, old) + self._embedded(obj), found, obj, old)

    def status_change(self, obj: JsonObject, old: JsonObject) -> Decision:
        """What is wrong with a change of the status."""
        found: list[Fault] = []
        of = member(self._schema, "properties").get("status")
        if "status" in obj and isinstance(of, dict) and not equal(obj["status"], old.get("status")):
            found = [(_below("status", place), error) for place, error in faults_of(obj["status"], of)]
        paths = self._kind.scale_paths
        found += _replica_faults(obj, paths.status) if paths else []
        return self._judged(object_meta.any_changed(obj, old), [*found, *self._twice_now(obj, old)], obj, old)

    def _another(self, obj: JsonObject) -> Decision | None:
        """That it is of another kind; None where it is not."""
        kind, wanted = str(obj.get("kind") or ""), self._kind.resource.kind
        return None if kind == wanted else invalid(Path(("kind",)), kind, f"must be {wanted}")

    def _embedded(self, obj: JsonObject) -> Decision:
        return faults_in(obj, self._schema) if self._kind.has_embedded else NOTHING

    def _unratcheted(self, obj: JsonObject, old: JsonObject) -> list[Fault]:
        """What is wrong, but for what was as wrong before."""
        found = faults_of(_bare(obj), self._schema)
        return [fault for fault in found if not _unchanged(fault[0], obj, old, self._schema)] if found else found

    def _twice_now(self, obj: JsonObject, old: JsonObject) -> list[Fault]:
        found = twice(_bare(obj), self._schema)
        return [] if found and twice(_bare(old), self._schema) else found

    def _scale_faults(self, obj: JsonObject) -> list[Fault]:
        paths = self._kind.scale_paths
        return _replica_faults(obj, paths.replicas) + _replica_faults(obj, paths.status) if paths else []

    def _asked(self, obj: JsonObject, old: JsonObject | None) -> Outcome:
        """What the rules say; asked once for what is wrong, and for the warnings."""
        before = self._last
        if before is None or before[0] is not obj or before[1] is not old:
            said = Outcome([], []) if self._rules is None else self._rules.asked(obj, old)
            before = self._last = (obj, old, said)
        return before[2]

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> tuple[str, ...]:
        """What is warned of: finalizers of a change, and rules that are as broken as they were."""
        kept = self._asked(obj, old).warnings if self._rules is not None and old is not None else ()
        self._last = None
        return (*kept, *_finalizer_warnings(obj, old))

    def _judged(self, meta: Decision, found: list[Fault], obj: JsonObject, old: JsonObject | None) -> Decision:
        if self._rules is not None:
            blocked = any(map(_is_blocking, found)) or any(
                each.reason.startswith(_BLOCKING) for each in meta.violations
            )
            found = [*found, *([_NOT_CHECKED] if blocked else self._asked(obj, old).faults)]
        made = meta
        for place, error in found:
            made = made + refused(Path((place,) if place else ()), None, (error,))
        return made if made.violations else NOTHING


def _bare(obj: JsonObject) -> JsonObject:
    """The object without its metadata, which is checked by its own rules."""
    return {**obj, "metadata": {}} if "metadata" in obj else obj


def _below(above: str, place: str) -> str:
    return place if place == "<nil>" else f"{above}.{place}" if place else above


def _is_blocking(fault: Fault) -> bool:
    return fault[1].startswith(_BLOCKING) or _TYPED in fault[1]


_STEP = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|\.?([^.\[\]]+)")


def _unchanged(place: str, obj: JsonObject, old: JsonObject, schema: JsonObject) -> bool:
    """Whether the field at a place, or what it is in, is as it was; items are told apart only by the keys of a map."""
    now: Json = obj
    before: Json = old
    of: JsonObject = schema
    for index, key, name in _STEP.findall(place if place != "<nil>" else ""):
        if index and isinstance(now, list) and int(index) < len(now):
            now = now[int(index)]
            before, of = correlated(now, before, of), member(of, "items")
        else:
            step = name or key or index
            now = now.get(step) if isinstance(now, dict) else None
            before = before.get(step) if isinstance(before, dict) else None
            of = member(member(of, "properties"), step) or member(of, "additionalProperties")
        if now is None or before is None:
            return False
        if equal(now, before):
            return True
    return False


def _replica_faults(obj: JsonObject, path: tuple[str, ...]) -> list[Fault]:
    """What is wrong with a number of replicas."""
    place, value = f".{'.'.join(path)}", obj
    for name in path[:-1]:
        inner = value.get(name)
        if inner is None:
            return []
        if not isinstance(inner, dict):
            told = f"{_shown(inner)} is of the type {type_name(inner)}, expected map[string]interface{{}}"
            return [(place, f"Invalid value: 0: {place} accessor error: {told}")]
        value = inner
    fault = _count_fault(value.get(path[-1]), place)
    return [(place, f"Invalid value: {fault}")] if fault else []


def _count_fault(count: Json, place: str) -> str:
    if count is None:
        return ""
    if type(count) is not int:
        return f"0: {place} accessor error: {_shown(count)} is of the type {type_name(count)}, expected int64"
    if count < 0:
        return f"{count}: should be a non-negative integer"
    return f"{count}: should be less than or equal to {_MOST_REPLICAS}" if count > _MOST_REPLICAS else ""


def _shown(value: Json) -> str:
    return value if isinstance(value, str) else plain(value)
