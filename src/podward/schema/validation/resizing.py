"""What happens to a container when its resources change.

Specification: Kubernetes, validateResizePolicy and validateInitContainers. Of each resource one policy; a Pod that
never restarts can't restart a container for it, and neither can an init container that isn't a sidecar.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.path import Path
from podward.schema.validation.field import duplicate, invalid_value, required, unsupported
from podward.schema.validation.raw import text

_RESOURCES = ("cpu", "memory")
_POLICIES = ("NotRequired", "RestartContainer")


def check(container: JsonObject, pod_restart: str, at: Path) -> Decision:
    """A container's `resizePolicy`; `pod_restart` is the Pod's restartPolicy."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, entry in enumerate(objects(container, "resizePolicy")):
        resource, policy = text(entry, "resourceName"), text(entry, "restartPolicy")
        if resource in seen:
            found.append(duplicate(at / index, resource))
        seen.add(resource)
        for value, known in ((resource, _RESOURCES), (policy, _POLICIES)):
            if value not in known:
                found.append(unsupported(at, value, known) if value else required(at))
        if pod_restart == "Never" and policy != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            found.append(invalid_value(at, policy, detail))
    return merge(*found)


def check_init(container: JsonObject, at: Path) -> Decision:
    """The same of an init container that isn't a sidecar."""
    detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
    return merge(
        *(
            invalid_value(at / index / "restartPolicy", "RestartContainer", detail)
            for index, entry in enumerate(objects(container, "resizePolicy"))
            if text(entry, "restartPolicy") == "RestartContainer"
        )
    )
