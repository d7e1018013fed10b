"""The status of a Pod as the kubelet writes it.

Specification (kubelet, `generateAPIPodStatus`, `updateStatusInternal`, `TerminatePod`, `rejectPod`, in our words):
- A phase that was terminal stays. Reason and message stay as long as the phase does. A Pod that is evicted, preempted
  or past its deadline has failed, with that reason and message.
- A Pod that was not admitted has failed with the reason and "Pod was rejected: " and the message, and nothing else.
- The start time is that of the first status. The generation is that of the Pod that was looked at.
- Addresses stay when the sandbox is gone. A Pod on the node's network has the node's.
- What has a record of having been begun and no end when all is over has ended for unknown reasons (137).
- A termination message is at most 12288 bytes divided by the number of containers.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Pod
from podward.api.json_value import Json, JsonObject, copied_object
from podward.api.pod_seen import PodEnding, PodSeen
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import (
    container_statuses,
    moments,
    pod_conditions,
    pod_phase,
    pod_sandbox,
    resources,
    whole_resources,
)
from podward.policy.kubelet.container_kinds import of_pod
from podward.policy.kubelet.pod_conditions import Phased
from podward.policy.kubelet.pod_phase import FAILED, TERMINAL

MOST_MESSAGES = 12 * 1024
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
KEPT = ("startTime", "resourceClaimStatuses", "extendedResourceClaimStatus", "nominatedNodeName")
"""What stays as it is once it is there; but for the start time, others set it."""


class _Facts(Struct, frozen=True):
    """What `decide` is asked about."""

    pod: Pod
    document: JsonObject
    before: JsonObject
    seen: PodSeen

    @property
    def api(self) -> JsonObject:
        """The status in the API."""
        return member(self.document, "status")


def decide(pod: Pod, document: JsonObject, before: JsonObject, seen: PodSeen) -> JsonObject:
    """The status as the node knows it.

    `document` is the Pod as the API has it, with its status; `before` the last status that was decided here, or that of
    the document. Where `seen.ending` rejects the Pod, only that is told.
    """
    facts = _Facts(pod, document, before, seen)
    if seen.ending is not None and seen.ending.rejected:
        return _finished(facts, _rejected(pod, seen.ending))
    status = _addresses(facts)
    status["qosClass"] = resources.qos(pod.spec)
    status.update(container_statuses.of(pod, document, before, seen))
    status.update(whole_resources.told(document, before, seen.cgroup))
    listed = (*objects(status, "initContainerStatuses"), *objects(status, "containerStatuses"))
    status.update(_phase(facts, listed))
    status["conditions"] = pod_conditions.decide(Phased(pod, document, str(status["phase"]), listed, before, seen))
    return _finished(facts, status)


def _rejected(pod: Pod, ending: PodEnding) -> JsonObject:
    return {
        "phase": FAILED,
        "reason": ending.reason,
        "message": f"Pod was rejected: {ending.message}",
        "qosClass": resources.qos(pod.spec),
    }


def _finished(facts: _Facts, status: JsonObject) -> JsonObject:
    """The status with what does not follow from containers."""
    for name in KEPT:
        kept = facts.before.get(name) or facts.api.get(name)
        if kept:
            status[name] = kept
    status.setdefault("startTime", moments.of(facts.seen.now))
    generation, told = member(facts.document, "metadata").get("generation"), facts.before.get("observedGeneration")
    if isinstance(generation, int):
        status["observedGeneration"] = max(generation, told if isinstance(told, int) else 0)
    longest = MOST_MESSAGES // max(1, len(of_pod(facts.pod.spec)))
    for name in _STATUSES:
        for row in objects(status, name):
            for state in ("state", "lastState"):
                _cut_message(row, state, longest)
    return status


def _cut_message(row: JsonObject, state: str, longest: int) -> None:
    ended = member(member(row, state), "terminated")
    message = ended.get("message")
    if isinstance(message, str) and len(message.encode()) > longest:
        row[state] = {"terminated": {**ended, "message": message.encode()[:longest].decode("utf-8", "ignore")}}


def _addresses(facts: _Facts) -> JsonObject:
    seen, on_host = facts.seen, facts.pod.spec.host_network
    status: JsonObject = {}
    if seen.host_ips:
        status["hostIP"] = seen.host_ips[0]
        status["hostIPs"] = [{"ip": address} for address in seen.host_ips[:2]]
    found = seen.host_ips[:2] if on_host else pod_sandbox.addresses(seen)
    known = [row["ip"] for row in objects(facts.before, "podIPs") if isinstance(row.get("ip"), str)]
    shown: list[Json] = [*(known if known and (on_host or not found) else found)]
    if shown:
        status["podIP"] = shown[0]
        status["podIPs"] = [{"ip": address} for address in shown]
    return status


def _phase(facts: _Facts, listed: tuple[JsonObject, ...]) -> JsonObject:
    """The phase, with the reason and the message that go with it."""
    seen, spec = facts.seen, facts.pod.spec
    newest = seen.sandboxes[0].id if seen.sandboxes else ""
    begun = any(run.sandbox == newest for container in spec.containers or () for run in seen.of(container.name).runs)
    phase = pod_phase.decide(spec, listed, over=seen.stopped, begun=begun)
    olds = (facts.before, facts.api)
    if phase not in TERMINAL:
        phase = next((str(old["phase"]) for old in olds if old.get("phase") in TERMINAL), phase)
    made: JsonObject = {"phase": phase}
    if phase == facts.before.get("phase"):
        for name in ("reason", "message"):
            if kept := facts.before.get(name) or facts.api.get(name):
                made[name] = kept
    if seen.ending is not None:
        made.update(phase=FAILED, reason=seen.ending.reason, message=seen.ending.message)
    if facts.api.get("phase") in TERMINAL:
        made["phase"] = facts.api["phase"]
    return made


def ended(document: JsonObject, before: JsonObject) -> JsonObject:
    """The last status, once nothing of the Pod is left: whatever has no end has ended for unknown reasons."""
    status = copied_object(before)
    begun = [row for row in objects(status, "initContainerStatuses") if _has_begun(row)]
    last = begun[-1].get("name") if begun else None
    for row in objects(status, "initContainerStatuses"):
        if last is None:
            break
        _end(row)
        if row.get("name") == last:
            break
    if _is_initialized(document):
        for row in objects(status, "containerStatuses"):
            _end(row)
    if status.get("phase") not in TERMINAL:
        status["phase"] = FAILED
    return status


def _end(row: JsonObject) -> None:
    if "terminated" not in member(row, "state"):
        row["state"] = container_statuses.lost()


def _has_begun(row: JsonObject) -> bool:
    state = member(row, "state")
    return "running" in state or "terminated" in state or "terminated" in member(row, "lastState")


def _is_initialized(document: JsonObject) -> bool:
    """Whether by its last status in the API the Pod has come so far that regular containers could run."""
    if not objects(member(document, "spec"), "initContainers"):
        return True
    api = member(document, "status")
    if any("waiting" not in member(row, "state") or _has_begun(row) for row in objects(api, "containerStatuses")):
        return True
    last = objects(api, "initContainerStatuses")[-1:]
    if not last:
        return False
    if "running" in member(last[0], "state"):
        return last[0].get("started") is True and _is_sidecar(document, last[0])
    codes = (member(member(last[0], state), "terminated").get("exitCode") for state in ("state", "lastState"))
    return any(code == 0 for code in codes)


def _is_sidecar(document: JsonObject, row: JsonObject) -> bool:
    return any(
        container.get("name") == row.get("name") and container.get("restartPolicy") == "Always"
        for container in objects(member(document, "spec"), "initContainers")
    )
