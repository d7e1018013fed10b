"""What the conditions of a namespace that ends say of what is left in it.

Specification: Kubernetes, pkg/controller/namespace/deletion status_condition_utils.go. The text of a condition is
looked at whole; its time changes with its status alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text, texts

_FINE = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
"""The conditions in their order, with the reason and the words of each where all is well."""
_OF_FINALIZERS = 15
"""Seconds that finalizers are expected to take."""


class Left(Struct):
    """What is left of one resource: how many objects, of which finalizers, for how many seconds; or what failed."""

    count: int = 0
    finalizers: dict[str, int] = {}
    seconds: int = 0
    fault: str = ""


class Totals(Struct):
    """What is left in a namespace. `undiscovered` is what could not be found out of what there is."""

    by_resource: dict[tuple[str, str], int] = {}
    by_finalizer: dict[str, int] = {}
    faults: list[str] = []
    undiscovered: str = ""
    seconds: int = 0
    counted: bool = True
    """Whether all was looked at; as long as Pods are left, nothing else is, and what is left is not told."""

    def add(self, resource: Resource, left: Left) -> None:
        """Count what is left of a resource."""
        self.seconds = max(self.seconds, left.seconds)
        if left.count:
            self.by_resource[resource.plural, resource.group] = left.count
        for name, count in left.finalizers.items():
            self.by_finalizer[name] = self.by_finalizer.get(name, 0) + count
        if left.fault:
            self.faults.append(left.fault)


def left_of(resource: Resource, namespace: str, items: list[JsonObject], grace: int) -> Left:
    """What is left of a resource after everything was told to go. `grace`: seconds that Pods may still take."""
    if not items:
        return Left()
    finalizers: dict[str, int] = {}
    for each in items:
        for name in texts(member(each, "metadata"), "finalizers"):
            finalizers[name] = finalizers.get(name, 0) + 1
    if grace or finalizers:
        return Left(len(items), finalizers, grace or _OF_FINALIZERS)
    place = f"{resource.group}/{resource.version}, Resource={resource.plural}"
    return Left(len(items), {}, 0, f"unexpected items still remain in namespace: {namespace} for gvr: {place}")


def grace_of_pods(pods: list[JsonObject], seconds_gone: float) -> int:
    """For how many seconds Pods may still end gracefully; 0 once that time is over."""
    longest = 0
    for pod in pods:
        seconds = member(pod, "spec").get("terminationGracePeriodSeconds")
        if member(pod, "status").get("phase") not in {"Succeeded", "Failed"} and isinstance(seconds, int):
            longest = max(longest, seconds)
    return longest if seconds_gone < longest else 0


def with_conditions(status: JsonObject, totals: Totals, now: str) -> JsonObject:
    """The status of a namespace that ends; the same one where nothing has changed."""
    wanted, listed, changed = _said(totals), list[Json](objects(status, "conditions")), False
    for name, fine in _FINE.items():
        state = "True" if name in wanted else "False"
        reason, message = wanted.get(name, fine)
        made: JsonObject = {
            "type": name,
            "status": state,
            "lastTransitionTime": now,
            "reason": reason,
            "message": message,
        }
        old = next((each for each in objects(status, "conditions") if each.get("type") == name), None)
        if old is None:
            listed.append(made)
            changed = True
        elif any(text(old, key) != made[key] for key in ("status", "reason", "message")):
            if old.get("status") == state:
                made["lastTransitionTime"] = old.get("lastTransitionTime")
            listed[listed.index(old)] = made
            changed = True
    return {**status, "conditions": listed} if changed else status


def _said(totals: Totals) -> Mapping[str, tuple[str, str]]:
    """The reason and the words of each condition that is true."""
    found: dict[str, tuple[str, str]] = {}
    if totals.undiscovered:
        found["NamespaceDeletionDiscoveryFailure"] = ("DiscoveryFailed", totals.undiscovered)
    if totals.faults:
        said = f"Failed to delete all resource types, {len(totals.faults)} remaining: "
        found["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", said + ", ".join(sorted(totals.faults)))
    if totals.by_resource and totals.counted:
        each = sorted(f"{name}.{group} has {n} resource instances" for (name, group), n in totals.by_resource.items())
        said = f"Some resources are remaining: {', '.join(each)}"
        found["NamespaceContentRemaining"] = ("SomeResourcesRemain", said)
    if totals.by_finalizer and totals.counted:
        each = sorted(f"{name} in {count} resource instances" for name, count in totals.by_finalizer.items())
        said = f"Some content in the namespace has finalizers remaining: {', '.join(each)}"
        found["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", said)
    return found


def finalized(namespace: JsonObject, finalizer: str) -> JsonObject:
    """The namespace without a finalizer of its spec."""
    spec = member(namespace, "spec")
    kept: list[Json] = [*sorted(name for name in set(texts(spec, "finalizers")) if name != finalizer)]
    return {**namespace, "spec": {**spec, "finalizers": kept}}
