"""CRI v1 messages: the configurations of Pods and containers.

Names, nesting and enum spellings are those of the protocol's JSON form (`runtime.v1`), so that these values can be
compared with what a kubelet sends and turned into protobuf messages without a second table. A member that the protocol
may leave out is None where that means something else than its default. What only the CRI service needs, such as
requests and statuses, is in `podward.api.cri_status`.
"""

from __future__ import annotations

from msgspec import Struct, field


class Message(Struct, frozen=True, rename="camel", gc=False):
    """Base of all CRI messages."""


class SecurityProfile(Message, frozen=True):
    """A seccomp or AppArmor profile: RuntimeDefault, Unconfined, or Localhost with its reference."""

    profile_type: str = "RuntimeDefault"
    localhost_ref: str = ""


class IDMapping(Message, frozen=True):
    """One line of uid_map or gid_map."""

    container_id: int
    host_id: int
    length: int


class UserNamespace(Message, frozen=True):
    """The user namespace: mode NODE (the host's), or POD with one mapping each for uids and gids."""

    mode: str = "NODE"
    uids: tuple[IDMapping, ...] = ()
    gids: tuple[IDMapping, ...] = ()


class NamespaceOption(Message, frozen=True):
    """The namespaces' modes: POD, CONTAINER, NODE or TARGET."""

    network: str = "POD"
    pid: str = "POD"
    ipc: str = "POD"
    target_id: str = ""
    userns_options: UserNamespace | None = None


class Capability(Message, frozen=True):
    """Capability names as the manifest wrote them (`NET_ADMIN`, `ALL`)."""

    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    add_ambient: tuple[str, ...] = ()


class SELinuxOption(Message, frozen=True):
    """The four parts of a label; the runtime fills in empty parts."""

    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


class LinuxContainerSecurityContext(Message, frozen=True):
    """The security context of a container's process."""

    capabilities: Capability | None = None
    privileged: bool = False
    namespace_options: NamespaceOption | None = None
    selinux_options: SELinuxOption | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_username: str = ""
    readonly_rootfs: bool = False
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: str = "Merge"
    no_new_privs: bool = False
    masked_paths: tuple[str, ...] = ()
    readonly_paths: tuple[str, ...] = ()
    seccomp: SecurityProfile | None = None
    apparmor: SecurityProfile | None = None
    apparmor_profile: str = ""


class LinuxSandboxSecurityContext(Message, frozen=True):
    """The security context of a Pod's sandbox."""

    namespace_options: NamespaceOption | None = None
    selinux_options: SELinuxOption | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    readonly_rootfs: bool = False
    supplemental_groups: tuple[int, ...] = ()
    supplemental_groups_policy: str = "Merge"
    privileged: bool = False
    seccomp: SecurityProfile | None = None
    apparmor: SecurityProfile | None = None


class ImageSpec(Message, frozen=True):
    """The image of a container or a volume.

    `image` is a name or an id; `user_specified_image` is what the manifest says; `image_ref` is the digest that a mount
    asked for.
    """

    image: str = ""
    annotations: dict[str, str] = {}
    user_specified_image: str = ""
    runtime_handler: str = ""
    image_ref: str = ""


class Mount(Message, frozen=True):
    """A volume mount: of a host path, which is already resolved and safe to open, or of an image."""

    container_path: str
    host_path: str
    readonly: bool = False
    recursive_read_only: bool = False
    selinux_relabel: bool = False
    propagation: str = "PROPAGATION_PRIVATE"
    uid_mappings: tuple[IDMapping, ...] = ()
    gid_mappings: tuple[IDMapping, ...] = ()
    image: ImageSpec | None = None
    image_sub_path: str = ""


class Device(Message, frozen=True):
    """A device of the host: `permissions` are of `r`, `w` and `m` (mknod)."""

    container_path: str = ""
    host_path: str = ""
    permissions: str = ""


class CDIDevice(Message, frozen=True):
    """A device of the Container Device Interface by its qualified name: `vendor.com/class=name`."""

    name: str = ""


class HugepageLimit(Message, frozen=True):
    """A limit in bytes of huge pages of a size such as `2MB`."""

    page_size: str = ""
    limit: int = 0


class LinuxContainerResources(Message, frozen=True):
    """Settings of the cgroup: shares and quota in the units of CRI, memory in bytes; 0 is no setting."""

    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_shares: int = 0
    memory_limit_in_bytes: int = 0
    oom_score_adj: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    hugepage_limits: tuple[HugepageLimit, ...] = ()
    unified: dict[str, str] = {}
    memory_swap_limit_in_bytes: int = 0


class KeyValue(Message, frozen=True):
    """One environment variable."""

    key: str
    value: str = ""


class ContainerMetadata(Message, frozen=True):
    """What tells a container from others of its Pod: its name, and how often it was made before."""

    name: str = ""
    attempt: int = 0


class LinuxContainerConfig(Message, frozen=True):
    """The part of a container's configuration that is Linux's."""

    resources: LinuxContainerResources = LinuxContainerResources()
    security_context: LinuxContainerSecurityContext = LinuxContainerSecurityContext()


class ContainerConfig(Message, frozen=True):
    """The configuration that CreateContainer takes. `log_path` is relative to the Pod's log directory."""

    metadata: ContainerMetadata = ContainerMetadata()
    image: ImageSpec = ImageSpec()
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    envs: tuple[KeyValue, ...] = ()
    mounts: tuple[Mount, ...] = ()
    devices: tuple[Device, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    log_path: str = ""
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    linux: LinuxContainerConfig = LinuxContainerConfig()
    cdi_devices: tuple[CDIDevice, ...] = field(default=(), name="CDIDevices")
    stop_signal: str = "RUNTIME_DEFAULT"


class DNSConfig(Message, frozen=True):
    """What a Pod's resolv.conf says."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


class PortMapping(Message, frozen=True):
    """A port of the node that leads to one of the Pod's; `host_port` 0 is none."""

    protocol: str = "TCP"
    container_port: int = 0
    host_port: int = 0
    host_ip: str = ""


class PodSandboxMetadata(Message, frozen=True):
    """What tells a sandbox from others: its Pod, and how often a sandbox was made for it before."""

    name: str = ""
    uid: str = ""
    namespace: str = ""
    attempt: int = 0


class LinuxPodSandboxConfig(Message, frozen=True):
    """The part of a sandbox's configuration that is Linux's. `resources` are the sum of its containers' resources."""

    cgroup_parent: str = ""
    security_context: LinuxSandboxSecurityContext = LinuxSandboxSecurityContext()
    sysctls: dict[str, str] = {}
    overhead: LinuxContainerResources | None = None
    resources: LinuxContainerResources | None = None


class PodSandboxConfig(Message, frozen=True):
    """The configuration that RunPodSandbox takes. Without `dns_config` a Pod has the node's resolv.conf."""

    metadata: PodSandboxMetadata = PodSandboxMetadata()
    hostname: str = ""
    log_directory: str = ""
    dns_config: DNSConfig | None = None
    port_mappings: tuple[PortMapping, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    linux: LinuxPodSandboxConfig = LinuxPodSandboxConfig()
