"""What the node has predicted of a container's process in a worker of the engine: its files are the container's own.

The entry file is looked for in the root of the process itself, where its mounts are. What is found there may hang, or
be anything: a worker can be left.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward import pipeline
from podward.api.identity import Identity
from podward.api.node import Node
from podward.api.oci import RuntimeSpec
from podward.api.process import ProcessState
from podward.errors import PodwardError
from podward.policy.kernel import identity_drift
from podward.runtime import entry, proc
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Verb


class PredictRequest(Struct, frozen=True):
    """A process that runs, the runtime spec that it was made of, and the machine."""

    pid: int
    spec: msgspec.Raw
    node: Node

    def __repr__(self) -> str:
        return f"PredictRequest({self.pid})"


class PredictAnswer(Struct, frozen=True):
    """Who the process was when it had executed its entry; or why nobody knows."""

    identity: Identity | None = None
    why: str = ""


def predict(_service: RuntimeService, asked: PredictRequest, _caller: Caller) -> PredictAnswer:
    """Predict, from the spec and the entry file."""
    from podward.stages.kernel import ExecutionFacts

    try:
        spec = msgspec.json.decode(asked.spec, type=RuntimeSpec)
        found = entry.find_entry(f"/proc/{asked.pid}/root", *entry.asked_by(spec.process))
        execution = ExecutionFacts(found, cgroup_v2=proc.cgroup_v2(), inherited=proc.inherited())
    except (PodwardError, OSError, msgspec.MsgspecError, IndexError) as error:
        return PredictAnswer(why=f"its beginning cannot be looked at: {error}")
    decided = pipeline.predict_running(spec, asked.node, execution)
    if decided.unknowns:
        return PredictAnswer(why=decided.unknowns[0].why)
    if found is None or decided.refused:
        return PredictAnswer(why="its entry file is not there any more, or could not be executed")
    return PredictAnswer(identity_drift.of_state(decided.fold(ProcessState)))


PREDICT = Verb("Predict", PredictRequest, PredictAnswer, predict)
VERBS = (PREDICT,)
