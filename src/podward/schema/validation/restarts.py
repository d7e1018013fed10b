"""When a container starts again: its own policy, rules about exit codes, and what happens when its resources change.

Specification: Kubernetes with ContainerRestartRules and RestartAllContainersOnContainerExits,
validateContainerRestartPolicy, validateResizePolicy, validateInitContainers. Rules need a policy; at most 20, with at
most 255 codes each. Of each resource there is one resize policy; a Pod that never restarts can't restart a container
for it, and neither can an init container that isn't a sidecar.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    invalid_value,
    refused,
    required,
    too_many,
)
from podward.schema.validation.raw import text
from podward.schema.validation.values import one_of
from podward.schema.validation.walk import Scope

_MOST_RULES, _MOST_CODES = 20, 255
_RESOURCES, _RESIZING = one_of("cpu", "memory"), one_of("NotRequired", "RestartContainer")


def rules(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """The `restartPolicyRules` of a container."""
    written, place = objects(container, "restartPolicyRules"), at / "restartPolicyRules"
    found: list[Decision] = []
    if written and container.get("restartPolicy") is None:
        found.append(required(at / "restartPolicy", "must specify restartPolicy when restart rules are used"))
    if len(written) > _MOST_RULES:
        found.append(too_many(place, len(written), _MOST_RULES))
    found += [scope.check("ContainerRestartRule", rule, place / index) for index, rule in enumerate(written)]
    return merge(*found)


def rules_of_init(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """The same of an init container: without a policy, its rules are not looked at."""
    found = rules(container, scope, at)
    return found if container.get("restartPolicy") is not None else Decision(violations=found.violations[:1])


def codes(exit_codes: JsonObject, _scope: Scope, at: Place) -> Decision:
    """How many codes a rule names."""
    values = exit_codes.get("values")
    many = isinstance(values, list) and len(values) > _MOST_CODES
    return too_many(at / "values", len(values), _MOST_CODES) if many and isinstance(values, list) else NOTHING


def resizing(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `resizePolicy`, most of it printed without its index."""
    place, never = at / "resizePolicy", scope.spec.get("restartPolicy") == "Never"
    seen: set[str] = set()
    found: list[Decision] = []
    for index, entry in enumerate(objects(container, "resizePolicy")):
        resource, policy = text(entry, "resourceName"), text(entry, "restartPolicy")
        if resource in seen:
            found.append(duplicate(place / index, resource))
        seen.add(resource)
        for value, rule in ((resource, _RESOURCES), (policy, _RESIZING)):
            if not rule.is_sound(value):
                found.append(refused(place, value, rule.reasons(value)) if value else required(place))
        if never and policy != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            found.append(invalid_value(place, policy, detail))
    return merge(*found)


def resizing_of_ending(container: JsonObject, at: Place) -> Decision:
    """The same of an init container that isn't a sidecar."""
    detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
    return merge(
        *(
            invalid_value(at / "resizePolicy" / index / "restartPolicy", "RestartContainer", detail)
            for index, entry in enumerate(objects(container, "resizePolicy"))
            if text(entry, "restartPolicy") == "RestartContainer"
        )
    )
