"""What the endpoints of a Service take from a Pod, and which changes of Pods matter to which Services.

Specification: Kubernetes, k8s.io/endpointslice, util/controller_utils.go and utils.go FindPort.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from podward.api.json_value import JsonObject
from podward.client.informer import Change
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import strings, text

_ENDED = frozenset(("Failed", "Succeeded"))
FAMILIES = ("IPv4", "IPv6")


def is_included(pod: JsonObject, *, terminating: bool) -> bool:
    """Whether a Pod may be an endpoint at all. `terminating`: those that end are, too."""
    status = member(pod, "status")
    if status.get("phase") in _ENDED or not (status.get("podIP") or status.get("podIPs")):
        return False
    return terminating or not is_ending(pod)


def is_ending(pod: JsonObject) -> bool:
    """Whether the Pod is being deleted."""
    return member(pod, "metadata").get("deletionTimestamp") is not None


def ready_condition(pod: JsonObject) -> JsonObject:
    """The condition Ready; empty where there is none."""
    conditions = objects(member(pod, "status"), "conditions")
    return next((each for each in conditions if each.get("type") == "Ready"), {})


def is_ready(pod: JsonObject) -> bool:
    """Whether the Pod says that it is ready."""
    return ready_condition(pod).get("status") == "True"


def addresses(pod: JsonObject, family: str) -> list[str]:
    """The Pod's addresses of a family, in their usual form."""
    found = []
    for each in objects(member(pod, "status"), "podIPs"):
        address = parsed(text(each, "ip"))
        if address is not None and family_of(address) == family:
            found.append(str(address))
    return found


def parsed(written: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address that may be written in a form that is not the usual one; None where it is none."""
    parts = written.split(".")
    if len(parts) == 4 and all(part.isascii() and part.isdecimal() for part in parts):
        written = ".".join(str(int(part)) for part in parts)
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def family_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The name of an address's family."""
    return FAMILIES[address.version == 6]


def hostname(pod: JsonObject, service: JsonObject) -> str:
    """The name under which the Service has the Pod; empty where it has none."""
    spec, of, pod_of = member(pod, "spec"), member(service, "metadata"), member(pod, "metadata")
    if text(spec, "subdomain") != of.get("name") or of.get("namespace") != pod_of.get("namespace"):
        return ""
    return text(spec, "hostname")


def port_number(pod: JsonObject, port: JsonObject) -> int | None:
    """The number of a Service's port at a Pod; None where the Pod has no port of that name."""
    target = port.get("targetPort")
    if isinstance(target, int):
        return target
    protocol = text(port, "protocol") or "TCP"
    for container in _listening(member(pod, "spec")):
        for each in objects(container, "ports"):
            number = each.get("containerPort")
            if text(each, "name") == target and (text(each, "protocol") or "TCP") == protocol:
                return number if isinstance(number, int) else None
    return None


def _listening(spec: JsonObject) -> Iterator[JsonObject]:
    """The containers whose ports count; of the initial ones those that go on."""
    yield from objects(spec, "containers")
    for container in objects(spec, "initContainers"):
        if container.get("restartPolicy") == "Always":
            yield container


def reference(pod: JsonObject) -> JsonObject:
    """What an endpoint says of its Pod."""
    of = member(pod, "metadata")
    return {"kind": "Pod", "namespace": of.get("namespace"), "name": of.get("name"), "uid": of.get("uid")}


def selected(service: JsonObject, pods: Iterable[JsonObject]) -> list[JsonObject]:
    """The Pods that a Service with a selector selects."""
    selector = strings(member(service, "spec"), "selector")
    return [pod for pod in pods if _matches(selector, pod)]


def _matches(selector: dict[str, str], pod: JsonObject) -> bool:
    labels = member(member(pod, "metadata"), "labels")
    return all(labels.get(name) == value for name, value in selector.items())


def has_selector(service: JsonObject) -> bool:
    """Whether the Service selects Pods: without a selector somebody else makes its endpoints."""
    return isinstance(member(service, "spec").get("selector"), dict)


def touched(change: Change, services: Iterable[JsonObject]) -> list[JsonObject]:
    """The Services, of those of the Pod's namespace, whose endpoints a change of a Pod may change."""
    old, new = change.old, change.new
    if old is not None and new is not None:
        changed, moved = _differs(old, new), _moved(old, new)
        if not changed and not moved:
            return []
        if moved:
            return [each for each in services if has_selector(each) and _concerned(each, old, new, either=changed)]
    pod = change.object
    return [each for each in services if has_selector(each) and selected(each, [pod])]


def _concerned(service: JsonObject, old: JsonObject, new: JsonObject, *, either: bool) -> bool:
    was, is_now = bool(selected(service, [old])), bool(selected(service, [new]))
    return was or is_now if either else was != is_now


def _moved(old: JsonObject, new: JsonObject) -> bool:
    """Whether the Pod may be another Service's now."""
    before, after = member(old, "spec"), member(new, "spec")
    return (
        strings(member(old, "metadata"), "labels") != strings(member(new, "metadata"), "labels")
        or text(before, "hostname") != text(after, "hostname")
        or text(before, "subdomain") != text(after, "subdomain")
    )


def _differs(old: JsonObject, new: JsonObject) -> bool:
    """Whether its endpoint is another one now."""
    if is_ending(old) != is_ending(new) or is_ready(old) != is_ready(new):
        return True
    before, after = member(old, "status"), member(new, "status")
    if (before.get("phase") in _ENDED) != (after.get("phase") in _ENDED):
        return True
    return [text(each, "ip") for each in objects(before, "podIPs")] != [
        text(each, "ip") for each in objects(after, "podIPs")
    ]
