"""The Pod that an SCC is applied to, in the form that the SCC's rules read, and the protocols of these rules.

Containers are in OpenShift's order: init, regular, ephemeral. The paths of containers are made once and kept for all
Pods, because every Pod has its containers at the same paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from podward.api.core import Container, Pod, PodSecurityContext, SecurityContext
from podward.decision import Assignment, Decision, Source, Value
from podward.path import Path, path

POD_CONTEXT = path("spec", "securityContext")
"""The path of the Pod's security context."""

_NO_CONTEXT = PodSecurityContext()
_NO_CONTAINER_CONTEXT = SecurityContext()
_NO_ANNOTATIONS: Mapping[str, str | None] = {}


class ContainerPlace:
    """The paths of a container (`path`) and of its security context, and `printed`, the path in OpenShift's errors."""

    __slots__ = ("context", "path", "printed")

    def __init__(self, list_name: str, index: int) -> None:
        self.path = path("spec", list_name, index)
        self.context = self.path / "securityContext"
        self.printed = f".{list_name}[{index}]"


class SccContainer:
    """A container of the Pod and its place; `context` is an empty security context if it has none."""

    __slots__ = ("context", "place", "spec")

    def __init__(self, container: Container, place: ContainerPlace) -> None:
        self.spec = container
        self.context = container.security_context or _NO_CONTAINER_CONTEXT
        self.place = place


class SccPod:
    """The Pod; `context` and `annotations` are empty if it has none."""

    __slots__ = ("_host_ports", "annotations", "containers", "context", "spec")

    def __init__(self, pod: Pod) -> None:
        spec = self.spec = pod.spec
        self.context = spec.security_context or _NO_CONTEXT
        self.annotations = pod.metadata.annotations or _NO_ANNOTATIONS
        self._host_ports: tuple[tuple[ContainerPlace, int, int], ...] | None = None
        containers = self.containers = []  # type: list[SccContainer]
        for list_name, listed in (
            ("initContainers", spec.init_containers),
            ("containers", spec.containers),
            ("ephemeralContainers", spec.ephemeral_containers),
        ):
            if listed:
                containers += map(SccContainer, listed, _places(list_name, len(listed)))

    @property
    def host_ports(self) -> tuple[tuple[ContainerPlace, int, int], ...]:
        """All hostPorts above 0, each with its container's place and its index in the container's ports."""
        if self._host_ports is None:
            self._host_ports = tuple(
                (container.place, index, port.host_port)
                for container in self.containers
                for index, port in enumerate(container.spec.ports or ())
                if port.host_port is not None and port.host_port > 0
            )
        return self._host_ports


class ContainerDefault:
    """A value that an SCC sets on each container that has none; the Decision is made once for each place."""

    __slots__ = ("_field", "_made", "_reason", "_source", "_value")

    def __init__(self, field: tuple[str, ...], value: Value, reason: str, source: Source) -> None:
        self._field, self._value, self._reason, self._source = field, value, reason, source
        self._made: dict[ContainerPlace, Decision] = {}

    def at(self, place: ContainerPlace) -> Decision:
        """The assignment for the container at `place`."""
        made = self._made.get(place)
        if made is None:
            where = Path(place.context.segments + self._field)
            made = Decision((Assignment(where, self._value, self._reason, self._source),))
            self._made[place] = made
        return made


class PodRule(Protocol):
    """A rule about the Pod as a whole."""

    def decide_pod(self, pod: SccPod) -> Decision:
        """The values that the rule sets, and the violations."""


class ContainerRule(Protocol):
    """A rule about each container."""

    def decide_container(self, pod: SccPod, container: SccContainer) -> Decision:
        """The values that the rule sets on this container, and the violations."""


_KNOWN: dict[str, list[ContainerPlace]] = {"initContainers": [], "containers": [], "ephemeralContainers": []}


def _places(list_name: str, count: int) -> list[ContainerPlace]:
    known = _KNOWN[list_name]
    while len(known) < count:
        known.append(ContainerPlace(list_name, len(known)))
    return known
