"""The events that a kubelet tells of its own Node.

Specification (kubelet, `birthCry`, the setters of pkg/kubelet/nodestatus, in our words): that it starts; each condition
whose status has changed, or that is new; and that the machine was started anew since the last status. They are about
the Node by its name alone.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet.pod_events import NORMAL, WARNING, PodEvent

STARTING = PodEvent(NORMAL, "Starting", "Starting kubelet.")
_REASONS = {
    ("MemoryPressure", "False"): "NodeHasSufficientMemory",
    ("MemoryPressure", "True"): "NodeHasInsufficientMemory",
    ("DiskPressure", "False"): "NodeHasNoDiskPressure",
    ("DiskPressure", "True"): "NodeHasDiskPressure",
    ("PIDPressure", "False"): "NodeHasSufficientPID",
    ("PIDPressure", "True"): "NodeHasInsufficientPID",
    ("Ready", "True"): "NodeReady",
    ("Ready", "False"): "NodeNotReady",
}


def about(name: str) -> JsonObject:
    """The object that the events are of."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def of(name: str, before: JsonObject, after: JsonObject) -> list[PodEvent]:
    """What is told where the Node of this name gets the status `after`; `before` is empty for a new one."""
    known = {row.get("type"): row.get("status") for row in objects(before, "conditions")}
    told = []
    for row in objects(after, "conditions"):
        reason = _REASONS.get((str(row.get("type")), str(row.get("status"))))
        if reason is not None and known.get(row.get("type")) != row.get("status"):
            told.append(PodEvent(NORMAL, reason, f"Node {name} status is now: {reason}"))
    booted, earlier = (member(status, "nodeInfo").get("bootID") for status in (after, before))
    if earlier and booted != earlier:
        told.append(PodEvent(WARNING, "Rebooted", f"Node {name} has been rebooted, boot id: {booted}"))
    return told
