"""The plain Pod: what a template, or a Pod itself, holds.

Specification: core/v1 of Kubernetes, as `schema.table`, `defaulting` and `validation` have it, less what is rare.
Rules are taken a little too strictly rather than too loosely.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from podward.path import path
from podward.schema.fit import fits
from podward.schema.plain.containers import (
    PlainContainer,
    are_free,
    are_matched,
    have_hooks,
    is_container,
    is_unwatched,
)
from podward.schema.plain.contexts import PlainPodSecurityContext, is_pod_context
from podward.schema.plain.handlers import Positive
from podward.schema.plain.part import Count, Number, PlainObject, Raw
from podward.schema.plain.scheduling import PlainToleration, are_labels, is_affine, is_spread, is_tolerable
from podward.schema.plain.volumes import PlainVolume, names_of
from podward.schema.validation.names import label_faults, subdomain_faults

_GRACE = 30
_AT = path("spec")
_REPLACING = frozenset(("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"))
_JOBS = frozenset(("Job", "CronJob"))


class PlainName(PlainObject, frozen=True):
    """LocalObjectReference."""

    name: str


class PlainSystem(PlainObject, frozen=True):
    """PodOS."""

    name: Literal["linux"]


class PlainSpec(PlainObject, frozen=True):
    """PodSpec."""

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
    host_users: bool | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    dns_policy: Literal["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] | None = None
    dns_config: Raw | None = None
    host_aliases: tuple[Raw, ...] | None = None
    scheduler_name: str | None = None
    priority_class_name: str | None = None
    priority: Number | None = None
    preemption_policy: Literal["PreemptLowerPriority", "Never"] | None = None
    runtime_class_name: str | None = None
    enable_service_links: bool | None = None
    share_process_namespace: bool | None = None
    set_hostname_as_fqdn: bool | None = field(default=None, name="setHostnameAsFQDN")
    hostname: str | None = None
    subdomain: str | None = None
    node_name: str | None = None
    os: PlainSystem | None = None
    termination_grace_period_seconds: Count | None = None
    active_deadline_seconds: Positive | None = None
    image_pull_secrets: tuple[PlainName, ...] | None = None
    node_selector: dict[str, str] | None = None
    tolerations: tuple[PlainToleration, ...] | None = None
    affinity: Raw | None = None
    topology_spread_constraints: tuple[Raw, ...] | None = None


def is_sound(spec: PlainSpec, kind: str, pod: str, claims: frozenset[str]) -> bool:
    """Whether nothing can be said against the spec of a Pod of this name.

    `kind` is its workload's; `claims` are the volumes that a StatefulSet makes.
    """
    names = _volumes(spec, pod, claims)
    context = spec.security_context
    return (
        names is not None
        and _restarts(spec, kind)
        and _has_names(spec)
        and _shares(spec)
        and (context is None or is_pod_context(context, spec.host_network, spec.host_ipc))
        and _are_containers(spec, names)
        and _is_placed(spec)
        and (spec.dns_policy != "None" or spec.dns_config is not None)
        and (spec.dns_config is None or _is_dns(spec.dns_config, spec.dns_policy))
        and (not spec.host_aliases or _are_aliases(spec.host_aliases))
    )


def _volumes(spec: PlainSpec, pod: str, claims: frozenset[str]) -> frozenset[str] | None:
    if not spec.volumes:
        return claims
    names = names_of(spec.volumes, pod)
    if names is None or not claims:
        return names
    return names | claims if names.isdisjoint(claims) else None


def _restarts(spec: PlainSpec, kind: str) -> bool:
    policy = spec.restart_policy
    if kind in _REPLACING:
        return policy is None or policy == "Always"
    return kind not in _JOBS or policy in {"OnFailure", "Never"}


def _has_names(spec: PlainSpec) -> bool:
    account, old_account, priority = spec.service_account_name, spec.service_account, spec.priority_class_name
    runtime, node, host, domain = spec.runtime_class_name, spec.node_name, spec.hostname, spec.subdomain
    return (
        not (account and subdomain_faults(account))
        and not (old_account and subdomain_faults(old_account))
        and not (priority and subdomain_faults(priority))
        and not (runtime is not None and subdomain_faults(runtime))
        and not (node and subdomain_faults(node))
        and not (host and label_faults(host))
        and not (domain and label_faults(domain))
    )


def _shares(spec: PlainSpec) -> bool:
    """Whether what is shared with the node goes together."""
    if spec.host_pid and spec.share_process_namespace:
        return False
    return spec.host_users is not False or not (spec.host_network or spec.host_pid or spec.host_ipc)


def _are_containers(spec: PlainSpec, volumes: frozenset[str]) -> bool:
    regular, initial, users = spec.containers, spec.init_containers or (), spec.host_users
    if len(regular) + len(initial) > 1:
        names = {container.name for container in (*regular, *initial)}
        if len(names) < len(regular) + len(initial):
            return False
    grace = spec.termination_grace_period_seconds
    grace = _GRACE if grace is None else grace
    for container in regular:
        if not is_container(container, volumes, users) or not have_hooks(container, grace):
            return False
    network = spec.host_network
    for container in initial:
        hooks = have_hooks(container, grace) if container.restart_policy == "Always" else is_unwatched(container)
        if not hooks or not is_container(container, volumes, users) or not are_free((container,), host_network=network):
            return False
    return are_free(regular, host_network=network) and (not network or are_matched((*regular, *initial)))


def _is_placed(spec: PlainSpec) -> bool:
    return (
        (not spec.node_selector or are_labels(spec.node_selector))
        and (not spec.tolerations or all(map(is_tolerable, spec.tolerations)))
        and (spec.affinity is None or is_affine(spec.affinity))
        and (not spec.topology_spread_constraints or is_spread(spec.topology_spread_constraints))
    )


def _is_dns(config: Raw, policy: str | None) -> bool:
    from podward.schema.validation.addresses import dns

    return fits(config, "PodDNSConfig") and not dns({"dnsConfig": config, "dnsPolicy": policy}, _AT).refused


def _are_aliases(aliases: tuple[Raw, ...]) -> bool:
    from podward.schema.validation.addresses import host_aliases

    fitting = all(fits(alias, "HostAlias") for alias in aliases)
    return fitting and not host_aliases({"hostAliases": list(aliases)}, _AT).refused
