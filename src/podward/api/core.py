"""The Pod, as far as Podward reads it: core/v1 of Kubernetes.

These types are views: they ignore unknown fields. The raw document is kept beside them; it is what is stored and
patched, and `podward.schema.strict` refuses its unknown fields. As in Kubernetes, null and absent are the same.
"""

from __future__ import annotations

from msgspec import field

from podward.api.structure import View
from podward.api.volume import ResourceSelector, Volume


class Capabilities(View, frozen=True):
    """core/v1 Capabilities."""

    add: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None


class SELinuxOptions(View, frozen=True):
    """core/v1 SELinuxOptions; in Go these are plain strings, so null reads as empty."""

    user: str | None = None
    role: str | None = None
    type: str | None = None
    level: str | None = None


class Profile(View, frozen=True):
    """core/v1 SeccompProfile and AppArmorProfile, which have the same shape."""

    type: str | None = None
    localhost_profile: str | None = None


class WindowsOptions(View, frozen=True):
    """core/v1 WindowsSecurityContextOptions."""

    gmsa_credential_spec_name: str | None = None
    gmsa_credential_spec: str | None = None
    run_as_user_name: str | None = None
    host_process: bool | None = None


class SecurityContext(View, frozen=True):
    """core/v1 SecurityContext: the container's."""

    capabilities: Capabilities | None = None
    privileged: bool | None = None
    se_linux_options: SELinuxOptions | None = field(default=None, name="seLinuxOptions")
    windows_options: WindowsOptions | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    allow_privilege_escalation: bool | None = None
    proc_mount: str | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None


class Sysctl(View, frozen=True):
    """core/v1 Sysctl."""

    name: str | None = None
    value: str | None = None


class PodSecurityContext(View, frozen=True):
    """core/v1 PodSecurityContext."""

    se_linux_options: SELinuxOptions | None = field(default=None, name="seLinuxOptions")
    windows_options: WindowsOptions | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    supplemental_groups: tuple[int, ...] | None = None
    supplemental_groups_policy: str | None = None
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    sysctls: tuple[Sysctl, ...] | None = None
    seccomp_profile: Profile | None = None
    app_armor_profile: Profile | None = None
    se_linux_change_policy: str | None = field(default=None, name="seLinuxChangePolicy")


class FieldRef(View, frozen=True):
    """core/v1 ObjectFieldSelector."""

    field_path: str | None = None
    api_version: str | None = None


class KeySelector(View, frozen=True):
    """core/v1 SecretKeySelector and ConfigMapKeySelector."""

    name: str | None = None
    key: str = ""
    optional: bool | None = None


class ValueFrom(View, frozen=True):
    """core/v1 EnvVarSource, but for values out of files of volumes."""

    field_ref: FieldRef | None = None
    resource_field_ref: ResourceSelector | None = None
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None


class ObjectReference(View, frozen=True):
    """core/v1 SecretEnvSource and ConfigMapEnvSource."""

    name: str | None = None
    optional: bool | None = None


class EnvFrom(View, frozen=True):
    """core/v1 EnvFromSource: all keys of an object become variables."""

    prefix: str | None = None
    config_map_ref: ObjectReference | None = None
    secret_ref: ObjectReference | None = None


class EnvVar(View, frozen=True):
    """core/v1 EnvVar."""

    name: str = ""
    value: str | None = None
    value_from: ValueFrom | None = None


class ContainerPort(View, frozen=True):
    """core/v1 ContainerPort."""

    container_port: int | None = None
    host_port: int | None = None
    host_ip: str | None = field(default=None, name="hostIP")
    protocol: str | None = None
    name: str | None = None


class VolumeMount(View, frozen=True):
    """core/v1 VolumeMount."""

    name: str = ""
    mount_path: str = ""
    sub_path: str | None = None
    sub_path_expr: str | None = None
    read_only: bool | None = None
    recursive_read_only: str | None = None
    mount_propagation: str | None = None


class Resources(View, frozen=True):
    """core/v1 ResourceRequirements; quantities stay text (or numbers) until `policy.kubelet.resources` reads them."""

    limits: dict[str, str | int | float] | None = None
    requests: dict[str, str | int | float] | None = None


class ExecAction(View, frozen=True):
    """core/v1 ExecAction."""

    command: tuple[str, ...] | None = None


class HTTPHeader(View, frozen=True):
    """core/v1 HTTPHeader."""

    name: str = ""
    value: str = ""


class HTTPGetAction(View, frozen=True):
    """core/v1 HTTPGetAction; an empty `host` means the Pod itself, `port` is a number or the name of a port."""

    path: str | None = None
    port: int | str | None = None
    host: str | None = None
    scheme: str | None = None
    http_headers: tuple[HTTPHeader, ...] | None = None


