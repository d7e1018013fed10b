"""Predicting a container's process and observing it, at the same moment: just after its execve(2)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.decision import Decision, Outcome
from podward.pipeline import predict
from podward.runtime import entry, observe, proc
from podward.stages.kernel import KernelFacts

if TYPE_CHECKING:
    from podward.runtime.container import ContainerRun

SECONDS_TO_EXEC = 20.0


def predict_process(container: ContainerRun, root: str, spec: Outcome[RuntimeSpec]) -> Outcome[ProcessState] | Decision:
    """What the container's process will be, or the Decision that says why it can't be; asked before it is created."""
    process = spec.value.process
    search = next((word[5:] for word in reversed(process.env) if word.startswith("PATH=")), "")
    mounts = tuple((m.destination, m.source if os.path.isabs(m.source) else "") for m in spec.value.mounts)
    return predict(
        KernelFacts(
            spec=spec.value,
            entry=entry.find_entry(root, process.args[0], search, process.cwd, mounts),
            node=container.pod.machine.node,
            origin=spec.decision,
            source_flags=proc.source_flags(spec.value, root),
            cgroup_v2=proc.cgroup_v2(),
            inherited=proc.inherited(),
        )
    )


def start_and_see(container: ContainerRun, spec: RuntimeSpec) -> ProcessState:
    """Start the created container and read what the kernel says when it executes its entry.

    Raises RuntimeFailedError where it does not come to that.
    """
    runtime = container.pod.runtime
    with observe.stop_at_exec(container.pid) as held:
        starter = runtime.begin_start(container.id, container.directory)
        try:
            held.wait(SECONDS_TO_EXEC)
            seen = held.state(spec)
        finally:
            held.release()  # or a process that never came to its entry would keep its starter waiting
            runtime.finish_start(starter, container.directory)
        return seen
