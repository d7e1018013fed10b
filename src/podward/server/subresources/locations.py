"""Where the streams of a Pod, and the proxies of Pods, Services and nodes lead to.

Specification: Kubernetes, pkg/registry/core/pod/strategy.go (ResourceLocation, LogLocation, streamLocation),
pkg/registry/core/service/storage ResourceLocation, pkg/registry/core/node/strategy.go ResourceLocation, and
pkg/apis/core/validation ValidatePodLogOptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import urlencode

from msgspec import Struct

from podward.api import status
from podward.api.gonumber import parse_int, parse_uint
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.runtime.streaming.remote_command import Asked
from podward.schema.godecode.times import GoTimeError, parse
from podward.schema.strategies.ip import parsed
from podward.schema.validation.raw import text, texts
from podward.server.request_info import Query

_LEAST = (("limitBytes", 1, "must be greater than 0"), ("sinceSeconds", 1, "must be greater than 0"))
_FALSE = frozenset(("false", "0"))
_LOG_FLAGS, _LOG_VALUES = ("follow", "previous", "timestamps"), ("sinceSeconds", "sinceTime", "tailLines", "limitBytes")
_STREAM_FLAGS = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))
_SCHEMES = frozenset(("", "http", "https"))
_PARTS = 3


class Named(Struct, frozen=True):
    """What stands in the place of a name in the path of a proxy: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`."""

    name: str
    port: str = ""
    scheme: str = ""


def named(written: str, kind: str) -> Named | Status:
    """What is meant by it."""
    parts = written.split(":")
    found = Named(parts[0]) if len(parts) == 1 else Named(parts[-2], parts[-1], parts[0] if len(parts) > 2 else "")
    if len(parts) > _PARTS or not found.name or found.scheme not in _SCHEMES:
        return status.bad_request(f'invalid {kind} request "{written}"')
    return found


def container_of(pod: JsonObject, wanted: str) -> str | Status:
    """The container of a Pod that is meant: one of several must be named."""
    name, spec = text(member(pod, "metadata"), "name"), member(pod, "spec")
    by_kind = [_names(objects(spec, kind)) for kind in ("initContainers", "containers", "ephemeralContainers")]
    every = [each for names in by_kind for each in names]
    if wanted:
        return wanted if wanted in every else status.bad_request(f"container {wanted} is not valid for pod {name}")
    if len(by_kind[1]) == 1:
        return by_kind[1][0]
    sentence = f"a container name must be specified for pod {name}"
    return status.bad_request(f"{sentence}, choose one of: [{' '.join(every)}]")


def _names(containers: Iterable[JsonObject]) -> list[str]:
    return [text(each, "name") for each in containers]


def unread_log_option(query: Query) -> str:
    """What cannot be read of the options of a log: numbers, and a time; empty where nothing is wrong."""
    for name in ("sinceSeconds", "sinceTime", "tailLines", "limitBytes"):
        said = first(query, name)
        if not said:
            continue
        if name == "sinceTime":
            try:
                parse(said)
            except GoTimeError as error:
                return str(error)
        elif isinstance(wrong := parse_int(said), str):
            return wrong
    return ""


def unread_port(query: Query) -> str:
    """What cannot be read of the ports of a port-forward; empty where nothing is wrong."""
    for value in query.get("ports", ()):
        for port in value.split(","):
            if port and isinstance(wrong := parse_uint(port), str):
                return f"cannot convert to []int32: {wrong}"
    return ""


def log_faults(query: Query) -> list[tuple[str, str]]:
    """What is wrong with the options of a log."""
    faults = []
    tail = first(query, "tailLines")
    if re.fullmatch("-[0-9]+", tail):
        faults.append(("tailLines", f"Invalid value: {int(tail)}: must be greater than or equal to 0"))
    both = bool(first(query, "sinceSeconds") and first(query, "sinceTime"))
    for field, least, rule in _LEAST:
        said = first(query, field)
        if re.fullmatch("-?[0-9]+", said) and int(said) < least and not (both and field == "sinceSeconds"):
            faults.append((field, f"Invalid value: {int(said)}: {rule}"))
    if both:
        faults.append(("", "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if first(query, "stream"):
        faults.append(("stream", "Forbidden: may not be specified"))
    return faults


def log_query(query: Query) -> str:
    """The options of a log, as the node is asked."""
    said = [(name, "true") for name in _LOG_FLAGS if flag(query, name)]
    return urlencode(sorted([*said, *((name, first(query, name)) for name in _LOG_VALUES if first(query, name))]))


def command_query(query: Query) -> str:
    """The options of exec and attach, as the node is asked."""
    said = [("command", word) for word in query.get("command", ())]
    return urlencode([*said, *((theirs, "1") for ours, theirs in _STREAM_FLAGS if flag(query, ours))])


def asked_streams(query: Query) -> Asked:
    """Which streams exec and attach are asked for."""
    stdin, stdout, stderr, tty = (flag(query, name) for name, _ in _STREAM_FLAGS)
    return Asked(stdin, stdout, stderr and not tty, tty, tuple(query.get("command", ())))


def ports_query(query: Query) -> str:
    """The ports of a port-forward, as the node is asked."""
    ports = [each for value in query.get("ports", ()) for each in value.split(",") if each]
    return urlencode({"port": ",".join(ports)}) if ports else ""


def address_of(pod: JsonObject, port: str) -> tuple[str, int] | Status:
    """The address of a Pod, and the port there: the first one that it has, where none is named."""
    if not port:
        containers = objects(member(pod, "spec"), "containers")
        port = next((str(each.get("containerPort")) for one in containers for each in objects(one, "ports")), "")
    address = pod_address(pod)
    if not address or not is_ordinary(address):
        return status.bad_request("address not allowed")
    if port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        return status.service_unavailable(f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port")
    return address, int(port or 0)


def pod_address(pod: JsonObject) -> str:
    """The first address of a Pod."""
    said = member(pod, "status")
    return next((text(each, "ip") for each in objects(said, "podIPs")), "") or text(said, "podIP")


def is_ordinary(address: str) -> bool:
    """Whether this is an address of one machine that can be reached from others: no loopback, no link's own."""
    found = parsed(address)  # of ::ffff:127.0.0.1, which is the machine itself, what is mapped
    if found is None:
        return False
    return not (found.is_loopback or found.is_link_local or found.is_multicast or found.is_unspecified)


def service_port(service: JsonObject, port: str) -> str | None:
    """The name of a Service's port that is named, or numbered; None where it has no such number."""
    if not (port.isascii() and port.isdecimal()):
        return port
    ports = objects(member(service, "spec"), "ports")
    return next((text(each, "name") for each in ports if each.get("port") == int(port)), None)


class Behind(Struct, frozen=True):
    """An address behind a Service, and the Pod that has it."""

    address: str
    port: int
    pod: str
    namespace: str


def behind(subsets: Iterable[JsonObject], slices: Sequence[JsonObject], port: str) -> list[Behind]:
    """What is ready behind a Service's port: of its Endpoints, or where there are none of its EndpointSlices."""
    return list(_in_subsets(subsets, port)) or list(_in_slices(slices, port))


def _in_subsets(subsets: Iterable[JsonObject], port: str) -> Iterator[Behind]:
    for subset in subsets:
        for number in _numbers(subset, port):
            yield from (_behind(each, text(each, "ip"), number) for each in objects(subset, "addresses"))


def _in_slices(slices: Iterable[JsonObject], port: str) -> Iterator[Behind]:
    for each in slices:
        for number in _numbers(each, port):
            for endpoint in objects(each, "endpoints"):
                addresses = texts(endpoint, "addresses")
                if addresses and member(endpoint, "conditions").get("ready") is not False:
                    yield _behind(endpoint, addresses[0], number)


def _numbers(of: JsonObject, port: str) -> Iterator[int]:
    for each in objects(of, "ports"):
        number = each.get("port")
        if text(each, "name") == port and isinstance(number, int):
            yield number


def _behind(endpoint: JsonObject, address: str, port: int) -> Behind:
    target = member(endpoint, "targetRef")
    return Behind(address, port, text(target, "name"), text(target, "namespace"))


def has_address(pod: JsonObject, address: str) -> bool:
    """Whether this is an address of the Pod."""
    return any(text(each, "ip") == address for each in objects(member(pod, "status"), "podIPs"))


def flag(query: Query, name: str) -> bool:
    """Whether an option is on: one that is there is, whatever it says beside `false` and `0`."""
    return name in query and first(query, name).lower() not in _FALSE


def first(query: Query, name: str) -> str:
    """What an option says."""
    values = query.get(name)
    return values[0] if values else ""
