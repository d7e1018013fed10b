"""What a registry knows of one resource, or of one of its subresources.

Specification: Kubernetes, apiserver/pkg/registry/rest RESTCreateStrategy and RESTUpdateStrategy. Objects come in
decoded and with their defaults; they are never changed in place: what prepares one returns another, or the same.
`validate` and `validate_update` are the kind's own: what is asked of every object besides stands in `flow`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.schema.validation.field import NOTHING

Prepare: TypeAlias = Callable[[JsonObject], JsonObject]
PrepareUpdate: TypeAlias = Callable[[JsonObject, JsonObject], JsonObject]
"""The new object, and the one that is stored."""
Validate: TypeAlias = Callable[[JsonObject], Decision]
ValidateUpdate: TypeAlias = Callable[[JsonObject, JsonObject], Decision]
WarnSent: TypeAlias = Callable[[JsonObject], tuple[str, ...]]
"""About a new object as it was sent."""
Warn: TypeAlias = Callable[[JsonObject, JsonObject | None], tuple[str, ...]]
"""About the new object; on an update, beside the one that is stored."""
GraceOf: TypeAlias = Callable[[JsonObject, int | None], int | None]
"""For how many seconds the object is being deleted, given what was asked for; None for a kind that is not."""


def as_it_is(obj: JsonObject) -> JsonObject:
    """Nothing is prepared."""
    return obj


def as_sent(new: JsonObject, _old: JsonObject) -> JsonObject:
    """Nothing is prepared, whatever is stored."""
    return new


def anything(_obj: JsonObject) -> Decision:
    """Nothing is refused."""
    return NOTHING


def any_change(_new: JsonObject, _old: JsonObject) -> Decision:
    """No change is refused."""
    return NOTHING


def no_warning(_new: JsonObject, _old: JsonObject | None) -> tuple[str, ...]:
    """Nothing is warned about."""
    return ()


def silent(_new: JsonObject) -> tuple[str, ...]:
    """Nothing is warned about as it is sent."""
    return ()


class Strategy(Struct, frozen=True):
    """How objects of a resource, or changes through a subresource, are prepared, validated and stored.

    `warnings_of_sent`: about what nobody sees any more after preparing. `canonicalize`: the last touch, after
    validation. `propagation`: what becomes of dependents where a deletion does not say; empty where the kind has none.
    `grace`: whether, and for how long, a deletion waits for a node. Which fields a write may own is for
    `schema/apply/reset_fields` to say.
    """

    validate: Validate = anything
    validate_update: ValidateUpdate = any_change
    prepare_for_create: Prepare = as_it_is
    prepare_for_update: PrepareUpdate = as_sent
    canonicalize: Prepare = as_it_is
    warnings: Warn = no_warning
    warnings_of_sent: WarnSent = silent
    namespaced: bool = True
    allow_create_on_update: bool = False
    allow_unconditional_update: bool = True
    propagation: str = "Background"
    grace: GraceOf | None = None
