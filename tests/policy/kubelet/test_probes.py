"""Probes: thresholds, what a verdict means, when a probe is asked, and the kubelet's defaults and words."""

from __future__ import annotations

import pytest

from podward.api.core import Container, ExecAction, Probe
from podward.policy.kubelet import probes
from podward.policy.kubelet.probes import Effect, ProbeKind, Result

S, F, E = Result.SUCCESS, Result.FAILURE, Result.ERROR
STARTUP, LIVENESS, READINESS = ProbeKind.STARTUP, ProbeKind.LIVENESS, ProbeKind.READINESS


def effects(kind: ProbeKind, probe: Probe, results: list[Result]) -> list[Effect | None]:
    """What follows from each of these results in a row."""
    state, found = probes.initial(kind), []
    for result in results:
        state, effect = probes.after(kind, probe, state, result)
        found.append(effect)
    return found


@pytest.mark.parametrize(
    ("kind", "probe", "results", "expected"),
    [
        (LIVENESS, Probe(), [F, F, F], [None, None, Effect.RESTART]),
        (LIVENESS, Probe(failure_threshold=1), [S, F], [None, Effect.RESTART]),
        (LIVENESS, Probe(failure_threshold=2), [F, S, F, F], [None, None, None, Effect.RESTART]),
        (LIVENESS, Probe(failure_threshold=2), [F, E, F], [None, None, Effect.RESTART]),
        (LIVENESS, Probe(), [E, E, E, E], [None] * 4),
        (STARTUP, Probe(), [F, S], [None, Effect.STARTED]),
        (STARTUP, Probe(failure_threshold=1), [F], [Effect.RESTART]),
        (READINESS, Probe(), [S, S, F, F, F, S], [Effect.READY, None, None, None, Effect.NOT_READY, Effect.READY]),
        (READINESS, Probe(success_threshold=2), [S, F, S, S], [None, None, None, Effect.READY]),
        (READINESS, Probe(failure_threshold=1), [F], [None]),
    ],
)
def test_a_verdict_takes_as_many_results_in_a_row_as_its_threshold(
    kind: ProbeKind, probe: Probe, results: list[Result], expected: list[Effect | None]
) -> None:
    assert effects(kind, probe, results) == expected


@pytest.mark.parametrize(
    ("kind", "results", "asked"),
    [
        (LIVENESS, [F], False),
        (LIVENESS, [S], True),
        (STARTUP, [S], False),
        (STARTUP, [F], False),
        (READINESS, [F], True),
    ],
)
def test_some_verdicts_are_final_for_a_run(kind: ProbeKind, results: list[Result], *, asked: bool) -> None:
    probe, state = Probe(failure_threshold=1), probes.initial(kind)
    for result in results:
        state, _ = probes.after(kind, probe, state, result)
    assert probes.is_asked(kind, probe, state, started=kind is not STARTUP, running_for=60) is asked


@pytest.mark.parametrize("kind", list(ProbeKind))
@pytest.mark.parametrize("started", [True, False])
def test_before_the_start_only_the_startup_probe_is_asked(kind: ProbeKind, *, started: bool) -> None:
    asked = probes.is_asked(kind, Probe(), probes.initial(kind), started=started, running_for=0)
    assert asked is ((kind is STARTUP) is not started)


def test_the_initial_delay_is_waited_for() -> None:
    probe = Probe(initial_delay_seconds=5)
    state = probes.initial(LIVENESS)
    assert not probes.is_asked(LIVENESS, probe, state, started=True, running_for=4.9)
    assert probes.is_asked(LIVENESS, probe, state, started=True, running_for=5)


def test_unset_fields_are_the_apis_defaults() -> None:
    assert (probes.period(Probe()), probes.timeout(Probe())) == (10, 1)
    assert (probes.first_look(LIVENESS, Probe()), probes.first_look(READINESS, Probe())) == (10, 0)
    assert effects(LIVENESS, Probe(), [F, F]) == [None, None]


def test_a_container_has_the_probes_that_it_declares() -> None:
    probe = Probe(exec=ExecAction(("true",)))
    assert probes.probes_of(Container(liveness_probe=probe)) == {LIVENESS: probe}


def test_the_words_are_the_kubelets() -> None:
    assert probes.attempt_text(LIVENESS, F, "no") == "Liveness probe failed: no"
    assert probes.attempt_text(READINESS, E, "x") == "Readiness probe errored and resulted in unknown state: x"
    assert probes.restart_text(STARTUP, "c", "Always") == "Container c failed startup probe, will be restarted"
    assert probes.restart_text(LIVENESS, "c", "Never") == "Container c failed liveness probe"


@pytest.mark.parametrize(
    ("now", "tick", "wait"),
    [(10.25, 11.0, 0.75), (11.0, 11.0, 0.0), (11.5, 11.0, 0.0), (14.5, 14.0, 0.0)],
)
def test_looks_are_due_by_the_clock_and_one_that_went_by_is_made_up_for(now: float, tick: float, wait: float) -> None:
    assert probes.next_tick(10.0, 1.0, now) == (tick, wait)