class TCPSocketAction(View, frozen=True):
    """core/v1 TCPSocketAction; an empty `host` means the Pod itself, `port` is a number or the name of a port."""

    port: int | str | None = None
    host: str | None = None


class GRPCAction(View, frozen=True):
    """core/v1 GRPCAction."""

    port: int | None = None
    service: str | None = None


class SleepAction(View, frozen=True):
    """core/v1 SleepAction."""

    seconds: int = 0


class Handler(View, frozen=True):
    """The actions of core/v1 ProbeHandler and LifecycleHandler: at most one of them is set."""

    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    sleep: SleepAction | None = None


class Probe(Handler, frozen=True):
    """core/v1 Probe; what is unset has the API's default, which is said in `policy.kubelet.probes`."""

    initial_delay_seconds: int | None = None
    timeout_seconds: int | None = None
    period_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None
    termination_grace_period_seconds: int | None = None


class Lifecycle(View, frozen=True):
    """core/v1 Lifecycle."""

    post_start: Handler | None = None
    pre_stop: Handler | None = None
    stop_signal: str | None = None


class RestartExitCodes(View, frozen=True):
    """core/v1 ContainerRestartRuleOnExitCodes."""

    operator: str = ""
    values: tuple[int, ...] | None = None


class RestartRule(View, frozen=True):
    """core/v1 ContainerRestartRule."""

    action: str = ""
    exit_codes: RestartExitCodes | None = None


class ResizePolicy(View, frozen=True):
    """core/v1 ContainerResizePolicy."""

    resource_name: str = ""
    restart_policy: str = ""


class Container(View, frozen=True):
    """core/v1 Container, also for init and ephemeral containers."""

    name: str = ""
    image: str | None = None
    image_pull_policy: str | None = None
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str | None = None
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFrom, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    resources: Resources | None = None
    resize_policy: tuple[ResizePolicy, ...] | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    security_context: SecurityContext | None = None
    restart_policy: str | None = None
    restart_policy_rules: tuple[RestartRule, ...] | None = None
    stdin: bool | None = None
    stdin_once: bool | None = None
    tty: bool | None = None
    termination_message_path: str | None = None
    termination_message_policy: str | None = None
    target_container_name: str | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None


class HostAlias(View, frozen=True):
    """core/v1 HostAlias."""

    ip: str = ""
    hostnames: tuple[str, ...] | None = None


class DnsOption(View, frozen=True):
    """core/v1 PodDNSConfigOption."""

    name: str = ""
    value: str | None = None


class DnsConfig(View, frozen=True):
    """core/v1 PodDNSConfig."""

    nameservers: tuple[str, ...] | None = None
    searches: tuple[str, ...] | None = None
    options: tuple[DnsOption, ...] | None = None


class PodOS(View, frozen=True):
    """core/v1 PodOS."""

    name: str | None = None


class PodSpec(View, frozen=True):
    """core/v1 PodSpec."""

    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    ephemeral_containers: tuple[Container, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    resources: Resources | None = None
    security_context: PodSecurityContext | None = None
    service_account_name: str | None = None
    dns_policy: str | None = None
    dns_config: DnsConfig | None = field(default=None, name="dnsConfig")
    host_aliases: tuple[HostAlias, ...] | None = None
    host_network: bool | None = None
    host_pid: bool | None = field(default=None, name="hostPID")
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_users: bool | None = None
    share_process_namespace: bool | None = None
    restart_policy: str | None = None
    runtime_class_name: str | None = None
    hostname: str | None = None
    hostname_override: str | None = None
    subdomain: str | None = None
    enable_service_links: bool | None = None
    set_hostname_as_fqdn: bool | None = field(default=None, name="setHostnameAsFQDN")
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    os: PodOS | None = None


class ObjectMeta(View, frozen=True):
    """meta/v1 ObjectMeta."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None


class Pod(View, frozen=True):
    """core/v1 Pod."""

    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class Namespace(View, frozen=True):
    """core/v1 Namespace: its labels and annotations are what policies read."""

    metadata: ObjectMeta = ObjectMeta()


def every_container(spec: PodSpec) -> tuple[tuple[str, int, Container], ...]:
    """All containers with their list's field name and index: init, regular, ephemeral, as the kubelet visits them."""
    return tuple(
        (name, index, container)
        for name, containers in (
            ("initContainers", spec.init_containers),
            ("containers", spec.containers),
            ("ephemeralContainers", spec.ephemeral_containers),
        )
        for index, container in enumerate(containers or ())
    )
