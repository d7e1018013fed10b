"""SecurityContextConstraints: security.openshift.io/v1, as OpenShift stores them.

These types are views, as in `podward.api.core`: null and absent are the same.
"""

from __future__ import annotations

from msgspec import field

from podward.api.core import ObjectMeta, SELinuxOptions
from podward.api.structure import View


class RunAsUserStrategy(View, frozen=True):
    """Which users a container may run as; `type` is the strategy, the other fields belong to some of the strategies."""

    type: str | None = None
    uid: int | None = None
    uid_range_min: int | None = None
    uid_range_max: int | None = None


class SELinuxStrategy(View, frozen=True):
    """Which SELinux labels a process may have."""

    type: str | None = None
    se_linux_options: SELinuxOptions | None = field(default=None, name="seLinuxOptions")


class IDRange(View, frozen=True):
    """Ids from `min` to `max`, both included; 0 where unset."""

    min: int | None = None
    max: int | None = None


class GroupStrategy(View, frozen=True):
    """Which groups are allowed as fsGroup or as supplementalGroups."""

    type: str | None = None
    ranges: tuple[IDRange, ...] | None = None


class AllowedFlexVolume(View, frozen=True):
    """A flexVolume driver that may be used."""

    driver: str | None = None


class SecurityContextConstraints(View, frozen=True):
    """security.openshift.io/v1 SecurityContextConstraints."""

    metadata: ObjectMeta = ObjectMeta()
    priority: int | None = None
    allow_privileged_container: bool | None = None
    default_add_capabilities: tuple[str, ...] | None = None
    required_drop_capabilities: tuple[str, ...] | None = None
    allowed_capabilities: tuple[str, ...] | None = None
    allow_host_dir_volume_plugin: bool | None = None
    volumes: tuple[str, ...] | None = None
    allowed_flex_volumes: tuple[AllowedFlexVolume, ...] | None = None
    allow_host_network: bool | None = None
    allow_host_ports: bool | None = None
    allow_host_pid: bool | None = field(default=None, name="allowHostPID")
    allow_host_ipc: bool | None = field(default=None, name="allowHostIPC")
    user_namespace_level: str | None = None
    default_allow_privilege_escalation: bool | None = None
    allow_privilege_escalation: bool | None = None
    se_linux_context: SELinuxStrategy = field(default=SELinuxStrategy(), name="seLinuxContext")
    run_as_user: RunAsUserStrategy = RunAsUserStrategy()
    supplemental_groups: GroupStrategy = GroupStrategy()
    fs_group: GroupStrategy = GroupStrategy()
    read_only_root_filesystem: bool | None = None
    users: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    seccomp_profiles: tuple[str, ...] | None = None
    allowed_unsafe_sysctls: tuple[str, ...] | None = None
    forbidden_sysctls: tuple[str, ...] | None = None
