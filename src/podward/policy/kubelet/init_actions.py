"""Which init containers and sidecars are to be started or ended.

Specification (kubelet, `computeInitContainerActions`, in our words): what is there is looked at from the last init
container back, because runs of those before may be gone. A Pod one of whose regular containers was made and has not
ended is initialized; then only sidecars count. The last init container that has a run decides: succeeded, the next one
is started; running, it is waited for; failed, it is started again, or ends the Pod where its policy says so; made but
never started, it is started again. A sidecar counts as done once it runs and its startup probe, if it has one,
succeeded. Sidecars before it that do not run are started too. A running sidecar is ended and started again when its
startup probe or its liveness probe failed, or its definition changed. What is in an unknown state is ended before it is
started.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, PodSpec, Probe
from podward.api.pod_seen import CREATED, EXITED, RUNNING, ContainerRun, PodSeen
from podward.policy.kubelet import container_definition, restarts
from podward.policy.kubelet.container_kinds import Kind, of_init


class Fault(Struct, frozen=True):
    """A run that has to end: why, for the failure of which probe, and whether its definition changed."""

    name: str
    id: str
    message: str
    probe: Probe | None = None
    changed: bool = False


class Steps(Struct, frozen=True):
    """Containers to start, in order, and runs to end; or the whole Pod to end."""

    kill_pod: bool = False
    start: tuple[tuple[str, Kind], ...] = ()
    kill: tuple[Fault, ...] = ()


class _Plan:
    """The steps as they are found, from the last container to the first."""

    def __init__(self) -> None:
        self.start: list[int] = []
        self.kill: list[Fault] = []
        self.initialized = False
        self.done_before = False
        """Whether a container after the one that is looked at has a run, or the Pod is initialized."""
        self.over = False


def decide(spec: PodSpec, seen: PodSeen) -> tuple[bool, Steps]:
    """Whether all init containers are done, and what is to be done about them."""
    listed = spec.init_containers or ()
    if not listed:
        return True, Steps()
    plan = _Plan()
    plan.initialized = plan.done_before = any(
        run is not None and run.status.state in {CREATED, RUNNING}
        for run in (seen.newest(container.name) for container in spec.containers or ())
    )
    for index in range(len(listed) - 1, -1, -1):
        _look(spec, seen, plan, index)
        if plan.over:
            return False, Steps(kill_pod=True, kill=tuple(plan.kill))
    if not plan.done_before:
        plan.start.append(0)
    start = tuple((listed[index].name, of_init(listed[index])) for index in reversed(plan.start))
    return plan.initialized, Steps(False, start, tuple(plan.kill))


def _look(spec: PodSpec, seen: PodSeen, plan: _Plan, index: int) -> None:
    container = (spec.init_containers or ())[index]
    sidecar = of_init(container) is Kind.SIDECAR
    run = seen.newest(container.name)
    if run is None:
        if plan.done_before and sidecar:
            plan.start.append(index)
        return
    if plan.done_before and not sidecar:
        return
    state = run.status.state
    if state == CREATED:
        plan.start.append(index)
    elif state == RUNNING:
        if sidecar:
            _running_sidecar(spec, seen, plan, index)
    elif sidecar:
        if state != EXITED:
            plan.kill.append(_unknown(container, run))
        plan.start.append(index)
    else:
        _ended_init(spec, seen, plan, index)
    plan.done_before = True


def _running_sidecar(spec: PodSpec, seen: PodSeen, plan: _Plan, index: int) -> None:
    listed = spec.init_containers or ()
    container = listed[index]
    run, found = seen.newest(container.name), seen.of(container.name)
    if run is None:
        return
    if container.startup_probe is not None and found.startup is not True:
        if found.startup is False:
            text = f"Init container {container.name} failed startup probe"
            plan.kill.append(Fault(container.name, run.status.id, text, container.startup_probe))
            plan.start.append(index)
        return
    if index == len(listed) - 1:
        plan.initialized = True
    elif not plan.done_before:
        plan.start.append(index + 1)
    fault: Fault | None = None
    if container_definition.changed(container, run):
        fault = Fault(container.name, run.status.id, f"Init container {container.name} definition changed")
    elif container.liveness_probe is not None and found.liveness is False:
        text = f"Init container {container.name} failed liveness probe"
        fault = Fault(container.name, run.status.id, text, container.liveness_probe)
    if fault is not None:
        plan.kill.append(fault)
        plan.start.append(index)


def _ended_init(spec: PodSpec, seen: PodSeen, plan: _Plan, index: int) -> None:
    """A plain init container that has ended, or of which that is not known."""
    listed = spec.init_containers or ()
    container = listed[index]
    run = seen.newest(container.name)
    if run is None:
        return
    ended = run.status.state == EXITED
    if ended and run.status.exit_code == 0:
        if index == len(listed) - 1:
            plan.initialized = True
        else:
            plan.start.append(index + 1)
        return
    if ended:
        again = not seen.deleted and restarts.should_restart(container, spec.restart_policy, run.status.exit_code)
    else:
        again = (container.restart_policy or spec.restart_policy) != "Never"
        if again:
            plan.kill.append(_unknown(container, run))
    if again:
        plan.start.append(index)
    else:
        plan.over = True


def _unknown(container: Container, run: ContainerRun) -> Fault:
    text = 'Init container is in "unknown" state, try killing it before restart'
    return Fault(container.name, run.status.id, text)
