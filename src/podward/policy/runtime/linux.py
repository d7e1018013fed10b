"""The smaller fields of the spec's `linux`: masked and read-only paths, devices, and the cgroup with its limits.

Specification, in our words:
- maskedPaths and readonlyPaths: exactly the paths of the CRI message; none for a privileged container. If the message
  has any masked paths, CRI-O (1.33 `appendDefaultMaskedPaths`) adds its own and sorts them.
- devices: the OCI runtime itself creates null, zero, full, random, urandom, tty, console and ptmx and allows them, so
  the spec does not list them; only Docker (29 `daemon/pkg/oci/defaults.go`) lists their device rules. Each device of
  the message adds its node, or the nodes of a directory, at its path in the container, and a rule with its permissions
  (containerd 2.2 `customopts.WithDevices`, CRI-O 1.33 `specAddDevices`, Docker 29 `DevicesFromPath`). A privileged
  container gets every device node of the host and one rule that allows every device (containerd 2.2
  `oci.WithHostDevices`, CRI-O 1.33 `specAddHostDevicesIfPrivileged`, Docker 29 `WithDevices`).
- resources (containerd 2.2 `WithResources`, CRI-O 1.33, cri-dockerd 0.3): the CRI's values; zero or empty means none
  and is left out. Where the machine can limit swap, a memory limit without a swap limit means no swap at all; under
  Docker as much swap as memory (29 `adaptContainerSettings`). Where it can't, no swap limit is written, and likewise no
  limit of huge pages. Docker refuses a memory limit below 6 MiB.
- cgroupsPath (containerd 2.2 `getCgroupsPath`, CRI-O 1.33 `ContainerCgroupPath`): below the Pod's cgroup; below a slice
  of systemd it is `SLICE:PREFIX:ID`, which the OCI runtime's systemd driver reads.
- Where no cgroups can be made, as without root, there is neither a path nor a limit: containerd's `disable_cgroup`,
  which it needs to run without root.
"""

from __future__ import annotations

from posixpath import basename, join

from msgspec import Struct, structs

from podward.api.cri import ContainerConfig, LinuxContainerResources, LinuxContainerSecurityContext
from podward.api.cri import Device as CRIDevice
from podward.api.gotext import quote
from podward.api.oci import Device, DeviceRule, HugepageLimit
from podward.decision import Assignment, Decision, Origin, Source, Value, assign, refuse
from podward.path import Key, Path, path
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
    context: LinuxContainerSecurityContext,
    host_devices: tuple[Device, ...],
    runtime: RuntimeProfile,
    requested: tuple[tuple[CRIDevice, tuple[Device, ...]], ...] = (),
) -> Decision:
    """`linux.devices` and `linux.resources.devices`.

    `requested` are the message's devices, each with the nodes that its path has on the host; `host_devices` are the
    device nodes below the host's /dev.
    """
    nodes: list[tuple[Device, str, Source]] = []
    added: list[DeviceRule] = []
    refused = Decision()
    for index, (asked, found) in enumerate(requested):
        source = runtime.source_of("devices", index)
        nodes += [(device, f"the device {asked.host_path} of the host", source) for device in found]
        added += [DeviceRule(True, node.type, node.major, node.minor, asked.permissions) for node in found]
        if not found:
            sentence = f"{quote(asked.host_path)} is no device of this machine: name one that is there"
            refused += refuse(DEVICES, asked.host_path, sentence, source)
    reason, source = "the runtime's default devices and no others", runtime.source
    rules = (*runtime.defaults.device_rules, *added)
    if added:
        reason, source = "the runtime's default devices, and those that are asked for", runtime.source_of("devices")
    if context.privileged:
        reason, source = "privileged: every device", runtime.source_of("linux", "securityContext", "privileged")
        taken = {device.path for device, _, _ in nodes}
        mine = [device for device in host_devices if device.path not in taken]
        nodes += [(device, "privileged: a device of the host", source) for device in mine]
        rules = (ALLOW_ALL,)
    listed = tuple(Assignment(DEVICES / i, device, why, whose) for i, (device, why, whose) in enumerate(nodes))
    return Decision(listed) + assign(RESOURCES / "devices", rules, reason, source) + refused


