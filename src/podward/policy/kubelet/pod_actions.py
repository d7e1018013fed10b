"""What the kubelet does next for a Pod: which sandbox it makes, which containers it ends, starts, or lets wait.

Specification (kubelet, `computePodActions`, `SyncPod`, `killPodWithSyncResult`, `setTerminationGracePeriod`, KEP-753,
KEP-5532, in our words):
- A Pod that needs a new sandbox (`pod_sandbox`) is ended as a whole first, and its init containers' runs are forgotten.
  None is made for a Pod whose policy is Never and that had containers, nor where every container has succeeded under
  OnFailure: then the Pod is only ended. A new sandbox begins with the first init container.
- Ephemeral containers start whenever they have never been started. A kubelet asks the runtime for that; as ours
  removes all runs where a cluster ends, the status counts, too.
- While init containers (`init_actions`) are not done, nothing else starts. Then those regular containers start that
  never ran, whose state is not known, or that their restart policy starts again.
- A running container is ended when its definition changed (name or image), when its liveness probe or its startup probe
  failed; and is started again unless its policy is Never (always, after a change).
- When no regular container is to be kept or started, the Pod is ended as a whole.
- When all containers are to begin anew (`restarts`), every run is ended at once and removed: those whose end caused
  it last, and of the others the regular ones first.
- Who crashed waits (`back_off`); an init container that waits keeps all that comes after it waiting.
- The time to end is that of the deletion, else the probe's whose failure it is, else the Pod's, else 2 s. Sidecars are
  ended after all regular containers, the last one first.

The containers are to be started in the order given; when a plain init container cannot be started, the rest is left for
the next time. CPU and memory that changed in place are `resizing`'s affair.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.api import go_duration
from podward.api.core import Container, Pod, Probe
from podward.api.json_value import JsonObject
from podward.api.pod_seen import EXITED, RUNNING, BackOff, ContainerRun, Failure, PodSeen
from podward.documents.raw_fields import member, objects
from podward.policy.kubelet import back_off, container_definition, init_actions, pod_sandbox, restarts
from podward.policy.kubelet.container_kinds import Kind, by_name, of_pod
from podward.policy.kubelet.init_actions import Fault, Steps
from podward.policy.kubelet.pod_name import described

SHORTEST_GRACE = 2
"""Seconds that a container always has to end."""


class Kill(Struct, frozen=True):
    """A run to end, within `grace` seconds, preStop included. `after` are containers that must have ended before."""

    name: str
    id: str
    message: str
    grace: int
    after: tuple[str, ...] = ()


class Removal(Struct, frozen=True):
    """A run to remove, and to end at once before where it has not ended."""

    name: str
    id: str
    running: bool


class Start(Struct, frozen=True):
    """A container to start; `back_off` is its state from the attempt on."""

    name: str
    kind: Kind
    attempt: int
    back_off: BackOff | None = None


class Held(Struct, frozen=True):
    """A container that waits until the moment `until`, with what its status says meanwhile."""

    name: str
    until: float
    failure: Failure


class PodActions(Struct, frozen=True):
    """What to do now, in this order: kill, remove, make the sandbox, start.

    `kill_pod` says that the sandboxes are to be stopped after the containers in `kill`. Where `create_sandbox` is set
    besides, the runs of init containers are to be removed, and a sandbox of this attempt made. `sandbox` is the one
    that is there; where it is not "" while one is made, the Pod's sandbox has changed.
    """

    kill_pod: bool = False
    create_sandbox: bool = False
    attempt: int = 0
    sandbox: str = ""
    kill: tuple[Kill, ...] = ()
    remove: tuple[Removal, ...] = ()
    start: tuple[Start, ...] = ()
    held: tuple[Held, ...] = ()

    @property
    def again(self) -> float | None:
        """When there is something to do again, for a container that waits."""
        return min((held.until for held in self.held), default=None)


def decide(pod: Pod, status: JsonObject, seen: PodSeen) -> PodActions:
    """The actions for a Pod that shall run; `status` is the one that `pod_status` has decided from what is seen."""
    need = pod_sandbox.need(pod.spec, seen.sandboxes)
    if _restarts_all(status):
        return PodActions(attempt=need.attempt, sandbox=need.id, remove=_removals(pod, seen))
    if need.new:
        return _with_new_sandbox(pod, seen, need)
    steps = _steps(pod, status, seen)
    if steps.kill_pod:
        return PodActions(kill_pod=True, attempt=need.attempt, sandbox=need.id, kill=_all(pod, seen))
    start, held = _let_wait(pod, seen, steps.start)
    return PodActions(attempt=need.attempt, sandbox=need.id, kill=_kills(pod, seen, steps), start=start, held=held)


def end(pod: Pod, seen: PodSeen) -> PodActions:
    """The actions for a Pod that shall not run any more."""
    return PodActions(kill_pod=True, kill=_all(pod, seen))


def grace_of(pod: Pod, seen: PodSeen, probe: Probe | None = None) -> int:
    """The seconds that a container has to end; `probe` is the one whose failure ends it."""
    if seen.grace is not None:
        return seen.grace
    of_pod = pod.spec.termination_grace_period_seconds
    if of_pod is None:
        return SHORTEST_GRACE
    own = probe.termination_grace_period_seconds if probe is not None else None
    return of_pod if own is None else own


def _restarts_all(status: JsonObject) -> bool:
    return any(
        row.get("type") == "AllContainersRestarting" and row.get("status") == "True"
        for row in objects(status, "conditions")
    )


def _with_new_sandbox(pod: Pod, seen: PodSeen, need: pod_sandbox.SandboxNeed) -> PodActions:
    kill = _all(pod, seen)
    had_any = any(seen.of(name).runs for name, _, _ in of_pod(pod.spec))
    ended = PodActions(kill_pod=True, attempt=need.attempt, sandbox=need.id, kill=kill)
    if pod.spec.restart_policy == "Never" and need.attempt and had_any:
        return ended
    wanted = [
        (container.name, Kind.REGULAR)
        for container in pod.spec.containers or ()
        if not ((container.restart_policy or pod.spec.restart_policy) == "OnFailure" and _succeeded(seen, container))
    ]
    if not wanted and any(_was_made(seen, container) for container in pod.spec.containers or ()):
        return ended
    for container in (pod.spec.init_containers or ())[:1]:
        wanted = [(container.name, by_name(pod.spec)[container.name][0])]
    start, held = _let_wait(pod, seen, tuple(wanted))
    return PodActions(True, True, need.attempt, need.id, kill, start=start, held=held)


def _succeeded(seen: PodSeen, container: Container) -> bool:
    run = seen.newest(container.name)
    return run is not None and run.status.state == EXITED and run.status.exit_code == 0


def _was_made(seen: PodSeen, container: Container) -> bool:
    run = seen.newest(container.name)
    return run is not None and run.status.state != "CONTAINER_UNKNOWN"


def _steps(pod: Pod, status: JsonObject, seen: PodSeen) -> Steps:
    """What is to be started and ended in the sandbox that is there."""
    told = {row.get("name") for row in objects(status, "ephemeralContainerStatuses") if _has_ended(row)}
    begin = [
        (container.name, Kind.EPHEMERAL)
        for container in pod.spec.ephemeral_containers or ()
        if seen.newest(container.name) is None and container.name not in told
    ]
    initialized, steps = init_actions.decide(pod.spec, seen)
    if steps.kill_pod or not initialized:
        return Steps(steps.kill_pod, (*begin, *steps.start), steps.kill)
    regular: list[tuple[str, Kind]] = []
    kill = list(steps.kill)
    kept = False
    for container in pod.spec.containers or ():
        fault, again = _regular(pod, seen, container)
        run = seen.newest(container.name)
        kept = kept or (fault is None and run is not None and run.status.state == RUNNING)
        if fault is not None:
            kill.append(fault)
        if again:
            regular.append((container.name, Kind.REGULAR))
    if not kept and not regular:
        return Steps(kill_pod=True)
    return Steps(False, (*begin, *steps.start, *regular), tuple(kill))


def _has_ended(row: JsonObject) -> bool:
    return "terminated" in member(row, "state") or "terminated" in member(row, "lastState")


def _regular(pod: Pod, seen: PodSeen, container: Container) -> tuple[Fault | None, bool]:
    """Why the container's run is to be ended, if it is, and whether the container is to be started."""
    run = seen.newest(container.name)
    policy = pod.spec.restart_policy
    if run is None:
        return None, not seen.deleted
    if run.status.state == EXITED:
        return None, not seen.deleted and restarts.should_restart(container, policy, run.status.exit_code)
    if run.status.state != RUNNING:
        unknown = run.status.state == "CONTAINER_UNKNOWN"
        text = 'Container is in "unknown" state, try killing it before restart'
        return (Fault(container.name, run.status.id, text) if unknown else None), not seen.deleted
    fault = _fault(container, seen, run)
    if fault is None:
        return None, False
    again = fault.changed or (container.restart_policy or policy) != "Never"
    message = f"{fault.message}, will be restarted" if again else fault.message
    return Fault(fault.name, fault.id, message, fault.probe), again


