"""Predicting a container's process and observing it, at the same moment: just after its execve(2)."""

from __future__ import annotations

import os

from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Outcome
from podward.errors import RefusedError
from podward.pipeline import KernelFacts, predict
from podward.runtime import entry, observe, proc
from podward.runtime.container import ContainerRun

SECONDS_TO_EXEC = 20.0


def verify(container: ContainerRun, root: str, spec: Outcome[RuntimeSpec]) -> tuple[Outcome[ProcessState], ProcessState]:
    """Predict, start the created container, and read what the kernel says when it executes its entry.

    Raises RefusedError with the prediction where the entry can't be executed, RuntimeFailedError where the runtime
    fails without a prediction.
    """
    predicted = predict(facts(container, root, spec))
    if not isinstance(predicted, Outcome):
        raise RefusedError(predicted.violations[0].reason)
    with observe.stop_at_exec(container.pid) as held:
        container.pod.runtime.start(container.id, container.directory)
        held.wait(SECONDS_TO_EXEC)
        return predicted, held.state(spec.value)


def facts(container: ContainerRun, root: str, spec: Outcome[RuntimeSpec]) -> KernelFacts:
    """What is known of the container before it starts."""
    process = spec.value.process
    search = next((word[5:] for word in process.env if word.startswith("PATH=")), "")
    mounts = tuple((m.destination, m.source if os.path.isabs(m.source) else "") for m in spec.value.mounts)
    return KernelFacts(
        spec=spec.value,
        entry=entry.find_entry(root, process.args[0], search, process.cwd, mounts),
        node=container.pod.machine.node,
        origin=spec.decision,
        source_flags=proc.source_flags(spec.value, root),
        cgroup_v2=proc.cgroup_v2(),
        inherited=proc.inherited(),
    )
