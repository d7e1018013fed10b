"""The OCI runtime specification's `config.json` (version 1.0.2): the parts that Podward writes.

Optional members that are None or empty are left out when they are encoded, as runtimes expect.
"""

from __future__ import annotations

from msgspec import Struct, field

LONGEST_STRING = 131_072
"""The most bytes of one argument or variable that execve(2) takes, its NUL included (Linux `MAX_ARG_STRLEN`)."""


class Spec(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of all parts of the runtime spec."""


class User(Spec, frozen=True, omit_defaults=False):
    """process.user."""

    uid: int = 0
    gid: int = 0
    additional_gids: tuple[int, ...] = ()


class CapabilitySets(Spec, frozen=True, omit_defaults=False):
    """process.capabilities: names like CAP_CHOWN, sorted by number."""

    bounding: tuple[str, ...] = ()
    effective: tuple[str, ...] = ()
    permitted: tuple[str, ...] = ()
    inheritable: tuple[str, ...] = ()
    ambient: tuple[str, ...] = ()


class Rlimit(Spec, frozen=True, omit_defaults=False):
    """process.rlimits[]."""

    type: str
    hard: int
    soft: int


class Process(Spec, frozen=True):
    """process. `args` and `cwd` are there wherever a process is run: they are empty where nobody knows them."""

    args: tuple[str, ...] = ()
    cwd: str = ""
    terminal: bool = False
    user: User = field(default_factory=User)
    env: tuple[str, ...] = ()
    capabilities: CapabilitySets | None = None
    rlimits: tuple[Rlimit, ...] = ()
    no_new_privileges: bool = False
    oom_score_adj: int | None = None
    apparmor_profile: str = ""
    selinux_label: str = ""


class Root(Spec, frozen=True, omit_defaults=False):
    """root: `path` is relative to the bundle, or absolute."""

    path: str = "rootfs"
    readonly: bool = False


class Mount(Spec, frozen=True):
    """mounts[]."""

    destination: str
    type: str = ""
    source: str = ""
    options: tuple[str, ...] = ()


class Namespace(Spec, frozen=True):
    """linux.namespaces[]: no path means a new one."""

    type: str
    path: str = ""


class LinuxIDMapping(Spec, frozen=True, omit_defaults=False):
    """linux.uidMappings[] and gidMappings[]."""

    container_id: int = field(name="containerID")
    host_id: int = field(name="hostID")
    size: int


class Device(Spec, frozen=True):
    """linux.devices[]: a node to create. `file_mode` is the permission bits."""

    path: str
    type: str
    major: int
    minor: int
    file_mode: int | None = None
    uid: int | None = None
    gid: int | None = None


class DeviceRule(Spec, frozen=True):
    """linux.resources.devices[]: what the cgroup lets through."""

    allow: bool = field()
    type: str = ""
    major: int | None = None
    minor: int | None = None
    access: str = ""


class Memory(Spec, frozen=True):
    """linux.resources.memory: bytes; `swap` is memory and swap together."""

    limit: int | None = None
    reservation: int | None = None
    swap: int | None = None


class Cpu(Spec, frozen=True):
    """linux.resources.cpu: quota and periods in microseconds; `cpus` and `mems` are lists such as `0-3,7`."""

    shares: int | None = None
    quota: int | None = None
    period: int | None = None
    realtime_runtime: int | None = None
    realtime_period: int | None = None
    cpus: str = ""
    mems: str = ""


class Pids(Spec, frozen=True):
    """linux.resources.pids."""

    limit: int | None = None


class HugepageLimit(Spec, frozen=True, omit_defaults=False):
    """linux.resources.hugepageLimits[]: bytes of pages of one size, such as `2MB`."""

    page_size: str
    limit: int


class Resources(Spec, frozen=True):
    """linux.resources. `unified` are files of cgroup v2 and what is written to them."""

    devices: tuple[DeviceRule, ...] = ()
    memory: Memory | None = None
    cpu: Cpu | None = None
    pids: Pids | None = None
    hugepage_limits: tuple[HugepageLimit, ...] = ()
    unified: dict[str, str] = {}


class SeccompArg(Spec, frozen=True, omit_defaults=False):
    """linux.seccomp.syscalls[].args[]."""

    index: int
    value: int
    value_two: int = 0
    op: str = "SCMP_CMP_EQ"


class SeccompRule(Spec, frozen=True):
    """linux.seccomp.syscalls[]."""

    names: tuple[str, ...]
    action: str
    errno_ret: int | None = None
    args: tuple[SeccompArg, ...] = ()


class Seccomp(Spec, frozen=True):
    """linux.seccomp."""

    default_action: str
    default_errno_ret: int | None = None
    architectures: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: tuple[SeccompRule, ...] = ()


class Linux(Spec, frozen=True):
    """linux."""

    uid_mappings: tuple[LinuxIDMapping, ...] = ()
    gid_mappings: tuple[LinuxIDMapping, ...] = ()
    sysctl: dict[str, str] = {}
    resources: Resources = field(default_factory=Resources)
    cgroups_path: str = ""
    namespaces: tuple[Namespace, ...] = ()
    devices: tuple[Device, ...] = ()
    seccomp: Seccomp | None = None
    rootfs_propagation: str = ""
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    mount_label: str = ""


class Hook(Spec, frozen=True):
    """hooks.*[]: a program of the host; `timeout` is in seconds."""

    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int | None = None


class Hooks(Spec, frozen=True):
    """hooks: what the OCI runtime runs on the way of a container."""

    prestart: tuple[Hook, ...] = ()
    create_runtime: tuple[Hook, ...] = ()
    create_container: tuple[Hook, ...] = ()
    start_container: tuple[Hook, ...] = ()
    poststart: tuple[Hook, ...] = ()
    poststop: tuple[Hook, ...] = ()


class RuntimeSpec(Spec, frozen=True, kw_only=True):
    """config.json."""

    oci_version: str
    process: Process
    root: Root
    hostname: str = ""
    mounts: tuple[Mount, ...] = ()
    linux: Linux = field(default_factory=Linux)
    annotations: dict[str, str] = {}
    hooks: Hooks | None = None
