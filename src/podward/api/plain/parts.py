"""What a plain Pod is made of: the fields that most manifests have, with the values that are surely sound.

Specification: core/v1 of Kubernetes 1.36, as `schema_table` and `validation` have it, less everything that is rare or
whose rules are not a matter of one value alone. A field that is not here, a null where Go has no pointer, a number out
of its range: the Pod is not plain. What several values have to do with each other is in `sound`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

Raw: TypeAlias = dict[str, Any]
"""An object that `schema_fit` and `validation` look into; to msgspec, JSON has no type that names itself."""
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
"""An integer that is not negative and fits 32 bits: also every user and group id that the API server takes."""
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]
Mode: TypeAlias = Annotated[int, Meta(ge=0, le=0o777)]
CapabilityName: TypeAlias = Annotated[str, Meta(pattern=r"\A[A-Za-z_]{1,40}\Z")]
Resource: TypeAlias = Literal["cpu", "memory", "ephemeral-storage"]
Amounts: TypeAlias = dict[Resource, str | Count]


class Part(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base: an object that has no other fields than these."""


class Nothing(Part, frozen=True):
    """An object without fields, such as the `status: {}` that generators write."""


# --- security contexts ------------------------------------------------------------------------------------------------


class PlainProfile(Part, frozen=True):
    """SeccompProfile and AppArmorProfile: none of the node's files."""

    type: Literal["RuntimeDefault", "Unconfined"]


class PlainCapabilities(Part, frozen=True):
    """Capabilities."""

    add: tuple[CapabilityName, ...] | None = None
    drop: tuple[CapabilityName, ...] | None = None


class PlainSecurityContext(Part, frozen=True):
    """SecurityContext: the container's."""

    capabilities: PlainCapabilities | None = None
    privileged: bool | None = None
    run_as_user: Count | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    seccomp_profile: PlainProfile | None = None
    app_armor_profile: PlainProfile | None = None


class PlainPodSecurityContext(Part, frozen=True):
    """PodSecurityContext."""

    run_as_user: Count | None = None
    run_as_group: Count | None = None
    run_as_non_root: bool | None = None
    supplemental_groups: tuple[Count, ...] | None = None
    fs_group: Count | None = None
    fs_group_change_policy: Literal["Always", "OnRootMismatch"] | None = None
    seccomp_profile: PlainProfile | None = None
    app_armor_profile: PlainProfile | None = None


# --- containers -------------------------------------------------------------------------------------------------------


class KeyOfObject(Part, frozen=True):
    """SecretKeySelector and ConfigMapKeySelector."""

    name: str
    key: str
    optional: bool | None = None


class OwnField(Part, frozen=True):
    """ObjectFieldSelector, of a variable."""

    field_path: Literal[
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ]
    api_version: Literal["v1"] | None = None


class OwnResource(Part, frozen=True):
    """ResourceFieldSelector, of a variable."""

    resource: Literal["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"]
    container_name: str | None = None


class PlainValueFrom(Part, frozen=True):
    """EnvVarSource."""

    secret_key_ref: KeyOfObject | None = None
    config_map_key_ref: KeyOfObject | None = None
    field_ref: OwnField | None = None
    resource_field_ref: OwnResource | None = None


class PlainVariable(Part, frozen=True):
    """EnvVar."""

    name: str
    value: str | None = None
    value_from: PlainValueFrom | None = None


class PlainReference(Part, frozen=True):
    """ConfigMapEnvSource, SecretEnvSource."""

    name: str
    optional: bool | None = None


class PlainVariables(Part, frozen=True):
    """EnvFromSource."""

    config_map_ref: PlainReference | None = None
    secret_ref: PlainReference | None = None
    prefix: str | None = None


class PlainPort(Part, frozen=True):
    """ContainerPort."""

    container_port: Port
    name: str | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None
    host_port: Port | None = None


class PlainMount(Part, frozen=True):
    """VolumeMount."""

    name: str
    mount_path: str
    read_only: bool | None = None
    sub_path: str | None = None


class PlainResources(Part, frozen=True):
    """ResourceRequirements."""

    limits: Amounts | None = None
    requests: Amounts | None = None


class PlainCommand(Part, frozen=True):
    """ExecAction."""

    command: Annotated[tuple[str, ...], Meta(min_length=1)]


class PlainRequest(Part, frozen=True):
    """HTTPGetAction; the path is `/` and the scheme HTTP where nothing else is written."""

    port: Port | str
    path: str | None = None
    scheme: Literal["HTTP", "HTTPS"] | None = None


class PlainConnection(Part, frozen=True):
    """TCPSocketAction."""

    port: Port | str


