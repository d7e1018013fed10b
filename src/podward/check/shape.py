"""The shape of a plain workload: what policies and hints look at, without names, images and settings.

Also the least Pod that has a shape, which is what is judged: its names are stand-ins for those of any other.
"""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct, convert

from podward.api.core import (
    Container,
    ContainerPort,
    Endpoint,
    Handler,
    Lifecycle,
    ObjectMeta,
    Pod,
    PodSecurityContext,
    PodSpec,
    SecurityContext,
)
from podward.api.volume import EmptyDir, HostPath, OtherVolumeSource, Volume
from podward.path import Path
from podward.schema.plain.containers import PlainContainer
from podward.schema.plain.contexts import PlainPodSecurityContext, PlainSecurityContext
from podward.schema.plain.handlers import PlainHook, PlainProbe, is_own
from podward.schema.plain.known_valid import KnownValid
from podward.schema.plain.part import STAND_IN, PlainObject
from podward.schema.plain.pod import PlainSpec
from podward.schema.workload import TEMPLATES

T = TypeVar("T")
ANY = "shape"
"""The name of whatever has no name of its own in a shape."""


class ContainerShape(Struct, frozen=True, gc=False):
    """What matters of a container; of its ports those of the node, by their index.

    `hosts` are those that the kubelet is to ask: by the probe or hook, and the kind of its action.
    """

    context: PlainSecurityContext | None
    host_ports: tuple[tuple[int, int], ...] = ()
    hosts: tuple[tuple[str, str, str], ...] = ()


class Shape(Struct, frozen=True, gc=False):
    """What matters of a workload.

    `place` is where in its document the Pod, or its template, is; `hosts` are network, processes, IPC, users; `volumes`
    are those that a policy can refuse: index and kind.
    """

    place: Path
    context: PlainPodSecurityContext | None
    hosts: tuple[bool | None, bool | None, bool | None, bool | None]
    volumes: tuple[tuple[int, str], ...]
    containers: tuple[ContainerShape, ...]
    init_containers: tuple[ContainerShape, ...]


def shape_of(workload: KnownValid) -> Shape:
    """The workload's shape."""
    spec, place = workload.spec, TEMPLATES[workload.kind]
    shared = spec.host_network
    return Shape(
        place if not workload.at.segments else workload.at + place,
        _without_groups(spec.security_context),
        (shared, spec.host_pid, spec.host_ipc, spec.host_users),
        _volumes(spec),
        tuple([_container_shape(container, shared) for container in spec.containers]),
        tuple([_container_shape(container, shared) for container in spec.init_containers])
        if spec.init_containers
        else (),
    )


def _volumes(spec: PlainSpec) -> tuple[tuple[int, str], ...]:
    if not spec.volumes:
        return ()
    return tuple(
        [
            (index, "hostPath" if volume.host_path is not None else "nfs")
            for index, volume in enumerate(spec.volumes)
            if volume.host_path is not None or volume.nfs is not None
        ]
    )


def _without_groups(context: PlainPodSecurityContext | None) -> PlainPodSecurityContext | None:
    """The Pod's context without what only volumes and SCCs care about: the groups beside the first."""
    if context is None or (context.fs_group is None and context.supplemental_groups is None):
        return context
    return PlainPodSecurityContext(
        run_as_user=context.run_as_user,
        run_as_group=context.run_as_group,
        run_as_non_root=context.run_as_non_root,
        seccomp_profile=context.seccomp_profile,
        app_armor_profile=context.app_armor_profile,
        se_linux_options=context.se_linux_options,
        sysctls=context.sysctls,
    )


def _container_shape(container: PlainContainer, in_network: bool | None) -> ContainerShape:  # noqa: FBT001
    """`in_network` is the Pod's hostNetwork, in which each port is one of the node's."""
    taken: list[tuple[int, int]] = []
    if container.ports:
        taken = [
            (index, port.host_port or port.container_port)
            for index, port in enumerate(container.ports)
            if port.host_port or in_network
        ]
    return ContainerShape(
        container.security_context, tuple(taken), () if _asks_itself(container) else _hosts(container)
    )


