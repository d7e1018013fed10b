"""Ports that several containers of a Pod have."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.core import ContainerPort, PodSpec, every_container
from podward.api.gotext import quote
from podward.path import Path, path


def conflicts(spec: PodSpec) -> Iterator[str]:
    """Definitions of the same port and protocol that are equal, overlap, or can't be told apart on the host."""
    seen: dict[tuple[int, str], list[tuple[Path, ContainerPort]]] = {}
    for at, port in _every(spec):
        if port.host_ip and not port.host_port:
            yield f"{at}: hostIP set without hostPort: {_printed(port)}"
        others = seen.setdefault((port.container_port or 0, port.protocol or ""), [])
        for place, other in others:
            kind = _conflict(port, other)
            if kind:
                yield f"{at}: {kind} port definition with {place}"
        others.append((at, port))


def names(spec: PodSpec) -> Iterator[str]:
    """Names that stand again, in whichever container."""
    first: dict[str, Path] = {}
    for at, port in _every(spec):
        if not port.name:
            continue
        place = first.setdefault(port.name, at)
        if place is not at:
            consequence = f"services and probes that select ports by name will use {place}"
            yield f"{at}: duplicate port name {quote(port.name)} with {place}, {consequence}"


def _every(spec: PodSpec) -> Iterator[tuple[Path, ContainerPort]]:
    for name, index, container in every_container(spec):
        for number, port in enumerate(container.ports or ()):
            yield path("spec", name, index, "ports", number), port


def _conflict(one: ContainerPort, other: ContainerPort) -> str:
    addresses, numbers = (one.host_ip or "", other.host_ip or ""), (one.host_port or 0, other.host_port or 0)
    if addresses[0] == addresses[1] and numbers[0] == numbers[1]:
        return "duplicate"
    if 0 in numbers:
        return "overlapping"
    ambiguous = numbers[0] == numbers[1] and bool(addresses[0]) != bool(addresses[1])
    return "dangerously ambiguous" if ambiguous else ""


def _printed(port: ContainerPort) -> str:
    """The port as Go prints a struct."""
    numbers = f"HostPort:{port.host_port or 0} ContainerPort:{port.container_port or 0}"
    return f"{{Name:{port.name or ''} {numbers} Protocol:{port.protocol or ''} HostIP:{port.host_ip or ''}}}"
