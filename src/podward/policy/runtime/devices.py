"""The device nodes, and which devices the cgroup lets through.

Specification, in our words: the OCI runtime itself makes null, zero, full, random, urandom, tty, console and ptmx and
lets them through; the spec lists none of them, except that Docker (29 `daemon/pkg/oci/defaults.go`) lists its rules.
A privileged container gets every device node of the host and the rule that lets everything through (containerd 2.2
`oci.WithHostDevices`, CRI-O 1.33 `specAddHostDevicesIfPrivileged`, Docker 29 `WithDevices`).
"""

from __future__ import annotations

from podward.api.cri import LinuxContainerSecurityContext
from podward.api.oci import Device
from podward.decision import Assignment, Decision, assign
from podward.path import path
from podward.policy.runtime.defaults.common import ALLOW_ALL
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("linux", "devices")
RULES = path("linux", "resources", "devices")


def decide(context: LinuxContainerSecurityContext, host: tuple[Device, ...], runtime: RuntimeProfile) -> Decision:
    """`linux.devices` and `linux.resources.devices`; `host` are the nodes below the host's /dev."""
    if not context.privileged:
        reason = "the runtime's default devices and no others"
        return assign(RULES, runtime.defaults.device_rules, reason, runtime.source)
    source = runtime.of("securityContext", "privileged")
    nodes = tuple(
        Assignment(PLACE / i, device, "privileged: a device of the host", source) for i, device in enumerate(host)
    )
    return Decision(nodes) + assign(RULES, (ALLOW_ALL,), "privileged: every device", source)
