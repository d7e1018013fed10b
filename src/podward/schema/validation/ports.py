"""Ports of containers: their names, what a reference to one may be, and host ports, each once.

Specification: Kubernetes, validateContainerPorts, IsValidPortName, checkHostPortConflicts. A port's name has at most 15
characters, at least one letter, and is unique in its container.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import NOTHING, At, Place, duplicate, each, invalid
from podward.schema.validation.raw import number, text
from podward.schema.validation.walk import Scope

LARGEST = 65535
_LONGEST_NAME = 15
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_CHARACTERS = _LETTERS | frozenset("0123456789-")


def check(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `ports`."""
    found: list[Decision] = []
    names: set[str] = set()
    walk, list_at = scope.walks["ContainerPort"], Place(at, "ports")
    for index, port in enumerate(objects(container, "ports")):
        place, name = Place(list_at, index), port.get("name")
        if name and isinstance(name, str):
            if name in names or name_faults(name):
                found.append(_name(name, place / "name"))
            names.add(name)
        wrong = walk(port, scope, place)
        if wrong is not NOTHING:
            found.append(wrong)
    return merge(*found) if found else NOTHING


def host_ports(containers: Iterable[JsonObject], at: At) -> Decision:
    """What containers that run at the same time take of the host; `at` is their list."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, container in enumerate(containers):
        if not container.get("ports"):
            continue
        for position, port in enumerate(objects(container, "ports")):
            taken = port.get("hostPort")
            if not taken:
                continue
            place = f"{text(port, 'protocol') or 'TCP'}/{text(port, 'hostIP')}/{taken}"
            if place in seen:
                found.append(duplicate(at / index / "ports" / position / "hostPort", place))
            seen.add(place)
    return merge(*found) if found else NOTHING


def are_the_nodes(container: JsonObject, at: Place) -> Decision:
    """With hostNetwork, a container's port is the node's port."""
    detail = "must match `containerPort` when `hostNetwork` is true"
    return merge(
        *(
            invalid(at / "ports" / index / "hostPort", number(port, "hostPort"), detail)
            for index, port in enumerate(objects(container, "ports"))
            if number(port, "hostPort") != number(port, "containerPort")
        )
    )


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


def _name(name: str, at: At) -> Decision:
    """Refuse a name that is malformed or else, as this is asked of no other, taken."""
    faults = name_faults(name)
    return each(at, name, faults) if faults else duplicate(at, name)