def _fault(container: Container, seen: PodSeen, run: ContainerRun) -> Fault | None:
    """Why a running container is not as it should be."""
    found, name = seen.of(container.name), container.name
    if container_definition.changed(container, run):
        return Fault(name, run.status.id, f"Container {name} definition changed", changed=True)
    if found.liveness is False:
        return Fault(name, run.status.id, f"Container {name} failed liveness probe", container.liveness_probe)
    if found.startup is False:
        return Fault(name, run.status.id, f"Container {name} failed startup probe", container.startup_probe)
    return None


def _kills(pod: Pod, seen: PodSeen, steps: Steps) -> tuple[Kill, ...]:
    return tuple(Kill(f.name, f.id, f.message, grace_of(pod, seen, f.probe)) for f in steps.kill)


def _all(pod: Pod, seen: PodSeen) -> tuple[Kill, ...]:
    """Every run that has not ended."""
    grace = grace_of(pod, seen)
    regular = tuple(container.name for container in pod.spec.containers or ())
    sidecars = [name for name, kind, _ in of_pod(pod.spec) if kind is Kind.SIDECAR]
    kills = []
    for name, kind, _ in of_pod(pod.spec):
        waits = (*regular, *sidecars[sidecars.index(name) + 1 :][:1]) if kind is Kind.SIDECAR else ()
        running = [run for run in seen.of(name).runs if run.status.state == RUNNING]
        kills += [Kill(name, run.status.id, f"Stopping container {name}", grace, waits) for run in running]
    alive = {kill.name for kill in kills}
    return tuple(
        Kill(k.name, k.id, k.message, k.grace, tuple(other for other in k.after if other in alive)) for k in kills
    )


