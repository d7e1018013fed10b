"""When a container starts again: its own policy, and rules about exit codes.

Specification: Kubernetes with ContainerRestartRules and RestartAllContainersOnContainerExits,
validateContainerRestartPolicy. Rules need a policy; at most 20, with at most 255 codes each.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation.field import required, too_many, unsupported
from podward.schema.validation.raw import pointer, text

_POLICIES = ("Always", "Never", "OnFailure")
_ACTIONS = ("Restart", "RestartAllContainers")
_OPERATORS = ("In", "NotIn")
_MOST_RULES, _MOST_CODES = 20, 255


def check(container: JsonObject, at: Path) -> Decision:
    """The `restartPolicy` and `restartPolicyRules` of a regular or init container."""
    policy, rules = pointer(container, "restartPolicy"), objects(container, "restartPolicyRules")
    found: list[Decision] = []
    if policy is None:
        if rules:
            detail = "must specify restartPolicy when restart rules are used"
            found.append(required(at / "restartPolicy", detail))
    elif policy not in _POLICIES:
        found.append(unsupported(at / "restartPolicy", policy, _POLICIES))
    place = at / "restartPolicyRules"
    if len(rules) > _MOST_RULES:
        found.append(too_many(place, len(rules), _MOST_RULES))
    return merge(*found, *(_rule(rule, place / index) for index, rule in enumerate(rules)))


def check_init(container: JsonObject, at: Path) -> Decision:
    """The same of an init container: without a policy, its rules are not looked at."""
    found = check(container, at)
    if pointer(container, "restartPolicy") is None:
        return Decision(violations=found.violations[:1])
    return found


def _rule(rule: JsonObject, at: Path) -> Decision:
    found: list[Decision] = []
    action = text(rule, "action")
    if action not in _ACTIONS:
        found.append(unsupported(at / "action", action, _ACTIONS))
    if rule.get("exitCodes") is None:
        return merge(*found, required(at / "exitCodes", "must be specified"))
    codes, place = member(rule, "exitCodes"), at / "exitCodes"
    operator, values = text(codes, "operator"), codes.get("values")
    if operator not in _OPERATORS:
        found.append(unsupported(place / "operator", operator, _OPERATORS))
    if isinstance(values, list) and len(values) > _MOST_CODES:
        found.append(too_many(place / "values", len(values), _MOST_CODES))
    return merge(*found)
