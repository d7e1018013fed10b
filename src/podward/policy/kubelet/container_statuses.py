"""The statuses of a Pod's containers, as the kubelet tells them.

Specification (kubelet, `convertToAPIContainerStatuses`, `UpdatePodStatus` of the prober, KEP-3619, KEP-5532, in our
words):
- A container that was never seen waits: for `ContainerCreating`, or `PodInitializing` where the Pod has init
  containers. One that had ended by its last status keeps it; else its restart count and its last end are kept.
- What ran by its last status and is gone was ended by somebody (137, `ContainerStatusUnknown`).
- The newest run gives the state, the one before it the last state. The restart count is the run's, never less than it
  was. A run that was created but never started waits.
- A container that is to be started, and whose last attempt failed, waits with the failure's reason and message; an end
  that was its state becomes its last state.
- A plain init container that has succeeded keeps that; one whose run is gone while regular containers were made has
  succeeded.
- `started` is whether it runs and its startup probe has succeeded, or there is none; `ready` besides whether its
  readiness probe has succeeded, or there is none. An init container is ready when it has succeeded. A node that has
  just begun keeps what was told of a run.
- While all containers begin anew, one that was removed waits for `RestartingAllContainers`.
- Regular and ephemeral containers are sorted by name, init containers stand as in the Pod.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.core import Container, Pod, Probe, VolumeMount
from podward.api.json_value import Json, JsonObject
from podward.api.pod_seen import CREATED, EXITED, RUNNING, ContainerRun, ContainerSeen, PodSeen
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import restarts, running_resources
from podward.policy.kubelet.container_kinds import Kind, of_init
from podward.policy.kubelet.moments import written

UNKNOWN = "ContainerStatusUnknown"
RESTARTING_ALL = "RestartingAllContainers"
LOST = "The container could not be located when the pod was terminated"
_LOST_WHILE_AWAY = "The container could not be located when the pod was deleted.  The container used to be Running"
_REMOVED = "The container is removed because RestartAllContainers in place"
_FORGOTTEN = (
    "Unable to get init container status from container runtime and pod has been initialized,"
    " treat it as exited normally"
)
_KILLED = 137


class _Facts(Struct, frozen=True):
    """What the statuses of one list are made of; `before` are those it had, by name."""

    pod: Pod
    raw: JsonObject
    seen: PodSeen
    before: dict[str, JsonObject]
    restarting_all: bool


def of(pod: Pod, raw: JsonObject, before: JsonObject, seen: PodSeen) -> JsonObject:
    """The three lists, by their names in the status; `before` is the last status, `raw` the Pod's document."""
    restarting = restarting_all(pod, before, seen)
    lists: tuple[tuple[str, str, Iterable[Container]], ...] = (
        ("initContainerStatuses", "initContainers", pod.spec.init_containers or ()),
        ("containerStatuses", "containers", pod.spec.containers or ()),
        ("ephemeralContainerStatuses", "ephemeralContainers", pod.spec.ephemeral_containers or ()),
    )
    made: JsonObject = {}
    for name, field, containers in lists:
        known = {str(status.get("name")): status for status in objects(before, name)}
        written_as = {str(item.get("name")): item for item in objects(member(raw, "spec"), field)}
        rows: list[JsonObject] = []
        for container in containers:
            facts = _Facts(pod, written_as.get(container.name, {}), seen, known, restarting)
            rows.append(_status(facts, container, kind_in(name, container)))
        if name != "initContainerStatuses":
            rows.sort(key=lambda row: str(row["name"]))
        if rows:
            listed: list[Json] = [*rows]
            made[name] = listed
    return made


def kind_in(name: str, container: Container) -> Kind:
    """What a container of the list of this name is."""
    if name == "initContainerStatuses":
        return of_init(container)
    return Kind.REGULAR if name == "containerStatuses" else Kind.EPHEMERAL


def restarting_all(pod: Pod, before: JsonObject, seen: PodSeen) -> bool:
    """Whether the Pod's containers all begin anew: it was so, or one has ended in a way that causes it."""
    for row in objects(before, "conditions"):
        if row.get("type") == "AllContainersRestarting" and row.get("status") == "True":
            return True
    told = {
        str(row.get("name")): row
        for name in ("initContainerStatuses", "containerStatuses")
        for row in objects(before, name)
    }
    for container in (*(pod.spec.init_containers or ()), *(pod.spec.containers or ())):
        run = seen.newest(container.name)
        if run is None or run.status.state != EXITED:
            continue
        if restarts.restarts_all(container, run.status.exit_code):
            return True
        code = member(member(told.get(container.name, {}), "state"), "terminated").get("exitCode")
        if isinstance(code, int) and restarts.restarts_all(container, code):
            return True
    return False


