"""The process's resource limits.

Specification, in our words: none of the three sets any by default, so that the container has those of the process that
starts the OCI runtime: containerd (2.2 `WithoutDefaultSecuritySettings`) takes its default spec's out, CRI-O's
`default_ulimits` and Docker's `default-ulimits` are empty, and the CRI has no field for them.
"""

from __future__ import annotations

from podward.decision import Decision, assign
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile


def decide(runtime: RuntimeProfile) -> Decision:
    """`process.rlimits`: empty."""
    return assign(path("process", "rlimits"), (), "none by default: those of the runtime are kept", runtime.source)
