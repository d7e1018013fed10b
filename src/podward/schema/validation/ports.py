"""Container ports: names, numbers, protocols; and host ports, each once.

Specification: Kubernetes, validateContainerPorts, IsValidPortName, checkHostPortConflicts. A port's name has at
most 15 characters, at least one letter, and is unique in its container.
"""

from __future__ import annotations

from functools import lru_cache

from podward.api.core import Container, ContainerPort
from podward.decision import Decision, merge
from podward.path import Path
from podward.schema.validation.field import duplicate, each, in_range, required, unsupported

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_LARGEST = 65535
_LONGEST_NAME = 15
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_CHARACTERS = _LETTERS | frozenset("0123456789-")


def check(ports: tuple[ContainerPort, ...], at: Path) -> Decision:
    """A container's `ports`."""
    found: list[Decision] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        if port.name:
            if port.name in names or name_faults(port.name):
                found.append(_name(port.name, at / index / "name"))
            names.add(port.name)
        if not _surely_sound(port):
            found.append(_port(port, at / index))
    return merge(*found) if found else Decision()


def host_ports(containers: tuple[Container, ...], at: Path) -> Decision:
    """What containers that run at the same time take of the host; `at` is their list."""
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


@lru_cache(1 << 10)
def name_faults(name: str) -> tuple[str, ...]:
    """What keeps `name` from being a port's name.

    Remembered: most ports are called the same few names, and probes say them again.
    """
    faults: list[str] = []
    if len(name.encode()) > _LONGEST_NAME:
        faults.append(f"must be no more than {_LONGEST_NAME} characters")
    if not name or not _CHARACTERS.issuperset(name):
        faults.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if _LETTERS.isdisjoint(name):
        faults.append("must contain at least one letter (a-z)")
    if "--" in name:
        faults.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        faults.append("must not begin or end with a hyphen")
    return tuple(faults)


def is_port(value: int) -> bool:
    """Whether this is a port's number."""
    return 1 <= value <= _LARGEST


def number(value: int, at: Path) -> Decision:
    """Refuse what is no port's number."""
    return in_range(at, value, 1, _LARGEST)


def _name(name: str, at: Path) -> Decision:
    """Refuse a name that is malformed or else, as this is asked of no other, taken."""
    faults = name_faults(name)
    return each(at, name, faults) if faults else duplicate(at, name)


def _surely_sound(port: ContainerPort) -> bool:
    """Whether nothing can be said against the port but for its name: without making a place for each."""
    container, host = port.container_port or 0, port.host_port or 0
    return is_port(container) and (not host or is_port(host)) and port.protocol in _PROTOCOLS


def _port(port: ContainerPort, at: Path) -> Decision:
    found: list[Decision] = []
    container, host = port.container_port or 0, port.host_port or 0
    found.append(number(container, at / "containerPort") if container else required(at / "containerPort"))
    if host:
        found.append(number(host, at / "hostPort"))
    if not port.protocol:
        found.append(required(at / "protocol"))
    elif port.protocol not in _PROTOCOLS:
        found.append(unsupported(at / "protocol", port.protocol, _PROTOCOLS))
    return merge(*found)