def _status(facts: _Facts, container: Container, kind: Kind) -> JsonObject:
    seen, old = facts.seen.of(container.name), facts.before.get(container.name)
    status = _default(facts, container, old)
    if not seen.runs and old is not None:
        _is_gone(facts, status, old)
    if seen.runs:
        status = _of_run(facts, container, seen.runs[0], old)
        if len(seen.runs) > 1:
            status["lastState"] = _of_run(facts, container, seen.runs[1], old)["state"]
    if not _keeps_success(facts, container, kind, status):
        _wait(facts, container, status)
    if kind is not Kind.EPHEMERAL:
        _probe(seen, kind, container, status, old)
    return status


def _default(facts: _Facts, container: Container, old: JsonObject | None) -> JsonObject:
    """The status of a container that has no run."""
    if old is not None and "terminated" in member(old, "state"):
        return {**old}
    reason = "PodInitializing" if facts.pod.spec.init_containers else "ContainerCreating"
    status = _new(container.name, container.image or "", {"waiting": {"reason": reason}})
    mounts = [_mount(mount, facts.seen) for mount in container.volume_mounts or ()]
    if mounts:
        listed: list[Json] = [*mounts]
        status["volumeMounts"] = listed
    if old is not None:
        status["restartCount"] = old.get("restartCount", 0)
        status["lastState"] = old.get("lastState", {})
    return status


def _new(name: str, image: str, state: JsonObject) -> JsonObject:
    return {
        "name": name,
        "state": state,
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": image,
        "imageID": "",
    }


def _mount(mount: VolumeMount, seen: PodSeen) -> JsonObject:
    """How a volume is mounted: a mount that is read-only tells whether what is below it is, too."""
    made: JsonObject = {"name": mount.name, "mountPath": mount.mount_path}
    if mount.read_only:
        wanted = mount.recursive_read_only
        recursive = wanted == "Enabled" or (wanted == "IfPossible" and seen.recursive_read_only)
        made.update(readOnly=True, recursiveReadOnly="Enabled" if recursive else "Disabled")
    return made


def _is_gone(facts: _Facts, status: JsonObject, old: JsonObject) -> None:
    """No run is left of a container that had a status."""
    state = member(old, "state")
    if facts.restarting_all and "waiting" not in state:
        status["state"] = {"waiting": {"reason": RESTARTING_ALL, "message": _REMOVED}}
        status["lastState"] = _ended_unknown(RESTARTING_ALL, _REMOVED)
        status["restartCount"] = _count(old) + 1
    elif "running" in state and "terminated" not in member(status, "lastState"):
        status["lastState"] = _ended_unknown(UNKNOWN, _LOST_WHILE_AWAY)
        if not facts.seen.deleted:
            status["restartCount"] = _count(status) + 1


def _ended_unknown(reason: str, message: str) -> JsonObject:
    return {
        "terminated": {
            "exitCode": _KILLED,
            "reason": reason,
            "message": message,
            "startedAt": None,
            "finishedAt": None,
        }
    }


def lost() -> JsonObject:
    """The state of a container that must have ended, nobody knows how."""
    return _ended_unknown(UNKNOWN, LOST)


def _count(status: JsonObject) -> int:
    count = status.get("restartCount")
    return count if isinstance(count, int) else 0


def _of_run(facts: _Facts, container: Container, run: ContainerRun, old: JsonObject | None) -> JsonObject:
    cri = run.status
    status = _new(container.name, cri.image.image, {})
    status.update(restartCount=run.attempt, imageID=cri.image_ref, containerID=f"{facts.seen.runtime}://{cri.id}")
    mounts = old.get("volumeMounts") if old is not None else _default(facts, container, None).get("volumeMounts")
    if mounts:
        status["volumeMounts"] = mounts
    if old is not None:
        _carry_over(status, old)
    status["state"] = _state(facts, run, old)
    if old is not None and _was_lost(run, status, old):
        status["restartCount"] = _count(old) + 1
    status.update(running_resources.told(facts.raw, run))
    if cri.user is not None and cri.user.linux is not None:
        linux = cri.user.linux
        user: JsonObject = {"uid": linux.uid, "gid": linux.gid}
        if linux.supplemental_groups:
            user["supplementalGroups"] = [*linux.supplemental_groups]
        status["user"] = {"linux": user}
    return status


