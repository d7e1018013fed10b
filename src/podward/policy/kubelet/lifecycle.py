"""When a Pod's containers are started, restarted and stopped.

Specification (kubelet 1.36, `computePodActions`, and KEP-753 sidecar containers, in our words):
- Init containers start one after the other; each must succeed before the next. An init container with its own
  `restartPolicy: Always` is a sidecar: the next one starts as soon as it runs, and it is restarted whenever it ends.
- A failed init container is restarted, except under `restartPolicy: Never`, where the Pod has failed.
- Then the regular containers start together. One that ended is restarted under Always, under OnFailure if it failed,
  and never under Never.
- When no regular container runs or will run again, sidecars are stopped in reverse order and the Pod is done.
- The first restart comes at once; the next wait 10 s, doubling up to 300 s; a container that has run for 600 s
  starts over.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

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


class Status(Struct, frozen=True):
    """One container: its kind (`init`, `sidecar`, `regular`) and what became of it so far.

    `exit_code` is of the last run.
    """

    name: str
    kind: str
    state: ContainerState = ContainerState.WAITING
    exit_code: int = 0


class Actions(Struct, frozen=True):
    """What to do now: start these, restart those after their backoff, stop these; `done` when nothing is left to do.

    `exit_code` is the Pod's, meaningful when done: 0, or the code of the first container that failed.
    """

    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()
    done: bool = False
    exit_code: int = 0


def next_actions(statuses: tuple[Status, ...], restart_policy: str) -> Actions:
    """The actions for these statuses, in the Pod's order (init containers first)."""
    init = tuple(s for s in statuses if s.kind != "regular")
    regular = tuple(s for s in statuses if s.kind == "regular")
    revived = tuple(s.name for s in init if s.kind == "sidecar" and s.state == ContainerState.EXITED)
    pending = next((s for s in init if _holds_up(s)), None)
    if pending is not None:
        if pending.state == ContainerState.EXITED and restart_policy == "Never":
            return _finish(statuses, pending.exit_code)
        fresh = (pending.name,) if pending.state == ContainerState.WAITING else ()
        failed = (pending.name,) if pending.state == ContainerState.EXITED else ()
        return Actions(start=fresh, restart=(*revived, *failed))
    again = tuple(s.name for s in regular if s.state == ContainerState.EXITED and _restarts(s, restart_policy))
    waiting = tuple(s.name for s in regular if s.state == ContainerState.WAITING)
    if waiting or again or any(s.state == ContainerState.RUNNING for s in regular):
        return Actions(start=waiting, restart=(*revived, *again))
    return _finish(statuses, next((s.exit_code for s in regular if s.exit_code), 0))


def _holds_up(status: Status) -> bool:
    """Whether nothing after this init container may start yet."""
    if status.kind == "sidecar":
        return status.state == ContainerState.WAITING
    return status.state != ContainerState.EXITED or status.exit_code != 0


def _restarts(status: Status, policy: str) -> bool:
    return policy == "Always" or (policy == "OnFailure" and status.exit_code != 0)


def _finish(statuses: tuple[Status, ...], exit_code: int) -> Actions:
    running = tuple(s.name for s in reversed(statuses) if s.state == ContainerState.RUNNING)
    return Actions(stop=running[:1], done=not running, exit_code=exit_code)


def backoff(restarts: int) -> float:
    """Seconds to wait before restart number `restarts` (the first is 1)."""
    return 0.0 if restarts <= 1 else min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(restarts - 2, 10))
