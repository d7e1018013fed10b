"""Containers of plain Pods.

Specification: `validation.containers`, `validation.ports` and `validation.mounts`, taken a little too strictly rather
than too loosely.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import field

from podward.schema.plain.amounts import PlainResources, are_resources
from podward.schema.plain.contexts import PlainSecurityContext, is_context
from podward.schema.plain.environment import PlainVariable, PlainVariables, are_variables, is_source
from podward.schema.plain.handlers import AT_ONCE, PlainLifecycle, PlainProbe, are_hooks, is_probe
from podward.schema.plain.part import PlainObject, Port, is_inside
from podward.schema.validation.names import label_faults
from podward.schema.validation.ports import name_faults


class PlainPort(PlainObject, frozen=True):
    """ContainerPort."""

    container_port: Port
    name: str | None = None
    protocol: Literal["TCP", "UDP", "SCTP"] | None = None
    host_port: Port | None = None
    host_ip: str | None = field(default=None, name="hostIP")


class PlainMount(PlainObject, frozen=True):
    """VolumeMount."""

    name: str
    mount_path: str
    read_only: bool | None = None
    sub_path: str | None = None
    sub_path_expr: str | None = None
    mount_propagation: Literal["None", "HostToContainer", "Bidirectional"] | None = None


class PlainResize(PlainObject, frozen=True):
    """ContainerResizePolicy."""

    resource_name: Literal["cpu", "memory"]
    restart_policy: Literal["NotRequired"]


class PlainContainer(PlainObject, frozen=True):
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
    stdin_once: bool | None = None
    tty: bool | None = None
    restart_policy: Literal["Always", "OnFailure", "Never"] | None = None
    resize_policy: tuple[PlainResize, ...] | None = None


def is_container(container: PlainContainer, volumes: frozenset[str], host_users: bool | None) -> bool:  # noqa: FBT001
    """Whether the container is sound but for its probes and hooks; `host_users` is the field of its Pod."""
    image, context, mounts = container.image, container.security_context, container.volume_mounts
    return (
        not label_faults(container.name)
        and image != ""
        and not image[0].isspace()
        and not image[-1].isspace()
        and (not container.env or are_variables(container.env))
        and (not container.env_from or all(map(is_source, container.env_from)))
        and (not container.ports or _are_ports(container.ports))
        and (not mounts or _are_mounts(mounts, volumes, context))
        and (container.resources is None or are_resources(container.resources))
        and (context is None or is_context(context, host_users))
        and (not container.resize_policy or _are_distinct(container.resize_policy))
    )


def _are_ports(ports: tuple[PlainPort, ...]) -> bool:
    names: set[str] = set()
    for port in ports:
        if port.name:
            if name_faults(port.name) or port.name in names:
                return False
            names.add(port.name)
    return True


def _are_mounts(mounts: tuple[PlainMount, ...], volumes: frozenset[str], context: PlainSecurityContext | None) -> bool:
    places: set[str] = set()
    for mount in mounts:
        if mount.name not in volumes or not mount.mount_path or (mount.sub_path and not is_inside(mount.sub_path)):
            return False
        if mount.sub_path_expr and (mount.sub_path or not is_inside(mount.sub_path_expr)):
            return False
        if mount.mount_propagation == "Bidirectional" and (context is None or not context.privileged):
            return False
        places.add(mount.mount_path)
    return len(places) == len(mounts)


def _are_distinct(policies: tuple[PlainResize, ...]) -> bool:
    return len({policy.resource_name for policy in policies}) == len(policies)


# --- what containers have to do with each other, and with their Pod ---------------------------------------------------


def have_hooks(container: PlainContainer, grace: int) -> bool:
    """Whether the probes and hooks of a container that may have them are sound; `grace` is the Pod's time to end."""
    alive, ready, started = container.liveness_probe, container.readiness_probe, container.startup_probe
    if alive is not None and not (is_probe(alive) and alive.success_threshold in AT_ONCE):
        return False
    if ready is not None and not (is_probe(ready) and ready.termination_grace_period_seconds is None):
        return False
    if started is not None and not (is_probe(started) and started.success_threshold in AT_ONCE):
        return False
    hooks = container.lifecycle
    return hooks is None or are_hooks(hooks, grace)


def is_unwatched(container: PlainContainer) -> bool:
    """Whether the container has nothing that an init container must not have, unless it is a sidecar."""
    watched = (container.liveness_probe, container.readiness_probe, container.startup_probe, container.lifecycle)
    return watched == (None, None, None, None)


def are_free(containers: Iterable[PlainContainer], *, host_network: bool | None) -> bool:
    """Whether no port of the node is taken twice; with the node's network each port is one of the node's."""
    taken: list[tuple[str, int, str]] = []
    for container in containers:
        for port in container.ports or ():
            number = port.host_port or (port.container_port if host_network else 0)
            if number:
                taken.append((port.protocol or "TCP", number, port.host_ip or ""))
    return len(taken) < 2 or len(set(taken)) == len(taken)  # one can't be there twice


def are_matched(containers: Iterable[PlainContainer]) -> bool:
    """Whether every port is written as one of the node's too, which defaulting makes of it in the node's network."""
    return not any(port.host_port != port.container_port for container in containers for port in container.ports or ())
