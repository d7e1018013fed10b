"""Conditions of a status, as many kinds have them.

Specification: Kubernetes, meta/v1 validation ValidateConditions: types are labels' keys and stand once, a reason is a
word.
"""

from __future__ import annotations

import re

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import Place, duplicate, each, invalid, required, too_long, unsupported
from podward.schema.validation.labels import key_faults
from podward.schema.validation.raw import number, text

_STATUSES = ("False", "True", "Unknown")
_LONGEST_REASON, _LONGEST_MESSAGE = 1024, 32 * 1024
_REASON = re.compile(r"[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?")
_REASON_RULE = (
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric"
    " characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or"
    " 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is"
    " '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"
)


def check(status: JsonObject, at: Place) -> Decision:
    """Everything that is wrong with the `conditions` of a status; `at` is where they are."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, condition in enumerate(objects(status, "conditions")):
        kind = text(condition, "type")
        if kind in seen:
            found.append(duplicate(at / index / "type", kind))
        seen.add(kind)
        found.append(_condition(condition, kind, at / index))
    return merge(*found)


def _condition(condition: JsonObject, kind: str, at: Place) -> Decision:
    state, reason = text(condition, "status"), text(condition, "reason")
    found = [each(at / "type", kind, key_faults(kind))]
    if state not in _STATUSES:
        found.append(unsupported(at / "status", state, _STATUSES))
    generation = number(condition, "observedGeneration")
    if generation < 0:
        found.append(invalid(at / "observedGeneration", generation, "must be greater than or equal to zero"))
    if condition.get("lastTransitionTime") is None:
        found.append(required(at / "lastTransitionTime"))
    if not reason:
        found.append(required(at / "reason"))
    else:
        if not _REASON.fullmatch(reason):
            found.append(invalid(at / "reason", reason, _REASON_RULE))
        if len(reason.encode()) > _LONGEST_REASON:
            found.append(too_long(at / "reason", "", _LONGEST_REASON))
    if len(text(condition, "message").encode()) > _LONGEST_MESSAGE:
        found.append(too_long(at / "message", "", _LONGEST_MESSAGE))
    return merge(*found)
