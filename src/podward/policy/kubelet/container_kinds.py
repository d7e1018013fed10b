"""The containers of a Pod with what they are: init containers that end, sidecars, regular and ephemeral ones.

Specification: KEP-753; Kubernetes, IsRestartableInitContainer: an init container whose own restart policy is Always is
a sidecar.
"""

from __future__ import annotations

from enum import Enum

from podward.api.core import Container, PodSpec


class Kind(Enum):
    """What a container is."""

    INIT = "init"
    SIDECAR = "sidecar"
    REGULAR = "regular"
    EPHEMERAL = "ephemeral"


def of_init(container: Container) -> Kind:
    """What a container among the Pod's init containers is."""
    return Kind.SIDECAR if container.restart_policy == "Always" else Kind.INIT


def of_pod(spec: PodSpec) -> tuple[tuple[str, Kind, Container], ...]:
    """All containers with name and kind: init containers and sidecars, regular, ephemeral ones."""
    return (
        *((container.name, of_init(container), container) for container in spec.init_containers or ()),
        *((container.name, Kind.REGULAR, container) for container in spec.containers or ()),
        *((container.name, Kind.EPHEMERAL, container) for container in spec.ephemeral_containers or ()),
    )


def by_name(spec: PodSpec) -> dict[str, tuple[Kind, Container]]:
    """The same by name."""
    return {name: (kind, container) for name, kind, container in of_pod(spec)}
