"""Expressions that choose devices.

Specification: Kubernetes, dynamic-resource-allocation/cel: `device` has a driver, attributes and capacities by domain.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.schema.cel.environment import Environment, Uncompilable
from podward.schema.validation.field import NOTHING, Place, invalid, required, too_long
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_LONGEST = 10 * 1024
_YIELDS = frozenset(("bool", "dyn", "any"))
_DEVICE = {"driver": "string", "attributes": None, "capacity": None, "allowMultipleAllocations": "bool"}


def check(selector: JsonObject, at: Place) -> Decision:
    """What is wrong with a selector."""
    if not isinstance(selector.get("cel"), dict):
        return required(at / "cel")
    expression, place = text(member(selector, "cel"), "expression"), at / "cel" / "expression"
    if len(expression.encode()) > _LONGEST:
        return too_long(place, "", _LONGEST)
    found = _environment().compile(expression)
    if isinstance(found, Uncompilable):
        return invalid(place, expression, found.reason)
    if found.yields in _YIELDS:
        return NOTHING
    return invalid(place, expression, f"must evaluate to bool or the unknown type, not {found.yields}")


@cache
def _environment() -> Environment:
    return Environment({"device": "dyn"}, {"device": _DEVICE})
