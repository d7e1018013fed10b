"""Containers: names, images, ports, mounts, security contexts.

Specification: Kubernetes 1.36, validateContainers, validateInitContainers, validateEphemeralContainers. Names are
labels and unique among all containers; the later list reports a name that an earlier list has. Only init containers
may have a restartPolicy without rules, and only `Always` is of use to most. An ephemeral container has no ports,
resources, probes, hooks or subPaths.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Container, ContainerPort, PodSpec
from podward.api.json_value import JsonObject
from podward.api.raw_fields import member, objects
from podward.api.validation import mounts, policies, security_context
from podward.api.validation.field import duplicate, forbidden, invalid, required, unsupported
from podward.api.validation.names import label
from podward.decision import Decision, merge
from podward.path import Path

_NOT_EPHEMERAL = (
    "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe", "readinessProbe",
    "startupProbe", "lifecycle",
)  # fmt: skip
_INIT_ONLY_WITH_ALWAYS = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_LARGEST_PORT = 65535


class Context(Struct, frozen=True):
    """What all containers of a Pod are judged by: names of volumes, user namespace, the server's switch."""

    volumes: frozenset[str]
    host_users: bool
    allow_privileged: bool


def check(spec: PodSpec, raw: JsonObject, context: Context, at: Path) -> Decision:
    """All containers of the Pod: regular, init, ephemeral, as the server visits them here."""
    found: list[Decision] = []
    if not spec.containers:
        found.append(required(at / "containers"))
    names: set[str] = set()
    for index, container in enumerate(spec.containers or ()):
        found.append(_regular(container, context, at / "containers" / index, names))
    found.append(_host_ports(spec.containers or (), at / "containers"))
    init_raw = objects(member(raw, "spec"), "initContainers")
    for index, container in enumerate(spec.init_containers or ()):
        found.append(_init(container, init_raw[index], context, at / "initContainers" / index, names))
        found.append(_host_ports((container,), at / "initContainers"))
    ephemeral_raw = objects(member(raw, "spec"), "ephemeralContainers")
    for index, container in enumerate(spec.ephemeral_containers or ()):
        place = at / "ephemeralContainers" / index
        found.append(_ephemeral(container, ephemeral_raw[index], context, place, names))
    return merge(*found)


def check_images(spec: PodSpec, at: Path) -> Decision:
    """No white space around an image's name; regular containers, then init containers."""
    detail = "must not have leading or trailing whitespace"
    return merge(
        *(
            invalid(at / name / index / "image", container.image, detail)
            for name, containers in (("containers", spec.containers), ("initContainers", spec.init_containers))
            for index, container in enumerate(containers or ())
            if container.image and container.image != container.image.strip()
        )
    )


def check_host_network(spec: PodSpec, at: Path) -> Decision:
    """With hostNetwork, a container's port is the host's port."""
    if not spec.host_network:
        return Decision()
    detail = "must match `containerPort` when `hostNetwork` is true"
    return merge(
        *(
            invalid(at / "containers" / index / "ports" / number / "hostPort", port.host_port or 0, detail)
            for index, container in enumerate(spec.containers or ())
            for number, port in enumerate(container.ports or ())
            if (port.host_port or 0) != (port.container_port or 0)
        )
    )


def _common(container: Container, context: Context, at: Path) -> Decision:
    found = [label(container.name, at / "name") if container.name else required(at / "name")]
    if not container.image:
        found.append(required(at / "image"))
    found += [_port(port, at / "ports" / index) for index, port in enumerate(container.ports or ())]
    found.append(mounts.check(container, context.volumes, at / "volumeMounts"))
    found.append(policies.image_pull(container.image_pull_policy, at / "imagePullPolicy"))
    found.append(
        security_context.of_container(
            container.security_context,
            at / "securityContext",
            host_users=context.host_users,
            allow_privileged=context.allow_privileged,
        )
    )
    return merge(*found)


def _regular(container: Container, context: Context, at: Path, names: set[str]) -> Decision:
    found = _common(container, context, at)
    if container.name in names:
        found += duplicate(at / "name", container.name)
    names.add(container.name)
    return found + policies.one_of(container.restart_policy, policies.RESTART, at / "restartPolicy")


def _init(container: Container, raw: JsonObject, context: Context, at: Path, names: set[str]) -> Decision:
    found = [_common(container, context, at)]
    found.append(policies.one_of(container.restart_policy, policies.RESTART, at / "restartPolicy"))
    if container.name in names:
        found.append(duplicate(at / "name", container.name))
    elif container.name:
        names.add(container.name)
    if container.restart_policy != "Always":
        detail = "may not be set for init containers without restartPolicy=Always"
        found += [forbidden(at / name, detail) for name in _INIT_ONLY_WITH_ALWAYS if raw.get(name) is not None]
    return merge(*found)


def _ephemeral(container: Container, raw: JsonObject, context: Context, at: Path, names: set[str]) -> Decision:
    found = [_common(container, context, at)]
    if container.name in names:
        found.append(duplicate(at / "name", container.name))
    elif container.name:
        names.add(container.name)
    for name in _NOT_EPHEMERAL:
        value = raw.get(name)
        if value is not None and value not in ([], {}):
            found.append(forbidden(at / name, "cannot be set for an Ephemeral Container"))
    for index, mount in enumerate(container.volume_mounts or ()):
        place = at / "volumeMounts" / index
        if mount.sub_path:
            found.append(forbidden(place / "subPath", "cannot be set for an Ephemeral Container"))
        if mount.sub_path_expr:
            found.append(forbidden(place / "subPathExpr", "cannot be set for an Ephemeral Container"))
    return merge(*found)


def _port(port: ContainerPort, at: Path) -> Decision:
    found: list[Decision] = []
    in_range = f"must be between 1 and {_LARGEST_PORT}, inclusive"
    number, host = port.container_port or 0, port.host_port or 0
    if number == 0:
        found.append(required(at / "containerPort"))
    elif not 0 < number <= _LARGEST_PORT:
        found.append(invalid(at / "containerPort", number, in_range))
    if host and not 0 < host <= _LARGEST_PORT:
        found.append(invalid(at / "hostPort", host, in_range))
    if not port.protocol:
        found.append(required(at / "protocol"))
    elif port.protocol not in _PROTOCOLS:
        found.append(unsupported(at / "protocol", port.protocol, _PROTOCOLS))
    return merge(*found)


def _host_ports(containers: tuple[Container, ...], at: Path) -> Decision:
    seen: set[str] = set()
    found: list[Decision] = []
    for index, container in enumerate(containers):
        for number, port in enumerate(container.ports or ()):
            if not port.host_port:
                continue
            place = f"{port.protocol or ''}/{port.host_ip or ''}/{port.host_port}"
            if place in seen:
                found.append(duplicate(at / index / "ports" / number / "hostPort", place))
            seen.add(place)
    return merge(*found)