class Controllers(Struct, frozen=True, gc=False):
    """What the machine's cgroups can limit beside CPU, memory and processes."""

    swap: bool = False
    huge_pages: bool = False


NO_MORE = Controllers()


def decide_resources(
    config: ContainerConfig, cgroups_path: str, runtime: RuntimeProfile, controllers: Controllers = NO_MORE
) -> Decision:
    """`linux.cgroupsPath`, and the limits in `linux.resources`.

    A kubelet writes the quota -1 for a container that has CPUs of its own: none, which is what a new cgroup has. It is
    left out, since crun up to 1.8 cannot write it to cgroup v1.
    """
    place = assign(LINUX / "cgroupsPath", cgroups_path, "below the Pod's cgroup", runtime.source)
    requested = config.linux.resources
    if requested.cpu_quota < 0:
        requested = structs.replace(requested, cpu_quota=0)
    return place + decide_limits(requested, runtime, controllers)


def decide_limits(requested: LinuxContainerResources, runtime: RuntimeProfile, controllers: Controllers) -> Decision:
    """The limits in `linux.resources`: what UpdateContainerResources may change, too."""
    cpu = RESOURCES / "cpu"
    rows: list[tuple[Path, Value, str]] = [
        (MEMORY_LIMIT, requested.memory_limit_in_bytes, "memoryLimitInBytes"),
        (cpu / "shares", requested.cpu_shares, "cpuShares"),
        (cpu / "quota", requested.cpu_quota, "cpuQuota"),
        (cpu / "period", requested.cpu_period, "cpuPeriod"),
        (cpu / "cpus", requested.cpuset_cpus, "cpusetCpus"),
        (cpu / "mems", requested.cpuset_mems, "cpusetMems"),
    ]
    if controllers.huge_pages:
        limits = tuple(HugepageLimit(limit.page_size, limit.limit) for limit in requested.hugepage_limits)
        rows.append((RESOURCES / "hugepageLimits", limits, "hugepageLimits"))
    rows += [(RESOURCES / "unified" / Key(name), value, "unified") for name, value in requested.unified.items()]
    decision = Decision(
        tuple(
            Assignment(place, value, "as the kubelet asks", runtime.source_of("linux", "resources", name))
            for place, value, name in rows
            if value
        )
    )
    memory = requested.memory_limit_in_bytes
    if runtime.name == "docker" and 0 < memory < LEAST_MEMORY_OF_DOCKER:
        decision += refuse(MEMORY_LIMIT, memory, "Minimum memory limit allowed is 6MB", runtime.source)
    return decision + (_swap(requested, runtime) if controllers.swap else Decision())


def _swap(requested: LinuxContainerResources, runtime: RuntimeProfile) -> Decision:
    place = RESOURCES / "memory" / "swap"
    if requested.memory_swap_limit_in_bytes:
        source = runtime.source_of("linux", "resources", "memorySwapLimitInBytes")
        return assign(place, requested.memory_swap_limit_in_bytes, "as the kubelet asks", source)
    if requested.memory_limit_in_bytes <= 0:
        return Decision()
    source = runtime.source_of("linux", "resources", "memoryLimitInBytes")
    if runtime.name == "docker":
        return assign(place, 2 * requested.memory_limit_in_bytes, "Docker's own: as much swap as memory", source)
    return assign(place, requested.memory_limit_in_bytes, "memory's limit: no swap", source)


_SYSTEMD_PREFIXES = {"containerd": "cri-containerd", "cri-o": "crio", "docker": "docker"}


def cgroups_path(parent: str, identifier: str, runtime: str) -> str:
    """`linux.cgroupsPath` of a container below the Pod's cgroup; below the runtime's own where the Pod has none."""
    slice_name = basename(parent)
    if slice_name.endswith(".slice"):
        return f"{slice_name}:{_SYSTEMD_PREFIXES[runtime]}:{identifier}"
    return join(parent or "/", identifier)


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