def _asks_itself(container: PlainContainer) -> bool:
    """Whether the kubelet asks no other host about the container, as in nearly all Pods."""
    alive, ready, started, hooks = (
        container.liveness_probe,
        container.readiness_probe,
        container.startup_probe,
        container.lifecycle,
    )
    return (
        (alive is None or is_own(alive))
        and (ready is None or is_own(ready))
        and (started is None or is_own(started))
        and hooks is None
    )


def _hosts(container: PlainContainer) -> tuple[tuple[str, str, str], ...]:
    hooks = container.lifecycle
    handlers: tuple[tuple[str, PlainProbe | PlainHook | None], ...] = (
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
        ("startupProbe", container.startup_probe),
        ("postStart", hooks.post_start if hooks is not None else None),
        ("preStop", hooks.pre_stop if hooks is not None else None),
    )
    found: list[tuple[str, str, str]] = []
    for name, handler in handlers:
        if handler is not None and handler.http_get is not None and handler.http_get.host:
            found.append((name, "httpGet", handler.http_get.host))
        if handler is not None and handler.tcp_socket is not None and handler.tcp_socket.host:
            found.append((name, "tcpSocket", handler.tcp_socket.host))
    return tuple(found)


def names_of(spec: PlainSpec) -> list[str]:
    """The names that findings may say: containers', init containers', volumes'."""
    names = [container.name for container in spec.containers]
    if spec.init_containers:
        names += [container.name for container in spec.init_containers]
    if spec.volumes:
        names += [volume.name for volume in spec.volumes]
    return names


# --- the least Pod ----------------------------------------------------------------------------------------------------


def pod_of(shape: Shape, namespace: str) -> Pod:
    """The smallest Pod of the shape."""
    regular = len(shape.containers)
    before = regular + len(shape.init_containers)
    network, processes, ipc, users = shape.hosts
    kinds = dict(shape.volumes)
    spec = PodSpec(
        containers=_containers(shape.containers, 0),
        init_containers=_containers(shape.init_containers, regular),
        volumes=tuple([_volume(before + index, kinds.get(index)) for index in range(max(kinds, default=-1) + 1)]),
        security_context=_as_view(shape.context, PodSecurityContext),
        host_network=network,
        host_pid=processes,
        host_ipc=ipc,
        host_users=users,
    )
    return Pod(ObjectMeta(name=ANY, namespace=namespace), spec)


def _containers(shapes: tuple[ContainerShape, ...], first: int) -> tuple[Container, ...]:
    return tuple([_container(shape, number) for number, shape in enumerate(shapes, first)])


def _container(shape: ContainerShape, number: int) -> Container:
    asked = {
        name: Handler(http_get=Endpoint(host)) if kind == "httpGet" else Handler(tcp_socket=Endpoint(host))
        for name, kind, host in shape.hosts
    }
    return Container(
        _stand_in(number),
        image=ANY,
        ports=_ports(shape),
        security_context=_as_view(shape.context, SecurityContext),
        liveness_probe=asked.get("livenessProbe"),
        readiness_probe=asked.get("readinessProbe"),
        startup_probe=asked.get("startupProbe"),
        lifecycle=Lifecycle(asked.get("postStart"), asked.get("preStop")) if asked else None,
    )


def _as_view(part: PlainObject | None, as_type: type[T]) -> T | None:
    """A part of a plain Pod as every rule knows it."""
    return None if part is None else convert(part, as_type, from_attributes=True)


def _ports(shape: ContainerShape) -> tuple[ContainerPort, ...]:
    taken = dict(shape.host_ports)
    return tuple([ContainerPort(host_port=taken.get(index)) for index in range(max(taken, default=-1) + 1)])


def _volume(number: int, kind: str | None) -> Volume:
    name = _stand_in(number)
    if kind == "hostPath":
        return Volume(name, host_path=HostPath("/"))
    return Volume(name, nfs=OtherVolumeSource()) if kind == "nfs" else Volume(name, empty_dir=EmptyDir())


def _stand_in(number: int) -> str:
    """A name that no text of a shape contains."""
    return f"{STAND_IN}{number:06d}"
