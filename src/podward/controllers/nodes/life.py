"""What a Node's conditions mean for its taints, and what they become when nothing is heard of it.

Specification: Kubernetes, pkg/controller/nodelifecycle/node_lifecycle_controller.go, in our words:
- A Node that is not ready, not heard of, or under pressure has a taint of NoSchedule that says so; and so has one that
  is unschedulable. These taints are the controller's: they go with their causes.
- One that is not ready or not heard of has the same taint of NoExecute, too, but never both.
- A Node whose status and Lease have not changed for so long is of unknown condition in all that its kubelet tells.
"""

from __future__ import annotations

from collections.abc import Mapping

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text

NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
_NO_SCHEDULE, _NO_EXECUTE = "NoSchedule", "NoExecute"
_OF_CONDITIONS: Mapping[tuple[str, str], str] = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
}
_OLDER: Mapping[str, str] = {
    "kubernetes.io/os": "beta.kubernetes.io/os",
    "kubernetes.io/arch": "beta.kubernetes.io/arch",
}
_OURS = frozenset(_OF_CONDITIONS.values()) | {_UNSCHEDULABLE}
_TOLD_BY_KUBELETS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_NEVER = ("NodeStatusNeverUpdated", "Kubelet never posted node status.")
_NO_MORE = ("NodeStatusUnknown", "Kubelet stopped posting node status.")


def condition(node: JsonObject, of_type: str) -> JsonObject | None:
    """A condition of a Node or a Pod."""
    return next((each for each in objects(member(node, "status"), "conditions") if each.get("type") == of_type), None)


def taints(node: JsonObject, moment: str) -> list[Json] | None:
    """The Node's taints as they should be; None where they are so."""
    wanted = [
        (key, _NO_SCHEDULE)
        for each in objects(member(node, "status"), "conditions")
        if (key := _OF_CONDITIONS.get((text(each, "type"), text(each, "status")))) is not None
    ]
    if member(node, "spec").get("unschedulable") is True:
        wanted.append((_UNSCHEDULABLE, _NO_SCHEDULE))
    wanted += [(key, _NO_EXECUTE) for key, _ in wanted if key in {NOT_READY, UNREACHABLE}]
    there = objects(member(node, "spec"), "taints")
    kept = [each for each in there if not _is_ours(each) or (text(each, "key"), text(each, "effect")) in wanted]
    have = {(text(each, "key"), text(each, "effect")) for each in kept}
    added: list[JsonObject] = [
        {"key": key, "effect": effect, "timeAdded": moment} for key, effect in wanted if (key, effect) not in have
    ]
    return [*kept, *added] if added or len(kept) != len(there) else None


def older_labels(node: JsonObject) -> JsonObject:
    """The older names of labels that a Node lacks or has with another value."""
    labels = member(member(node, "metadata"), "labels")
    return {
        older: labels[newer]
        for newer, older in _OLDER.items()
        if newer in labels and labels.get(older) != labels[newer]
    }


def _is_ours(taint: JsonObject) -> bool:
    key, effect = text(taint, "key"), text(taint, "effect")
    return key in _OURS if effect == _NO_SCHEDULE else effect == _NO_EXECUTE and key in {NOT_READY, UNREACHABLE}


def unheard_of(node: JsonObject, moment: str) -> list[Json]:
    """The conditions that change when nothing has been heard of a Node; none where they are so."""
    changed: list[Json] = []
    for of_type in _TOLD_BY_KUBELETS:
        known = condition(node, of_type)
        if known is not None and known.get("status") == "Unknown":
            continue
        reason, message = _NEVER if known is None else _NO_MORE
        heard: Json = (
            member(node, "metadata").get("creationTimestamp") if known is None else known.get("lastHeartbeatTime")
        )
        changed.append(
            {
                "type": of_type,
                "status": "Unknown",
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": heard,
                "lastTransitionTime": moment,
            }
        )
    return changed
