"""The Node Resource Interface's messages: sandboxes and containers as plugins see them, and what they change.

Specification: `nri.pkg.api.v1alpha1` of NRI 0.12, pkg/api/api.proto.

A message's fields are numbered in the order in which they stand here, from 1 (`FIRST` says where that is not so); their
names are those of api.proto, in Python's spelling. Enumerations are plain integers on the wire. The wrappers
`OptionalInt`, `OptionalBool` and the like are values that may be None. What a `-` in front of a name means, see
`removed`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, ClassVar, TypeAlias

from msgspec import Meta, Struct

VERSION = "v0.12.1"
"""The version of NRI whose messages these are."""

Int32: TypeAlias = Annotated[int, Meta(extra={"wire": "int32"})]
Int64: TypeAlias = Annotated[int, Meta(extra={"wire": "int64"})]
UInt32: TypeAlias = Annotated[int, Meta(extra={"wire": "uint32"})]
UInt64: TypeAlias = Annotated[int, Meta(extra={"wire": "uint64"})]
OptionalInt: TypeAlias = Annotated[int | None, Meta(extra={"wire": "int64"})]
OptionalUInt32: TypeAlias = Annotated[int | None, Meta(extra={"wire": "uint32"})]
OptionalUInt64: TypeAlias = Annotated[int | None, Meta(extra={"wire": "uint64"})]
OptionalBool: TypeAlias = Annotated[bool | None, Meta(extra={"wire": "bool"})]
OptionalString: TypeAlias = Annotated[str | None, Meta(extra={"wire": "string"})]
OptionalStrings: TypeAlias = Annotated[tuple[str, ...] | None, Meta(extra={"wire": "strings"})]


class Event(IntEnum):
    """What plugins subscribe to; `bit` is its place in the mask of a `ConfigureResponse`."""

    RUN_POD_SANDBOX = 1
    STOP_POD_SANDBOX = 2
    REMOVE_POD_SANDBOX = 3
    CREATE_CONTAINER = 4
    POST_CREATE_CONTAINER = 5
    START_CONTAINER = 6
    POST_START_CONTAINER = 7
    UPDATE_CONTAINER = 8
    POST_UPDATE_CONTAINER = 9
    STOP_CONTAINER = 10
    REMOVE_CONTAINER = 11
    UPDATE_POD_SANDBOX = 12
    POST_UPDATE_POD_SANDBOX = 13
    VALIDATE_CONTAINER_ADJUSTMENT = 14

    @property
    def bit(self) -> int:
        """The event in a mask of events."""
        return 1 << (self - 1)


ALL_EVENTS = sum(event.bit for event in Event)


class ContainerState(IntEnum):
    """Container.state."""

    UNKNOWN = 0
    CREATED = 1
    PAUSED = 2
    RUNNING = 3
    STOPPED = 4


class Message(Struct, frozen=True):
    """Base of all messages; `FIRST` is the number of the first field."""

    FIRST: ClassVar[int] = 1


def removed(name: str) -> str | None:
    """The name that is to be removed if `name` is marked for that, with a `-` in front; else None."""
    return name[1:] if name.startswith("-") else None


def marked(name: str) -> str:
    """The mark that `name` is to be removed."""
    return f"-{name}"


# --- sandboxes and containers -----------------------------------------------------------------------------------------


class Memory(Message, frozen=True):
    """LinuxMemory: bytes; `kernel_tcp` and what follows are of cgroup v1."""

    limit: OptionalInt = None
    reservation: OptionalInt = None
    swap: OptionalInt = None
    kernel: OptionalInt = None
    kernel_tcp: OptionalInt = None
    swappiness: OptionalUInt64 = None
    disable_oom_killer: OptionalBool = None
    use_hierarchy: OptionalBool = None


class Cpu(Message, frozen=True):
    """LinuxCPU: quota and periods in microseconds."""

    shares: OptionalUInt64 = None
    quota: OptionalInt = None
    period: OptionalUInt64 = None
    realtime_runtime: OptionalInt = None
    realtime_period: OptionalUInt64 = None
    cpus: str = ""
    mems: str = ""


class HugepageLimit(Message, frozen=True):
    """HugepageLimit: bytes of pages of one size, such as `2MB`."""

    page_size: str = ""
    limit: UInt64 = 0


class DeviceRule(Message, frozen=True):
    """LinuxDeviceCgroup."""

    allow: bool = False
    type: str = ""
    major: OptionalInt = None
    minor: OptionalInt = None
    access: str = ""


class Pids(Message, frozen=True):
    """LinuxPids."""

    limit: Int64 = 0


class Resources(Message, frozen=True):
    """LinuxResources."""

    memory: Memory | None = None
    cpu: Cpu | None = None
    hugepage_limits: tuple[HugepageLimit, ...] = ()
    blockio_class: OptionalString = None
    rdt_class: OptionalString = None
    unified: dict[str, str] = {}
    devices: tuple[DeviceRule, ...] = ()
    pids: Pids | None = None


class Namespace(Message, frozen=True):
    """LinuxNamespace: no path means a new one."""

    type: str = ""
    path: str = ""


class LinuxPodSandbox(Message, frozen=True):
    """PodSandbox.linux."""

    pod_overhead: Resources | None = None
    pod_resources: Resources | None = None
    cgroup_parent: str = ""
    cgroups_path: str = ""
    namespaces: tuple[Namespace, ...] = ()
    resources: Resources | None = None


class PodSandbox(Message, frozen=True):
    """A sandbox as plugins see it."""

    id: str = ""
    name: str = ""
    uid: str = ""
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    runtime_handler: str = ""
    linux: LinuxPodSandbox | None = None
    pid: UInt32 = 0
    ips: tuple[str, ...] = ()


class Mount(Message, frozen=True):
    """Mount, as the OCI spec has it."""

    destination: str = ""
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()


class Hook(Message, frozen=True):
    """A program that the OCI runtime runs."""

    path: str = ""
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: OptionalInt = None


class Hooks(Message, frozen=True):
    """The OCI spec's hooks."""

    prestart: tuple[Hook, ...] = ()
    create_runtime: tuple[Hook, ...] = ()
    create_container: tuple[Hook, ...] = ()
    start_container: tuple[Hook, ...] = ()
    poststart: tuple[Hook, ...] = ()
    poststop: tuple[Hook, ...] = ()


