"""Container ports: names, numbers, protocols; and host ports, each once.

Specification: Kubernetes 1.36, validateContainerPorts, IsValidPortName, checkHostPortConflicts. A port's name has at
most 15 characters, at least one letter, and is unique in its container.
"""

from __future__ import annotations

from podward.api.core import Container, ContainerPort
from podward.api.validation.field import duplicate, each, in_range, required, unsupported
from podward.decision import Decision, merge
from podward.path import Path

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
        found += [_name(port.name, names, at / index / "name") if port.name else Decision(), _port(port, at / index)]
    return merge(*found)


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


def name_faults(name: str) -> list[str]:
    """What keeps `name` from being a port's name."""
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
    return faults


def number(value: int, at: Path) -> Decision:
    """Refuse what is no port's number."""
    return in_range(at, value, 1, _LARGEST)


def _name(name: str, names: set[str], at: Path) -> Decision:
    faults = name_faults(name)
    if faults:
        return each(at, name, faults)
    if name in names:
        return duplicate(at, name)
    names.add(name)
    return Decision()


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
