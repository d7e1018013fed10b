"""The conditions under which an authorization webhook is asked: expressions in CEL about the review.

Specification: Kubernetes, k8s.io/apiserver, pkg/authorization/cel. All of them must hold. One that does not hold leaves
the webhook out, whatever the others say; otherwise one that cannot be evaluated is a failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.access.errors import aggregated
from podward.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.schema.cel.environment import Environment, Expression
    from podward.schema.cel.source import Fields

_TEXTS = ("namespace", "verb", "group", "version", "resource", "subresource", "name")
_REQUIREMENT: Fields = {"key": None, "operator": None, "values": None}
_SELECTOR: Fields = {"rawSelector": None, "requirements": None}
_REQUEST: Fields = {
    "user": None,
    "groups": None,
    "uid": None,
    "extra": None,
    "resourceAttributes": {**dict.fromkeys(_TEXTS), "fieldSelector": _SELECTOR, "labelSelector": _SELECTOR},
    "nonResourceAttributes": {"path": None, "verb": None},
}


def fault_of(expression: str) -> str:
    """Why this is no condition; empty where it is one."""
    found = _compiled(_environment(), expression)
    return found if isinstance(found, str) else ""


class Conditions:
    """The conditions of one webhook, compiled once."""

    __slots__ = ("_expressions",)

    def __init__(self, expressions: Sequence[str]) -> None:
        """Raises InputError for what is no condition."""
        environment = _environment() if expressions else None
        self._expressions: list[Expression] = []
        for text in expressions if environment is not None else ():
            found = _compiled(environment, text)
            if isinstance(found, str):
                raise InputError(found, advice="conditions are expressions in CEL that yield bool")
            self._expressions.append(found)

    def hold(self, spec: JsonObject) -> bool | str:
        """Whether all of them hold for a review with this spec; or what went wrong."""
        if not self._expressions:
            return True
        request, errors = _described(spec), []
        for expression in self._expressions:
            found = expression.evaluate({"request": request})
            if found is False:
                return False
            if found is not True:
                why = getattr(found, "reason", "it is neither true nor false")
                errors.append(f"cel evaluation error: expression '{expression.text}' resulted in error: {why}")
        return aggregated(errors) if errors else True


def _compiled(environment: Environment | None, text: str) -> Expression | str:
    if environment is None:
        return "there is no environment for expressions"
    from podward.schema.cel.environment import Uncompilable

    found = environment.compile(text)
    if isinstance(found, Uncompilable):
        return found.reason
    return found if found.yields == "bool" else f"must evaluate to bool but got {found.yields}"


def _environment() -> Environment:
    from podward.schema.cel.environment import Environment  # few servers have conditions, and it takes its time

    return Environment({"request": "dyn"}, {"request": _REQUEST})


def _described(spec: JsonObject) -> JsonObject:
    """The review's spec as expressions see it: texts that are empty are there, too."""
    found: JsonObject = {"user": "", "groups": [], "uid": "", "extra": {}, **spec}
    asked = spec.get("resourceAttributes")
    if isinstance(asked, dict):
        texts: dict[str, Json] = dict.fromkeys(_TEXTS, "")
        found["resourceAttributes"] = {**texts, **asked}
    other = spec.get("nonResourceAttributes")
    if isinstance(other, dict):
        found["nonResourceAttributes"] = {"path": "", "verb": "", **other}
    return found
