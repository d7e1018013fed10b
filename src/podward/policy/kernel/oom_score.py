"""How likely the kernel is to kill the process for want of memory.

Specification (proc(5) `oom_score_adj`, `__set_oom_adj` of Linux 6.18; crun 1.8 and runc 1.1 as observed), in our words:
the runtime writes `process.oomScoreAdj` as it is, and fails where the kernel refuses it: a value outside -1000..1000
(EINVAL), or one below the inherited value without CAP_SYS_RESOURCE on the host (EACCES). Nothing is clamped. Without
the field the process inherits the value of the process that starts the runtime.
"""

from __future__ import annotations

from podward.api.capability import CAP_SYS_RESOURCE
from podward.api.oci import RuntimeSpec
from podward.decision import Decision, assign, refuse
from podward.path import path
from podward.policy.kernel.sources import NODE, Sources, rule

MANUAL = rule("proc(5)")
FIELD = path("process", "oomScoreAdj")
LOWEST, HIGHEST = -1000, 1000


def decide(spec: RuntimeSpec, inherited: int, machine: int, sources: Sources) -> Decision:
    """`oom_score_adj`; a violation where the kernel refuses the value."""
    place, value = path("oom_score_adj"), spec.process.oom_score_adj
    if value is None:
        return assign(
            place, inherited, "no process.oomScoreAdj: inherited from the process that starts the runtime", NODE
        )
    decision = assign(place, value, "process.oomScoreAdj", sources.of("process", "oomScoreAdj"))
    if not LOWEST <= value <= HIGHEST:
        return decision + refuse(FIELD, value, f"must be between {LOWEST} and {HIGHEST}, inclusive (EINVAL)", MANUAL)
    if value < inherited and not machine & CAP_SYS_RESOURCE:
        return decision + refuse(
            FIELD,
            value,
            f"is below {inherited}, the value of this process, and without CAP_SYS_RESOURCE the kernel does not let it "
            "be lowered (EACCES, Permission denied)",
            MANUAL,
        )
    return decision
