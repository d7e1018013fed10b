"""Making the functions of a `Strategy` out of rules: compiled walks over an object, in the server's order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies.equality import same
from podward.schema.validation.field import NOTHING, ROOT
from podward.schema.validation.table import WALKS as OF_PODS
from podward.schema.validation.walk import CodeRule, Rule, Scope, Walks

if TYPE_CHECKING:
    from podward.schema.strategies.strategy import Prepare, PrepareUpdate, Validate, ValidateUpdate

Rules: TypeAlias = Mapping[str, Sequence[Rule]]


def walks(rules: Rules) -> Walks:
    """The walks of these types, and of a Pod's for all others."""
    return Walks(rules, OF_PODS)


def by(of: str, made: Walks) -> Validate:
    """All rules of this type about an object."""
    walk: CodeRule = made[of]

    def validate(obj: JsonObject) -> Decision:
        return walk(obj, Scope(made, "", obj), ROOT)

    return validate


def in_order(*asked: Validate) -> Validate:
    """All of these, one after the other."""

    def validate(obj: JsonObject) -> Decision:
        found = [decision for ask in asked if (decision := ask(obj)) is not NOTHING]
        return merge(*found) if found else NOTHING

    return validate


def changes(*asked: ValidateUpdate) -> ValidateUpdate:
    """All of these about a change, one after the other."""

    def validate(obj: JsonObject, old: JsonObject) -> Decision:
        found = [decision for ask in asked if (decision := ask(obj, old)) is not NOTHING]
        return merge(*found) if found else NOTHING

    return validate


def anew(validate: Validate) -> ValidateUpdate:
    """What is asked of a new object, asked about a change."""
    return lambda obj, _old: validate(obj)


# --- preparing --------------------------------------------------------------------------------------------------------


def without(name: str) -> Prepare:
    """The object without this field: a client does not set a new object's status."""

    def prepare(obj: JsonObject) -> JsonObject:
        return {field: value for field, value in obj.items() if field != name} if name in obj else obj

    return prepare


def keeping(*names: str) -> PrepareUpdate:
    """The object with these fields as they are stored."""

    def prepare(obj: JsonObject, old: JsonObject) -> JsonObject:
        made = dict(obj)
        for name in names:
            _put(made, name, old.get(name))
        return made

    return prepare


def _put(obj: JsonObject, name: str, value: Json) -> None:
    if value is None:
        obj.pop(name, None)
    else:
        obj[name] = value


def first_generation(obj: JsonObject) -> JsonObject:
    """A new object, whose spec is the first."""
    return {**obj, "metadata": {**member(obj, "metadata"), "generation": 1}}


def next_generation(obj: JsonObject, old: JsonObject, *names: str) -> JsonObject:
    """The object with the next generation, if one of these fields has changed."""
    return obj if all(same(obj.get(name), old.get(name)) for name in names or ("spec",)) else raised(obj, old)


def raised(obj: JsonObject, old: JsonObject) -> JsonObject:
    """The object as the next generation."""
    before = member(old, "metadata").get("generation")
    return {**obj, "metadata": {**member(obj, "metadata"), "generation": (before if type(before) is int else 0) + 1}}


def prepared(*steps: Callable[[JsonObject], JsonObject]) -> Prepare:
    """Several steps, one after the other."""

    def prepare(obj: JsonObject) -> JsonObject:
        for step in steps:
            obj = step(obj)
        return obj

    return prepare


new_without_status: Prepare = prepared(without("status"), first_generation)
_KEEPING_STATUS = keeping("status")


def keeping_status(obj: JsonObject, old: JsonObject) -> JsonObject:
    """A change of anything but the status; with another spec, it is the next generation."""
    return next_generation(_KEEPING_STATUS(obj, old), old)