class Device(Message, frozen=True):
    """LinuxDevice."""

    path: str = ""
    type: str = ""
    major: Int64 = 0
    minor: Int64 = 0
    file_mode: OptionalUInt32 = None
    uid: OptionalUInt32 = None
    gid: OptionalUInt32 = None


class IOPriority(Message, frozen=True):
    """LinuxIOPriority."""

    class_: Int32 = 0
    priority: Int32 = 0


class SecurityProfile(Message, frozen=True):
    """The seccomp profile that was asked for: 0 RuntimeDefault, 1 Unconfined, 2 Localhost."""

    profile_type: Int32 = 0
    localhost_ref: str = ""


class SeccompArg(Message, frozen=True):
    """LinuxSeccompArg."""

    index: UInt32 = 0
    value: UInt64 = 0
    value_two: UInt64 = 0
    op: str = ""


class SeccompRule(Message, frozen=True):
    """LinuxSyscall."""

    names: tuple[str, ...] = ()
    action: str = ""
    errno_ret: OptionalUInt32 = None
    args: tuple[SeccompArg, ...] = ()


class Seccomp(Message, frozen=True):
    """LinuxSeccomp."""

    default_action: str = ""
    default_errno_ret: OptionalUInt32 = None
    architectures: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: tuple[SeccompRule, ...] = ()


class NetDevice(Message, frozen=True):
    """LinuxNetDevice: its name in the container."""

    name: str = ""


class Scheduler(Message, frozen=True):
    """LinuxScheduler."""

    policy: Int32 = 0
    nice: Int32 = 0
    priority: Int32 = 0
    flags: tuple[Int32, ...] = ()
    runtime: UInt64 = 0
    deadline: UInt64 = 0
    period: UInt64 = 0


class Rdt(Message, frozen=True):
    """LinuxRdt."""

    clos_id: OptionalString = None
    schemata: OptionalStrings = None
    enable_monitoring: OptionalBool = None
    remove: bool = False


