"""The paths of /proc and /sys that are hidden or read-only.

Specification, in our words: exactly those of the CRI message; nothing for a privileged container. CRI-O (1.33
`appendDefaultMaskedPaths`) adds its own masks if the message has any, sorted, each once.
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.decision import Decision, assign
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

MASKED = path("linux", "maskedPaths")
READONLY = path("linux", "readonlyPaths")


def decide(context: LinuxContainerSecurityContext, runtime: RuntimeProfile) -> Decision:
    """`linux.maskedPaths` and `linux.readonlyPaths`."""
    if context.privileged:
        source = runtime.of("securityContext", "privileged")
        reason = "privileged: nothing is masked"
        return assign(MASKED, (), reason, source) + assign(READONLY, (), "privileged: nothing is read-only", source)
    masked, reason = context.masked_paths, "as the kubelet asks"
    if masked and runtime.defaults.masked_paths:
        masked = tuple(sorted({*masked, *runtime.defaults.masked_paths}))
        reason += f", and those of {runtime.source.name}"
    return assign(MASKED, masked, reason, runtime.of("securityContext", "maskedPaths")) + assign(
        READONLY,
        context.readonly_paths,
        "as the kubelet asks",
        runtime.of("securityContext", "readonlyPaths"),
    )
