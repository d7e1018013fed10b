"""When the kubelet starts, restarts and stops a Pod's containers.

Specification (kubelet, `computePodActions`, and KEP-753 sidecar containers, in our words):
- Init containers start one after the other; each must succeed before the next one starts. An init container with its
  own `restartPolicy: Always` is a sidecar: the next container starts as soon as it has started, and it is restarted
  whenever it ends. It has started when it runs and its postStart hook and its startup probe, if any, have succeeded.
  One that has not started yet, or that ended before anything after it began, holds up what comes after it. So does one
  that is started again once no regular container runs; while one runs, nothing waits for a sidecar.
- A failed init container is restarted. Under `restartPolicy: Never` it makes the Pod fail instead. A restart policy of
  a container's own (`restarts`) counts in the place of the Pod's.
- Then the regular containers start in their order, each once the postStart hook of the one before has ended. One that
  ended is restarted under Always, under OnFailure if it or one of its probes failed, and never under Never.
- Ephemeral containers start at once, or as soon as their target runs, and are never started again. The Pod does not
  wait for them, and their exit codes are not its own.
- When no regular container runs or will run again, sidecars are stopped in reverse order and the Pod is done.
- The first restart is immediate. The second waits 10 s, and each further one twice as long, up to 300 s. A container
  that ran for 600 s starts again with the first restart.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, structs

from podward.policy.kubelet import restarts

FIRST_BACKOFF = 10.0
LONGEST_BACKOFF = 300.0
RESET_AFTER = 600.0
"""Seconds."""


class ContainerState(Enum):
    """How far a container is."""

    WAITING = "waiting"
    RUNNING = "running"
    EXITED = "exited"


FOLLOWS = {
    ContainerState.WAITING: (ContainerState.RUNNING, ContainerState.EXITED),
    ContainerState.RUNNING: (ContainerState.EXITED,),
    ContainerState.EXITED: (ContainerState.RUNNING, ContainerState.EXITED),
}
"""What a container may become next. One that could not be started has exited without having run."""


class ContainerStatus(Struct, frozen=True):
    """The status of one container.

    `kind` is `init`, `sidecar`, `regular` or `ephemeral`; `exit_code` is that of the last run. `starting` says of a
    container that runs that what comes after it must wait; `unhealthy` of one that has exited that a probe's failure
    ended it. `target` names the container whose processes an ephemeral one shares.
    `restart_policy` is what counts after its last end; empty: the Pod's.
    """

    name: str
    kind: str
    state: ContainerState = ContainerState.WAITING
    exit_code: int = 0
    starting: bool = False
    unhealthy: bool = False
    target: str = ""
    restart_policy: str = ""


class PodActions(Struct, frozen=True):
    """The containers to start now, to restart after their backoff, and to stop now.

    `done` is true when the Pod has ended. Then `exit_code` is the Pod's: 0, or the code of the first container that
    failed.
    """

    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    done: bool = False
    exit_code: int = 0


def next_actions(statuses: tuple[ContainerStatus, ...], restart_policy: str) -> PodActions:
    """The actions for these containers, which are listed in the Pod's order (init containers first)."""
    own = tuple(s for s in statuses if s.kind != "ephemeral")
    actions = _of_the_pod(own, restart_policy)
    if actions.done or actions.stop:
        return _end_ephemeral(statuses, actions)
    return structs.replace(actions, start=(*actions.start, *_debugging(statuses)))


def _debugging(statuses: tuple[ContainerStatus, ...]) -> tuple[str, ...]:
    """The ephemeral containers that may start now."""
    running = {s.name for s in statuses if s.state == ContainerState.RUNNING}
    waiting = (s for s in statuses if s.kind == "ephemeral" and s.state == ContainerState.WAITING)
    return tuple(s.name for s in waiting if not s.target or s.target in running)


def _end_ephemeral(statuses: tuple[ContainerStatus, ...], actions: PodActions) -> PodActions:
    """Stop the ephemeral containers of a Pod that ends; it is done when none runs."""
    running = tuple(s.name for s in statuses if s.kind == "ephemeral" and s.state == ContainerState.RUNNING)
    return structs.replace(actions, stop=(*running, *actions.stop), done=actions.done and not running)


def _of_the_pod(statuses: tuple[ContainerStatus, ...], restart_policy: str) -> PodActions:
    """The actions for init containers, sidecars and regular containers."""
    init = tuple(s for s in statuses if s.kind != "regular")
    regular = tuple(s for s in statuses if s.kind == "regular")
    sidecars = tuple(s.name for s in init if s.kind == "sidecar" and s.state == ContainerState.EXITED)
    current = None if _is_over(regular, restart_policy) else _current(init, regular)
    if current is not None:
        plain = current.kind != "sidecar" and current.state == ContainerState.EXITED
        if plain and not _restarts(current, restart_policy):
            return _finish(statuses, current.exit_code)
        start = (current.name,) if current.state == ContainerState.WAITING else ()
        return PodActions(start=start, restart=(*sidecars, *((current.name,) if plain else ())))
    ended = tuple(s.name for s in regular if s.state == ContainerState.EXITED and _restarts(s, restart_policy))
    waiting = tuple(s.name for s in regular if s.state == ContainerState.WAITING)
    if waiting or ended or any(s.state == ContainerState.RUNNING for s in regular):
        held_up = any(s.starting for s in regular)
        return PodActions(start=waiting[: 0 if held_up else 1], restart=(*sidecars, *ended))
    return _finish(statuses, next((s.exit_code for s in regular if s.exit_code), 0))


def _is_over(regular: tuple[ContainerStatus, ...], restart_policy: str) -> bool:
    """Whether every regular container has ended, and none will be started again."""
    ended = (s.state == ContainerState.EXITED and not _restarts(s, restart_policy) for s in regular)
    return bool(regular) and all(ended)


def _current(init: tuple[ContainerStatus, ...], regular: tuple[ContainerStatus, ...]) -> ContainerStatus | None:
    """The first init container that what comes after it has to wait for."""
    works = any(s.state == ContainerState.RUNNING for s in regular)
    for number, status in enumerate(init):
        if status.kind != "sidecar":
            if status.state != ContainerState.EXITED or status.exit_code != 0:
                return status
        elif status.state != ContainerState.RUNNING or status.starting:
            begun = works or any(s.state != ContainerState.WAITING for s in init[number + 1 :])
            if status.state == ContainerState.WAITING or not begun:
                return status
    return None


def _restarts(status: ContainerStatus, policy_of_pod: str) -> bool:
    return restarts.restarts(status.restart_policy or policy_of_pod, failed=status.exit_code != 0 or status.unhealthy)


def _finish(statuses: tuple[ContainerStatus, ...], exit_code: int) -> PodActions:
    """Stop the last container that runs; the Pod is done when none does."""
    running = tuple(s.name for s in reversed(statuses) if s.state == ContainerState.RUNNING)
    return PodActions(stop=running[:1], done=not running, exit_code=exit_code)


def backoff(restarts: int) -> float:
    """The seconds to wait before restart number `restarts` (the first is 1)."""
    return 0.0 if restarts <= 1 else min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(restarts - 2, 10))