def _was_lost(run: ContainerRun, status: JsonObject, old: JsonObject) -> bool:
    """Whether there was an end of which the runtime's own count does not know."""
    if run.status.state == RUNNING:
        return "terminated" in member(old, "state") and _count(old) >= run.attempt
    return run.status.state != EXITED and "terminated" in member(status, "state")


def _carry_over(status: JsonObject, old: JsonObject) -> None:
    """What is known from before, of runs that were removed."""
    status["restartCount"] = max(_count(status), _count(old))
    ended = member(member(old, "state"), "terminated")
    if ended and old.get("containerID") != status["containerID"]:
        status["lastState"] = {"terminated": ended}
    elif before := member(member(old, "lastState"), "terminated"):
        status["lastState"] = {"terminated": before}


def _state(facts: _Facts, run: ContainerRun, old: JsonObject | None) -> JsonObject:
    cri = run.status
    if cri.state == RUNNING:
        return {"running": {"startedAt": written(cri.started_at)}}
    if cri.state == EXITED:
        ended: JsonObject = {"exitCode": cri.exit_code}
        if cri.reason:
            ended["reason"] = cri.reason
        if cri.message:
            ended["message"] = cri.message
        ended.update(
            startedAt=written(cri.started_at),
            finishedAt=written(cri.finished_at),
            containerID=f"{facts.seen.runtime}://{cri.id}",
        )
        return {"terminated": ended}
    if cri.state != CREATED and old is not None and "running" in member(old, "state"):
        return _ended_unknown(RESTARTING_ALL if facts.restarting_all else UNKNOWN, LOST)
    return {"waiting": {}}


def _keeps_success(facts: _Facts, container: Container, kind: Kind, status: JsonObject) -> bool:
    """Whether it is an init container that has done its part."""
    if kind not in {Kind.INIT, Kind.SIDECAR}:
        return False
    run = facts.seen.newest(container.name)
    if run is not None:
        return run.status.state == EXITED and run.status.exit_code == 0
    if kind is Kind.SIDECAR or "waiting" not in member(status, "state"):
        return False
    regular = (facts.seen.newest(other.name) for other in facts.pod.spec.containers or ())
    if not any(other is not None and other.status.state in {CREATED, RUNNING, EXITED} for other in regular):
        return False
    status["state"] = {
        "terminated": {
            "exitCode": 0,
            "reason": "Completed",
            "message": _FORGOTTEN,
            "startedAt": None,
            "finishedAt": None,
        }
    }
    return True


def _wait(facts: _Facts, container: Container, status: JsonObject) -> None:
    """A container that is to be started again waits, and says for what."""
    failure = facts.seen.of(container.name).failure
    if failure is None or not _is_to_start(facts, container):
        return
    if "terminated" in member(status, "state"):
        status["lastState"] = status["state"]
    waiting: JsonObject = {"reason": failure.reason}
    if failure.message:
        waiting["message"] = failure.message
    status["state"] = {"waiting": waiting}


def _is_to_start(facts: _Facts, container: Container) -> bool:
    run = facts.seen.newest(container.name)
    if facts.seen.deleted:
        return False
    if run is None or run.status.state not in {RUNNING, EXITED}:
        return True
    if run.status.state == RUNNING:
        return False
    return restarts.should_restart(container, facts.pod.spec.restart_policy, run.status.exit_code)


def _probe(seen: ContainerSeen, kind: Kind, container: Container, status: JsonObject, old: JsonObject | None) -> None:
    """Set `started` and `ready`; where the probes have no verdict yet, what was told of this very run counts."""
    state = member(status, "state")
    before = old if old is not None and old.get("containerID") == status.get("containerID") else {}
    started = "running" in state and _holds(container.startup_probe, before.get("started"), seen.startup)
    status["started"] = started
    if kind is Kind.INIT:
        status["ready"] = member(state, "terminated").get("exitCode") == 0
    else:
        status["ready"] = started and _holds(container.readiness_probe, before.get("ready"), seen.readiness)


def _holds(probe: Probe | None, before: Json, verdict: Json) -> bool:
    return verdict is True if verdict is not None else probe is None or before is True
