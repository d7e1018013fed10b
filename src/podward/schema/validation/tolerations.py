"""Tolerations of taints.

Specification: Kubernetes without TaintTolerationComparisonOperators, ValidateTolerations. Without a key the
operator is Exists; a time limit is for NoExecute only.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.path import Path
from podward.schema.validation import labels
from podward.schema.validation.field import invalid, invalid_value, unsupported
from podward.schema.validation.raw import text

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists")
_COMPARING = ("Lt", "Gt")


def check(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `tolerations`."""
    return merge(*(_one(item, at / index) for index, item in enumerate(objects(spec, "tolerations"))))


def _one(raw: JsonObject, at: Path) -> Decision:
    key, operator, effect = text(raw, "key"), text(raw, "operator"), text(raw, "effect")
    found = [labels.key(key, at / "key") if key else Decision()]
    if not key and operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        found.append(invalid_value(at / "operator", operator, detail))
    if raw.get("tolerationSeconds") is not None and effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        found.append(invalid_value(at / "effect", effect, detail))
    found.append(_operator(operator, text(raw, "value"), at / "operator"))
    if effect and effect not in _EFFECTS:
        found.append(unsupported(at / "effect", effect, _EFFECTS))
    return merge(*found)


def _operator(operator: str, value: str, at: Path) -> Decision:
    if operator in {"Equal", ""}:
        faults = labels.value_faults(value)
        return invalid(at, value, ";".join(faults)) if faults else Decision()
    if operator == "Exists":
        return invalid(at, value, "value must be empty when `operator` is 'Exists'") if value else Decision()
    return unsupported(at, operator, (*_OPERATORS, *_COMPARING) if operator in _COMPARING else _OPERATORS)
