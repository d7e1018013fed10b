"""A privileged container needs a privileged sandbox.

Specification, in our words (containerd 2.2 `buildLinuxSpec`, CRI-O 1.33 `SetPrivileged`): the runtime refuses it in a
sandbox that was not asked to be privileged. Docker does not look.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext, PodSandboxConfig
from podward.decision import Decision, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile


def decide(context: LinuxContainerSecurityContext, sandbox: PodSandboxConfig, runtime: RuntimeProfile) -> Decision:
    """A violation, or nothing."""
    if not context.privileged or sandbox.security_context.privileged or runtime.name == "docker":
        return Decision()
    sentence = "no privileged container allowed in sandbox"
    return refuse(path("securityContext", "privileged"), True, sentence, runtime.source)
