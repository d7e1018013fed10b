"""How likely the kernel is to kill the process for want of memory.

Specification, in our words (containerd 2.2 `WithOOMScoreAdj`, CRI-O 1.33, Docker 29; proc(5)): the CRI's value. Without
CAP_SYS_RESOURCE the kernel does not let a process go below the value that it has; containerd has the option
`restrict_oom_score_adj` for such nodes, which takes the runtime's own value instead, and it is what is done here.
"""

from __future__ import annotations

from podward.api.capability import CAP_SYS_RESOURCE
from podward.api.cri import ContainerConfig
from podward.api.node import Node
from podward.decision import Decision, Origin, Source, assign
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("process", "oomScoreAdj")
NODE = Source(Origin.NODE, "this machine")


def decide(config: ContainerConfig, node: Node, inherited: int, runtime: RuntimeProfile) -> Decision:
    """`process.oomScoreAdj`; `inherited` is the value of the process that starts the OCI runtime."""
    wanted = config.resources.oom_score_adj
    if wanted < inherited and not node.capabilities & CAP_SYS_RESOURCE:
        reason = f"{wanted} is asked for; without CAP_SYS_RESOURCE this machine can't go below {inherited}"
        return assign(PLACE, inherited, reason, NODE)
    source = runtime.of("resources", "oomScoreAdj")
    return assign(PLACE, wanted, "as the kubelet asks", source)
