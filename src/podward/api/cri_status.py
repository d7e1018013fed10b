"""CRI v1 messages about what there is: sandboxes, containers, images, the runtime itself, and what filters them.

Only the CRI service needs them. Every class has the name of its message in `runtime.v1`; times are nanoseconds since
1970, 0 for what has not happened.
"""

from __future__ import annotations

from msgspec import field

from podward.api.cri import (
    ContainerMetadata,
    ImageSpec,
    LinuxContainerResources,
    Message,
    Mount,
    NamespaceOption,
    PodSandboxMetadata,
)

# --- sandboxes --------------------------------------------------------------------------------------------------------


class PodIP(Message, frozen=True):
    """An address of a Pod."""

    ip: str = ""


class PodSandboxNetworkStatus(Message, frozen=True):
    """The addresses of a Pod; none on the host's network."""

    ip: str = ""
    additional_ips: tuple[PodIP, ...] = ()


class Namespace(Message, frozen=True):
    """The modes of a sandbox's namespaces."""

    options: NamespaceOption | None = None


class LinuxPodSandboxStatus(Message, frozen=True):
    """The part of a sandbox's status that is Linux's."""

    namespaces: Namespace | None = None


class PodSandboxStatus(Message, frozen=True):
    """What a sandbox is: `state` is SANDBOX_READY or SANDBOX_NOTREADY."""

    id: str = ""
    metadata: PodSandboxMetadata = PodSandboxMetadata()
    state: str = "SANDBOX_READY"
    created_at: int = 0
    network: PodSandboxNetworkStatus | None = None
    linux: LinuxPodSandboxStatus | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    runtime_handler: str = ""


class PodSandbox(Message, frozen=True):
    """A sandbox as it is listed."""

    id: str = ""
    metadata: PodSandboxMetadata = PodSandboxMetadata()
    state: str = "SANDBOX_READY"
    created_at: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    runtime_handler: str = ""


class PodSandboxFilter(Message, frozen=True):
    """Which sandboxes to list: all that is set must be so. `id` may be a part of one; `state` None is any."""

    id: str = ""
    state: str | None = None
    label_selector: dict[str, str] = field(default_factory=dict)


class PodSandboxStatsFilter(Message, frozen=True):
    """Whose stats to list."""

    id: str = ""
    label_selector: dict[str, str] = field(default_factory=dict)


# --- containers -------------------------------------------------------------------------------------------------------


class LinuxContainerUser(Message, frozen=True):
    """The ids that a container's first process started with."""

    uid: int = 0
    gid: int = 0
    supplemental_groups: tuple[int, ...] = ()


class ContainerUser(Message, frozen=True):
    """The user of a container."""

    linux: LinuxContainerUser | None = None


class ContainerResources(Message, frozen=True):
    """The resources that a container has."""

    linux: LinuxContainerResources | None = None


class ContainerStatus(Message, frozen=True):
    """What a container is.

    `state` is CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED or CONTAINER_UNKNOWN. `image_ref` is what the
    kubelet shows as imageID, `image_id` the image's id. `reason` is a word such as `OOMKilled`.
    """

    id: str = ""
    metadata: ContainerMetadata = ContainerMetadata()
    state: str = "CONTAINER_CREATED"
    created_at: int = 0
    started_at: int = 0
    finished_at: int = 0
    exit_code: int = 0
    image: ImageSpec = ImageSpec()
    image_ref: str = ""
    reason: str = ""
    message: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    log_path: str = ""
    resources: ContainerResources | None = None
    image_id: str = ""
    user: ContainerUser | None = None
    stop_signal: str = "RUNTIME_DEFAULT"


class Container(Message, frozen=True):
    """A container as it is listed."""

    id: str = ""
    pod_sandbox_id: str = ""
    metadata: ContainerMetadata = ContainerMetadata()
    image: ImageSpec = ImageSpec()
    image_ref: str = ""
    state: str = "CONTAINER_CREATED"
    created_at: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    image_id: str = ""


class ContainerFilter(Message, frozen=True):
    """Which containers to list: all that is set must be so; `state` None is any."""

    id: str = ""
    state: str | None = None
    pod_sandbox_id: str = ""
    label_selector: dict[str, str] = field(default_factory=dict)


class ContainerStatsFilter(Message, frozen=True):
    """Whose stats to list."""

    id: str = ""
    pod_sandbox_id: str = ""
    label_selector: dict[str, str] = field(default_factory=dict)


class ContainerEventResponse(Message, frozen=True):
    """Something happened to a container (or to a sandbox, whose id it then is), and how both are now.

    The type is CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT, CONTAINER_STOPPED_EVENT or CONTAINER_DELETED_EVENT.
    """

    container_id: str = ""
    container_event_type: str = "CONTAINER_CREATED_EVENT"
    created_at: int = 0
    pod_sandbox_status: PodSandboxStatus | None = None
    containers_statuses: tuple[ContainerStatus, ...] = ()


# --- images -----------------------------------------------------------------------------------------------------------


class Image(Message, frozen=True):
    """An image: it has a `uid`, or the name of a user; `size` is in bytes."""

    id: str = ""
    repo_tags: tuple[str, ...] = ()
    repo_digests: tuple[str, ...] = ()
    size: int = 0
    uid: int | None = None
    username: str = ""
    spec: ImageSpec | None = None
    pinned: bool = False


class ImageFilter(Message, frozen=True):
    """Which images to list; no image is all of them."""

    image: ImageSpec | None = None


class AuthConfig(Message, frozen=True):
    """Credentials of a registry; `auth` is USER:PASSWORD in base64. Never to be shown."""

    username: str = ""
    password: str = ""
    auth: str = ""
    server_address: str = ""
    identity_token: str = ""
    registry_token: str = ""

    def __repr__(self) -> str:
        return f"AuthConfig(server_address={self.server_address!r}, …)"


# --- the runtime ------------------------------------------------------------------------------------------------------


class RuntimeCondition(Message, frozen=True):
    """A condition of the runtime: `type` is RuntimeReady or NetworkReady."""

    type: str = ""
    status: bool = False
    reason: str = ""
    message: str = ""


class RuntimeStatus(Message, frozen=True):
    """Whether the runtime is ready."""

    conditions: tuple[RuntimeCondition, ...] = ()


class RuntimeHandlerFeatures(Message, frozen=True):
    """What an OCI runtime can do on this kernel."""

    recursive_read_only_mounts: bool = False
    user_namespaces: bool = False


class RuntimeHandler(Message, frozen=True):
    """An OCI runtime that a RuntimeClass may name; the default one has the name "" too."""

    name: str = ""
    features: RuntimeHandlerFeatures | None = None


class RuntimeFeatures(Message, frozen=True):
    """What the CRI runtime can do, whatever the handler."""

    supplemental_groups_policy: bool = False
    user_namespaces_host_network: bool = False


class LinuxRuntimeConfiguration(Message, frozen=True):
    """What the kubelet must know of the runtime: SYSTEMD or CGROUPFS."""

    cgroup_driver: str = "SYSTEMD"


class NetworkConfig(Message, frozen=True):
    """The addresses of this node's Pods."""

    pod_cidr: str = ""


class RuntimeConfig(Message, frozen=True):
    """What the kubelet tells the runtime."""

    network_config: NetworkConfig | None = None