def _removals(pod: Pod, seen: PodSeen) -> tuple[Removal, ...]:
    """Every run of init and regular containers; last those whose ends are why."""
    causes: list[Removal] = []
    others: list[Removal] = []
    for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
        for run in seen.of(container.name).runs:
            ended = run.status.state == EXITED
            cause = ended and restarts.restarts_all(container, run.status.exit_code)
            (causes if cause else others).append(Removal(container.name, run.status.id, not ended))
    return (*others, *causes)


def _let_wait(
    pod: Pod, seen: PodSeen, wanted: tuple[tuple[str, Kind], ...]
) -> tuple[tuple[Start, ...], tuple[Held, ...]]:
    """Who may start now, and who has to wait; nothing comes after an init container that waits."""
    start: list[Start] = []
    held: list[Held] = []
    for name, kind in wanted:
        run = seen.newest(name)
        ended = next(_ended(seen.of(name).runs), None)
        until = back_off.until(seen.of(name).back_off, ended.finished) if ended is not None else 0.0
        if ended is not None and until > seen.now:
            held.append(Held(name, until, _crash_loop(pod, name, until - ended.finished)))
            if kind is Kind.INIT:
                break
            continue
        state = back_off.after(seen.of(name).back_off, ended.finished, seen.now) if ended is not None else None
        start.append(Start(name, kind, run.attempt + 1 if run is not None else 0, state or seen.of(name).back_off))
    return tuple(start), tuple(held)


def _ended(runs: tuple[ContainerRun, ...]) -> Iterator[ContainerRun]:
    return (run for run in runs if run.status.state == EXITED)


def _crash_loop(pod: Pod, name: str, seconds: float) -> Failure:
    wait = go_duration.text_of(round(seconds))
    return Failure("CrashLoopBackOff", f"back-off {wait} restarting failed container={name} pod={described(pod)}")
