"""The smaller fields of the spec's `linux`: masked and read-only paths, devices, and the cgroup with its limits.

Specification, in our words:
- maskedPaths and readonlyPaths: exactly the paths of the CRI message; none for a privileged container. If the message
  has any masked paths, CRI-O (1.33 `appendDefaultMaskedPaths`) adds its own and sorts them.
- devices: the OCI runtime itself creates null, zero, full, random, urandom, tty, console and ptmx and allows them, so
  the spec does not list them; only Docker (29 `daemon/pkg/oci/defaults.go`) lists their device rules. A privileged
  container gets every device node of the host and a rule that allows every device (containerd 2.2
  `oci.WithHostDevices`, CRI-O 1.33 `specAddHostDevicesIfPrivileged`, Docker 29 `WithDevices`).
- resources (containerd 2.2 `WithResources`, CRI-O 1.33, cri-dockerd 0.3): the CRI's limits for memory and CPU; zero
  means no limit and is left out. Docker refuses a memory limit below 6 MiB. The message has no fields for swap, huge
  pages and cpusets, so they are left out. Where no cgroups can be made, as without root, there is neither a path nor a
  limit: containerd's `disable_cgroup`, which it needs to run without root.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig, LinuxContainerSecurityContext
from podward.api.oci import Device
from podward.decision import Assignment, Decision, Origin, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.defaults.table import ALLOW_ALL
from podward.policy.runtime.runtime_profile import RuntimeProfile

LINUX = path("linux")
MASKED = LINUX / "maskedPaths"
READONLY = LINUX / "readonlyPaths"
DEVICES = LINUX / "devices"
RESOURCES = LINUX / "resources"
MEMORY_LIMIT = RESOURCES / "memory" / "limit"
LEAST_MEMORY_OF_DOCKER = 6 << 20
NODE = Source(Origin.NODE, "this machine")


def decide_masks(context: LinuxContainerSecurityContext, runtime: RuntimeProfile) -> Decision:
    """`linux.maskedPaths` and `linux.readonlyPaths`."""
    if context.privileged:
        source = runtime.source_of("linux", "securityContext", "privileged")
        reason = "privileged: nothing is masked"
        return assign(MASKED, (), reason, source) + assign(READONLY, (), "privileged: nothing is read-only", source)
    masked, reason = context.masked_paths, "as the kubelet asks"
    if masked and runtime.defaults.masked_paths:
        masked = tuple(sorted({*masked, *runtime.defaults.masked_paths}))
        reason += f", and those of {runtime.source.name}"
    readonly_source = runtime.source_of("linux", "securityContext", "readonlyPaths")
    return assign(MASKED, masked, reason, runtime.source_of("linux", "securityContext", "maskedPaths")) + assign(
        READONLY, context.readonly_paths, "as the kubelet asks", readonly_source
    )


def decide_devices(
    context: LinuxContainerSecurityContext, host_devices: tuple[Device, ...], runtime: RuntimeProfile
) -> Decision:
    """`linux.devices` and `linux.resources.devices`; `host_devices` are the device nodes below the host's /dev."""
    rules = RESOURCES / "devices"
    if not context.privileged:
        reason = "the runtime's default devices and no others"
        return assign(rules, runtime.defaults.device_rules, reason, runtime.source)
    source = runtime.source_of("linux", "securityContext", "privileged")
    nodes = tuple(
        Assignment(DEVICES / i, device, "privileged: a device of the host", source)
        for i, device in enumerate(host_devices)
    )
    return Decision(nodes) + assign(rules, (ALLOW_ALL,), "privileged: every device", source)


def decide_resources(config: ContainerConfig, cgroups_path: str, runtime: RuntimeProfile) -> Decision:
    """`linux.cgroupsPath`, and the limits in `linux.resources.cpu` and `linux.resources.memory`."""
    requested, cpu = config.linux.resources, RESOURCES / "cpu"
    rows = (
        (MEMORY_LIMIT, requested.memory_limit_in_bytes, "memoryLimitInBytes"),
        (cpu / "shares", requested.cpu_shares, "cpuShares"),
        (cpu / "quota", requested.cpu_quota, "cpuQuota"),
        (cpu / "period", requested.cpu_period, "cpuPeriod"),
    )
    limits = tuple(
        Assignment(place, value, "as the kubelet asks", runtime.source_of("linux", "resources", name))
        for place, value, name in rows
        if value
    )
    decision = assign(LINUX / "cgroupsPath", cgroups_path, "below the Pod's cgroup", runtime.source)
    decision += Decision(limits)
    memory = requested.memory_limit_in_bytes
    if runtime.name == "docker" and 0 < memory < LEAST_MEMORY_OF_DOCKER:
        decision += refuse(MEMORY_LIMIT, memory, "Minimum memory limit allowed is 6MB", runtime.source)
    return decision


def decide_without_cgroups(config: ContainerConfig) -> Decision:
    """`linux.cgroupsPath` of a container that gets no cgroup: empty, and why its limits are nowhere."""
    requested = config.linux.resources
    limits = (
        ("the memory limit", requested.memory_limit_in_bytes),
        ("the CPU limit", requested.cpu_quota),
    )
    lost = " and ".join(name for name, value in limits if value)
    reason = "no cgroups can be made here" + (f": {lost} can't be enforced" if lost else "")
    return assign(LINUX / "cgroupsPath", "", reason, NODE)
