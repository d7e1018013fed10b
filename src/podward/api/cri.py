"""CRI v1 messages: the fields that decide about security.

Field names and enum spellings are those of the protocol's JSON form (`runtime.v1`), so that these
values can be compared with what a kubelet sends and turned into protobuf messages without a second table.
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


class Mount(Message, frozen=True):
    """A volume mount; its host path is already resolved and safe to open."""

    container_path: str
    host_path: str
    readonly: bool = False
    recursive_read_only: bool = False
    selinux_relabel: bool = False
    propagation: str = "PROPAGATION_PRIVATE"
    uid_mappings: tuple[IDMapping, ...] = ()
    gid_mappings: tuple[IDMapping, ...] = ()


class LinuxContainerResources(Message, frozen=True):
    """Settings of the cgroup: shares and quota in the units of CRI, memory in bytes."""

    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_shares: int = 0
    memory_limit_in_bytes: int = 0
    oom_score_adj: int = 0


class KeyValue(Message, frozen=True):
    """One environment variable."""

    key: str
    value: str = ""


class ContainerConfig(Message, frozen=True):
    """The configuration that CreateContainer takes: the fields that decide about the process."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    envs: tuple[KeyValue, ...] = ()
    mounts: tuple[Mount, ...] = ()
    stdin: bool = False
    tty: bool = False
    resources: LinuxContainerResources = LinuxContainerResources()
    security_context: LinuxContainerSecurityContext = field(default_factory=LinuxContainerSecurityContext)


class PodSandboxConfig(Message, frozen=True):
    """The configuration that RunPodSandbox takes: the fields that decide about processes."""

    name: str
    namespace: str
    uid: str
    hostname: str = ""
    cgroup_parent: str = ""
    sysctls: dict[str, str] = {}
    security_context: LinuxSandboxSecurityContext = field(default_factory=LinuxSandboxSecurityContext)
