"""One container's life, as far as no process is needed for it: tests/e2e run real ones."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hint_facts import World, WorldFacts

from podward.api.effective import Place
from podward.api.image import UnknownImage
from podward.decision import Unknown
from podward.pipeline import plan_pod
from podward.policy.kubelet.lifecycle import ContainerState
from podward.runtime.container import ContainerRun, PodContext
from podward.runtime.live_facts import Attempt
from podward.runtime.options import RunOptions
from podward.runtime.report import Reporter
from podward.schema.view import pod_view


class Facts(WorldFacts):
    """A world in which a container's attempts need nothing."""

    def attempt(self, container: str) -> Attempt:
        return Attempt(0, container, "/nowhere", "/nowhere")

    def nothing(self, *_: object) -> None:
        """Neither a directory nor a mount."""

    next_attempt = set_aside = discard = note_process = nothing


class Reasons(Reporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def failed_to_start(self, container: str, reason: str) -> None:
        self.said.append(f"{container}: {reason}")


class Runtime:
    """An OCI runtime that must not be asked to create anything."""

    def create(self, *_: object) -> int:
        raise AssertionError("it was created")


def container(world: World) -> tuple[ContainerRun, Reasons]:
    spec: Any = {"containers": [{"name": "a", "image": "agnhost", "command": ["x"]}]}
    facts, report = Facts(world, pod_view({"metadata": {"name": "p"}, "spec": spec}), Place("pod.yaml")), Reasons()
    (plan,) = plan_pod(facts).containers
    pod = PodContext("p", cast("Any", facts), cast("Any", Runtime()), report, RunOptions("Never"), several=False)
    return ContainerRun(pod, plan), report


def test_nothing_runs_of_which_something_is_unknown() -> None:
    run, report = container(World(image=lambda name: UnknownImage(name, Unknown("it is not here", "bring it"))))
    assert run.start(0.0) == ()
    assert report.said == ["p/a: it is not here\n  bring it"]
    assert (run.state, run.exit_code, run.failed_to_start) == (ContainerState.EXITED, 128, True)


def test_a_container_is_created_where_all_is_known() -> None:
    run, _ = container(World())
    with pytest.raises(AssertionError, match="created"):
        run.start(0.0)
    run.silence()


def test_a_long_run_starts_the_count_of_restarts_over() -> None:
    run, _ = container(World())
    assert [run.next_restart(now) for now in (1.0, 2.0, 700.0)] == [1, 2, 1]
