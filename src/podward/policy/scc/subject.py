"""The Pod that an SCC is applied to, as its rules read it, and the places of its containers.

Containers are visited as OpenShift does: init, regular, ephemeral. Places are made once and kept, because every Pod
has its containers at the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from podward.api.core import Container, Pod, PodSecurityContext, SecurityContext
from podward.decision import Assignment, Decision, Source, Value
from podward.path import Path, path

POD_CONTEXT = path("spec", "securityContext")
"""Where the Pod's security context stands."""

_NO_CONTEXT = PodSecurityContext()
_NO_CONTAINER_CONTEXT = SecurityContext()
_NO_ANNOTATIONS: Mapping[str, str | None] = {}


class Place:
    """Where a container stands: its `path`, its security `context`, and `printed` as OpenShift's errors name it."""

    __slots__ = ("context", "path", "printed")

    def __init__(self, list_name: str, index: int) -> None:
        self.path = path("spec", list_name, index)
        self.context = self.path / "securityContext"
        self.printed = f".{list_name}[{index}]"


class SccContainer:
    """A container of the Pod and its place; `context` is an empty one where it has none."""

    __slots__ = ("container", "context", "place")

    def __init__(self, container: Container, place: Place) -> None:
        self.container = container
        self.context = container.security_context or _NO_CONTAINER_CONTEXT
        self.place = place


class SccPod:
    """The Pod, with an empty context and empty annotations where it has none."""

    __slots__ = ("_host_ports", "annotations", "context", "members", "spec")

    def __init__(self, pod: Pod) -> None:
        spec = self.spec = pod.spec
        self.context = spec.security_context or _NO_CONTEXT
        self.annotations = pod.metadata.annotations or _NO_ANNOTATIONS
        self._host_ports: tuple[tuple[Place, int, int], ...] | None = None
        members = self.members = []  # type: list[SccContainer]
        for list_name, containers in (
            ("initContainers", spec.init_containers),
            ("containers", spec.containers),
            ("ephemeralContainers", spec.ephemeral_containers),
        ):
            if containers:
                places = _places(list_name, len(containers))
                members += map(SccContainer, containers, places)

    @property
    def host_ports(self) -> tuple[tuple[Place, int, int], ...]:
        """Every port of the node that is asked for: its container's place, its index there, and its number."""
        if self._host_ports is None:
            self._host_ports = tuple(
                (member.place, index, port.host_port)
                for member in self.members
                for index, port in enumerate(member.container.ports or ())
                if port.host_port is not None and port.host_port > 0
            )
        return self._host_ports


class Default:
    """A value that an SCC gives to each container that has none; the Decision is made once for each place."""

    __slots__ = ("_made", "_names", "_reason", "_source", "_value")

    def __init__(self, names: tuple[str, ...], value: Value, reason: str, source: Source) -> None:
        self._names, self._value, self._reason, self._source = names, value, reason, source
        self._made: dict[Place, Decision] = {}

    def at(self, place: Place) -> Decision:
        """The assignment for the container at `place`."""
        made = self._made.get(place)
        if made is None:
            where = Path(place.context.segments + self._names)
            made = Decision((Assignment(where, self._value, self._reason, self._source),))
            self._made[place] = made
        return made


class PodRule(Protocol):
    """A rule about the Pod as a whole."""

    def pod(self, subject: SccPod) -> Decision:
        """What the rule sets and refuses."""


class ContainerRule(Protocol):
    """A rule about each container."""

    def container(self, subject: SccPod, member: SccContainer) -> Decision:
        """What the rule sets on this container and refuses of it."""


_KNOWN: dict[str, list[Place]] = {"initContainers": [], "containers": [], "ephemeralContainers": []}


def _places(list_name: str, count: int) -> list[Place]:
    known = _KNOWN[list_name]
    while len(known) < count:
        known.append(Place(list_name, len(known)))
    return known
