"""Which run of a container a request for its log means, and why there is none.

Specification: Kubernetes, pkg/kubelet/kubelet_pods.go validateContainerLogStatus.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.policy.kubelet.container_rows import bare_id, id_of, rows
from podward.schema.validation.raw import text

_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class NoLog(Struct, frozen=True):
    """Why there is no log."""

    why: str


def run_with_log(pod: JsonObject, container: str, *, previous: bool) -> str | NoLog:
    """The id of the container whose log is meant, as the Pod's status has it, without the runtime's name."""
    name = text(member(pod, "metadata"), "name")
    found = next((each for each in rows(pod) if each.get("name") == container), None)
    of = f'container "{container}" in pod "{name}"'
    if found is None:
        return NoLog(f"{of} is not available")
    state = member(found, "state")
    last = text(member(member(found, "lastState"), "terminated"), "containerID")
    if previous:
        return bare_id(last) if last else NoLog(f"previous terminated {of} not found")
    if "running" in state:
        return id_of(found)
    ended = text(member(state, "terminated"), "containerID")
    if "terminated" in state or "terminated" in member(found, "lastState"):
        return bare_id(ended or last) if ended or last else NoLog(f"{of} is terminated")
    if "waiting" in state:
        reason = text(member(state, "waiting"), "reason")
        return NoLog(f"{of} is waiting to start: {_WAITING.get(reason, reason)}")
    return NoLog(f"{of} is waiting to start - no logs yet")
