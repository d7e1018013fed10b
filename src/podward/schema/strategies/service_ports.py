"""Ports of Services, of which each is there once.

Specification: Kubernetes, validateServicePort, and the parts of ValidateService about ports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.schema.strategies.internal_json import internal
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    each,
    forbidden,
    invalid_value,
    refused,
    required,
    unsupported,
)
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, pointer, text
from podward.schema.validation.values import PORT, PORT_REFERENCE

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_PROTOCOLS = ("SCTP", "TCP", "UDP")


def check(ports: list[JsonObject]) -> Decision:
    """Each port by itself, and its name among the others."""
    seen: set[str] = set()
    found: list[Decision] = []
    for index, port in enumerate(ports):
        place, name = SPEC / "ports" / index, text(port, "name")
        if not name and len(ports) > 1:
            found.append(required(place / "name"))
        elif name:
            found.append(each(place / "name", name, label_faults(name)))
            if name in seen:
                found.append(duplicate(place / "name", name))
            seen.add(name)
        found.append(_port(port, place))
    return merge(*found)


def _port(port: JsonObject, at: Place) -> Decision:
    value, target = number(port, "port"), port.get("targetPort")
    found = [refused(at / "port", value, PORT.reasons(value)), protocol(port, at)]
    sent = target if isinstance(target, str | int) else 0
    found.append(refused(at / "targetPort", sent, PORT_REFERENCE.reasons(sent)))
    application = pointer(port, "appProtocol")
    if application is not None:
        found.append(each(at / "appProtocol", application, key_faults(application)))
    return merge(*found)


def protocol(port: JsonObject, at: Place) -> Decision:
    """The `protocol` of a port, which must be there."""
    name = text(port, "protocol")
    if not name:
        return required(at / "protocol")
    return NOTHING if name in _PROTOCOLS else unsupported(at / "protocol", name, _PROTOCOLS)


def numbers(ports: list[JsonObject], kind: str) -> Decision:
    """Ports of nodes, and ports, each of which a protocol has once."""
    found: list[Decision] = []
    if kind == "ClusterIP":
        detail = "may not be used when `type` is 'ClusterIP'"
        found += [forbidden(_node(index), detail) for index, port in enumerate(ports) if number(port, "nodePort")]
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        node = (text(port, "protocol"), number(port, "nodePort"))
        if node[1] and node in taken:
            found.append(refused(_node(index), node[1], (f"Duplicate value: {node[1]}",)))
        taken.add(node)
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        own = (text(port, "protocol"), number(port, "port"))
        if own in seen:
            found.append(_twice({"protocol": own[0], "port": own[1]}, SPEC / "ports" / index))
        seen.add(own)
    return merge(*found)


def _node(index: int) -> Place:
    return SPEC / "ports" / index / "nodePort"


def _twice(port: JsonObject, at: Place) -> Decision:
    printed = internal("core.ServicePort", port)
    (wrong,) = invalid_value(at, printed, "").violations
    text_of_port = wrong.reason.removeprefix("Invalid value: ").removesuffix(": ")
    return refused(at, printed, (f"Duplicate value: {text_of_port}",))