class PlainProbe(Part, frozen=True):
    """Probe; `success_threshold` is 1 for liveness and startup, and is left out of the others too."""

    exec: PlainCommand | None = None
    http_get: PlainRequest | None = None
    tcp_socket: PlainConnection | None = None
    initial_delay_seconds: Count | None = None
    timeout_seconds: Count | None = None
    period_seconds: Count | None = None
    success_threshold: Annotated[int, Meta(ge=1, le=1)] | None = None
    failure_threshold: Count | None = None


class PlainSleep(Part, frozen=True):
    """SleepAction, no longer than the time that a Pod has to end where nothing else is said."""

    seconds: Annotated[int, Meta(ge=0, le=30)]


class PlainHook(Part, frozen=True):
    """LifecycleHandler."""

    exec: PlainCommand | None = None
    sleep: PlainSleep | None = None


class PlainLifecycle(Part, frozen=True):
    """Lifecycle."""

    post_start: PlainHook | None = None
    pre_stop: PlainHook | None = None


class PlainContainer(Part, frozen=True):
    """Container, of the Pod's own or to begin with."""

    name: str
    image: str
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str | None = None
    env: tuple[PlainVariable, ...] | None = None
    env_from: tuple[PlainVariables, ...] | None = None
    ports: tuple[PlainPort, ...] | None = None
    resources: PlainResources | None = None
    volume_mounts: tuple[PlainMount, ...] | None = None
    security_context: PlainSecurityContext | None = None
    liveness_probe: PlainProbe | None = None
    readiness_probe: PlainProbe | None = None
    startup_probe: PlainProbe | None = None
    lifecycle: PlainLifecycle | None = None
    termination_message_path: str | None = None
    termination_message_policy: Literal["File", "FallbackToLogsOnError"] | None = None
    stdin: bool | None = None
    tty: bool | None = None


# --- volumes ----------------------------------------------------------------------------------------------------------


class PlainItem(Part, frozen=True):
    """KeyToPath."""

    key: str
    path: str
    mode: Mode | None = None


class PlainEmptyDir(Part, frozen=True):
    """EmptyDirVolumeSource."""

    medium: str | None = None
    size_limit: str | Count | None = None


class PlainConfigMap(Part, frozen=True):
    """ConfigMapVolumeSource."""

    name: str
    default_mode: Mode | None = None
    items: tuple[PlainItem, ...] | None = None
    optional: bool | None = None


class PlainSecret(Part, frozen=True):
    """SecretVolumeSource."""

    secret_name: str
    default_mode: Mode | None = None
    items: tuple[PlainItem, ...] | None = None
    optional: bool | None = None


class PlainClaim(Part, frozen=True):
    """PersistentVolumeClaimVolumeSource."""

    claim_name: str
    read_only: bool | None = None


class PlainHostPath(Part, frozen=True):
    """HostPathVolumeSource."""

    path: str
    type: (
        Literal["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"]
        | None
    ) = None


class PlainVolume(Part, frozen=True):
    """Volume."""

    name: str
    empty_dir: PlainEmptyDir | None = None
    config_map: PlainConfigMap | None = None
    secret: PlainSecret | None = None
    persistent_volume_claim: PlainClaim | None = None
    host_path: PlainHostPath | None = None


# --- the Pod ----------------------------------------------------------------------------------------------------------


class PlainName(Part, frozen=True):
    """LocalObjectReference."""

    name: str


class PlainToleration(Part, frozen=True):
    """Toleration."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Count | None = None


class PlainSpec(Part, frozen=True):
    """PodSpec. What is not looked into here is looked at by `sound`."""

    containers: Annotated[tuple[PlainContainer, ...], Meta(min_length=1)]
    init_containers: tuple[PlainContainer, ...] | None = None
    volumes: tuple[PlainVolume, ...] | None = None
    security_context: PlainPodSecurityContext | None = None
    service_account_name: str | None = None
    service_account: str | None = None
    automount_service_account_token: bool | None = None
    host_network: bool | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default"] | None = None
    scheduler_name: str | None = None
    priority_class_name: str | None = None
    enable_service_links: bool | None = None
    share_process_namespace: bool | None = None
    termination_grace_period_seconds: Count | None = None
    image_pull_secrets: tuple[PlainName, ...] | None = None
    node_selector: dict[str, str] | None = None
    tolerations: tuple[PlainToleration, ...] | None = None
    affinity: Raw | None = None
    topology_spread_constraints: tuple[Raw, ...] | None = None


class PlainMeta(Part, frozen=True):
    """ObjectMeta: as people write it, not as a server gives it back."""

    name: str | None = None
    namespace: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: None = None
