"""What a kubelet makes of the results of a container's probes.

Specification (kubelet `prober/worker.go` and `prober/results`, core/v1 defaults of Probe, in our words):
- Unset fields are: timeout 1 s, period 10 s, success threshold 1, failure threshold 3, initial delay 0 s.
- A probe's verdict begins as success for liveness, failure for readiness and unknown for startup. It becomes a result
  once as many results of that kind came in a row as its threshold says; until then it stays what it was. A probe that
  could not be made at all (Result.ERROR) has no result.
- A container with a startup probe has not started before that succeeds, and until then its other probes are not asked.
- A container fails when its liveness or startup probe fails. It is then killed, and restarted unless its Pod's restart
  policy is Never. A liveness probe that has failed, and a startup probe that has a verdict, are not asked again before
  the container's next run.
- Startup and readiness are asked as soon as the container runs, liveness for the first time one period later; all
  of them then once in a period, by a ticker: what took longer is asked again at once; and not before the initial delay
  has passed since the container's start. When the startup probe succeeds, readiness is asked at once.
- Who fails has the probe's own termination grace period, else the Pod's.

A gRPC probe is not made here: its container is as one without it.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct, structs

from podward.api.core import Container, Probe

TIMEOUT, PERIOD, SUCCESSES, FAILURES = 1, 10, 1, 3


class ProbeKind(Enum):
    """What a probe is for."""

    STARTUP = "startup"
    LIVENESS = "liveness"
    READINESS = "readiness"


class Result(Enum):
    """What came of asking once."""

    SUCCESS = "success"
    WARNING = "warning"
    """A success, with something to be told."""
    FAILURE = "failure"
    UNKNOWN = "unknown"
    ERROR = "error"


class Effect(Enum):
    """What a verdict means for the container."""

    STARTED = "started"
    READY = "ready"
    NOT_READY = "not ready"
    RESTART = "restart"


INITIAL = {
    ProbeKind.STARTUP: Result.UNKNOWN,
    ProbeKind.LIVENESS: Result.SUCCESS,
    ProbeKind.READINESS: Result.FAILURE,
}
"""The verdict before there is one."""

EFFECTS = {
    (ProbeKind.STARTUP, Result.SUCCESS): Effect.STARTED,
    (ProbeKind.STARTUP, Result.FAILURE): Effect.RESTART,
    (ProbeKind.LIVENESS, Result.FAILURE): Effect.RESTART,
    (ProbeKind.READINESS, Result.SUCCESS): Effect.READY,
    (ProbeKind.READINESS, Result.FAILURE): Effect.NOT_READY,
}
"""What follows from a verdict; a verdict that is not listed changes nothing."""

FINAL = frozenset(
    {
        (ProbeKind.STARTUP, Result.SUCCESS),
        (ProbeKind.STARTUP, Result.FAILURE),
        (ProbeKind.LIVENESS, Result.FAILURE),
    }
)
"""Verdicts after which the probe is not asked again before the container's next run."""


class ProbeState(Struct, frozen=True):
    """How far a probe is in one run of its container: the last result, how often it came in a row, and the verdict."""

    verdict: Result
    last: Result = Result.UNKNOWN
    repeated: int = 0


def initial(kind: ProbeKind) -> ProbeState:
    """The state at the beginning of a run."""
    return ProbeState(INITIAL[kind])


def probes_of(container: Container) -> dict[ProbeKind, Probe]:
    """The container's probes, those with no handler left out."""
    declared = {
        ProbeKind.STARTUP: container.startup_probe,
        ProbeKind.LIVENESS: container.liveness_probe,
        ProbeKind.READINESS: container.readiness_probe,
    }
    return {kind: probe for kind, probe in declared.items() if probe is not None}


def after(kind: ProbeKind, probe: Probe, state: ProbeState, result: Result) -> tuple[ProbeState, Effect | None]:
    """The state after one more result, and what follows if the verdict is a new one."""
    if result is Result.ERROR:
        return state, None
    result = Result.SUCCESS if result is Result.WARNING else result
    repeated = state.repeated + 1 if state.last is result else 1
    threshold = (
        probe.failure_threshold or FAILURES if result is Result.FAILURE else probe.success_threshold or SUCCESSES
    )
    if repeated < threshold:
        return structs.replace(state, last=result, repeated=repeated), None
    effect = EFFECTS.get((kind, result)) if result is not state.verdict else None
    return ProbeState(result, result, repeated), effect


def is_asked(kind: ProbeKind, probe: Probe, state: ProbeState, *, started: bool, running_for: float) -> bool:
    """Whether the probe is asked now, `running_for` seconds after its container's start."""
    if (kind, state.verdict) in FINAL or running_for < (probe.initial_delay_seconds or 0):
        return False
    return started is not (kind is ProbeKind.STARTUP)


def first_look(kind: ProbeKind, probe: Probe) -> float:
    """Seconds from the container's start to the first time at which the probe may be asked."""
    return period(probe) if kind is ProbeKind.LIVENESS else 0.0


def period(probe: Probe) -> float:
    """Seconds between two looks."""
    return float(probe.period_seconds or PERIOD)


def next_tick(tick: float, period: float, now: float) -> tuple[float, float]:
    """The look after the one that was due at `tick`, and how long to wait for it.

    Looks are due by the clock, whatever asking took: of those that went by meanwhile one is made up for at once.
    """
    missed = int((now - tick) // period)
    return (tick + missed * period, 0.0) if missed > 0 else (tick + period, tick + period - now)


def timeout(probe: Probe) -> float:
    """Seconds that an answer may take."""
    return float(probe.timeout_seconds or TIMEOUT)


def attempt_text(kind: ProbeKind, result: Result, said: str) -> str:
    """The kubelet's event about one attempt that did not plainly succeed."""
    if result is Result.WARNING:
        return f"{kind.value.capitalize()} probe warning: {said}"
    if result is Result.ERROR:
        return f"{kind.value.capitalize()} probe errored and resulted in unknown state: {said}"
    return f"{kind.value.capitalize()} probe failed: {said}"


def not_made_text(kind: ProbeKind) -> str:
    """What is said of a probe of a kind that is not made here; the container is as it is without it."""
    return f"its {kind.value} probe is not made: gRPC is not spoken here"


def restart_text(kind: ProbeKind, container: str, restart_policy: str) -> str:
    """The kubelet's event about a container that is killed because this probe has failed."""
    again = "" if restart_policy == "Never" else ", will be restarted"
    return f"Container {container} failed {kind.value} probe{again}"