class LinuxContainer(Message, frozen=True):
    """Container.linux."""

    namespaces: tuple[Namespace, ...] = ()
    devices: tuple[Device, ...] = ()
    resources: Resources | None = None
    oom_score_adj: OptionalInt = None
    cgroups_path: str = ""
    io_priority: IOPriority | None = None
    seccomp_profile: SecurityProfile | None = None
    seccomp_policy: Seccomp | None = None
    sysctl: dict[str, str] = {}
    net_devices: dict[str, NetDevice] = {}
    scheduler: Scheduler | None = None
    rdt: Rdt | None = None


class Rlimit(Message, frozen=True):
    """POSIXRlimit."""

    type: str = ""
    hard: UInt64 = 0
    soft: UInt64 = 0


class CDIDevice(Message, frozen=True):
    """A device by its CDI name."""

    name: str = ""


class User(Message, frozen=True):
    """Container.user."""

    uid: UInt32 = 0
    gid: UInt32 = 0
    additional_gids: tuple[UInt32, ...] = ()


class Container(Message, frozen=True):
    """A container as plugins see it; times are nanoseconds since 1970."""

    id: str = ""
    pod_sandbox_id: str = ""
    name: str = ""
    state: Int32 = ContainerState.UNKNOWN
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: Hooks | None = None
    linux: LinuxContainer | None = None
    pid: UInt32 = 0
    rlimits: tuple[Rlimit, ...] = ()
    created_at: Int64 = 0
    started_at: Int64 = 0
    finished_at: Int64 = 0
    exit_code: Int32 = 0
    status_reason: str = ""
    status_message: str = ""
    cdi_devices: tuple[CDIDevice, ...] = ()
    user: User | None = None


# --- what plugins ask for ---------------------------------------------------------------------------------------------


class KeyValue(Message, frozen=True):
    """A variable of the environment."""

    key: str = ""
    value: str = ""


class MemoryPolicy(Message, frozen=True):
    """LinuxMemoryPolicy."""

    mode: Int32 = 0
    nodes: str = ""
    flags: tuple[Int32, ...] = ()


class LinuxAdjustment(Message, frozen=True):
    """LinuxContainerAdjustment."""

    devices: tuple[Device, ...] = ()
    resources: Resources | None = None
    cgroups_path: str = ""
    oom_score_adj: OptionalInt = None
    io_priority: IOPriority | None = None
    seccomp_policy: Seccomp | None = None
    namespaces: tuple[Namespace, ...] = ()
    sysctl: dict[str, str] = {}
    net_devices: dict[str, NetDevice] = {}
    scheduler: Scheduler | None = None
    rdt: Rdt | None = None
    memory_policy: MemoryPolicy | None = None


class ContainerAdjustment(Message, frozen=True):
    """What a plugin changes in a container that is being created. Arguments after an empty one replace all others'."""

    FIRST: ClassVar[int] = 2

    annotations: dict[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    env: tuple[KeyValue, ...] = ()
    hooks: Hooks | None = None
    linux: LinuxAdjustment | None = None
    rlimits: tuple[Rlimit, ...] = ()
    cdi_devices: tuple[CDIDevice, ...] = ()
    args: tuple[str, ...] = ()


class LinuxUpdate(Message, frozen=True):
    """LinuxContainerUpdate."""

    resources: Resources | None = None


class ContainerUpdate(Message, frozen=True):
    """What a plugin changes in a container that is there."""

    container_id: str = ""
    linux: LinuxUpdate | None = None
    ignore_failure: bool = False


class ContainerEviction(Message, frozen=True):
    """A container that a plugin wants to be ended."""

    container_id: str = ""
    reason: str = ""


# --- who set what -----------------------------------------------------------------------------------------------------


class CompoundOwners(Message, frozen=True):
    """Who set each item of a field."""

    owners: dict[str, str] = {}


class FieldOwners(Message, frozen=True):
    """Who set what in a container, by the numbers of `policy.runtime.nri_changes.Field`."""

    simple: dict[Int32, str] = {}
    compound: dict[Int32, CompoundOwners] = {}


class OwningPlugins(Message, frozen=True):
    """Who set what, by the container's id."""

    owners: dict[str, FieldOwners] = {}
