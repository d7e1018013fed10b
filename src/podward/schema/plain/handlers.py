"""Probes and lifecycle hooks of plain containers.

Specification: `validation.handlers`, taken a little too strictly rather than too loosely.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from podward.schema.plain.part import Count, PlainObject, Port
from podward.schema.validation.ports import name_faults

Positive: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
HeaderName: TypeAlias = Annotated[str, Meta(pattern=r"\A[-A-Za-z0-9]+\Z")]


class PlainCommand(PlainObject, frozen=True):
    """ExecAction."""

    command: Annotated[tuple[str, ...], Meta(min_length=1)]


class PlainHeader(PlainObject, frozen=True):
    """HTTPHeader."""

    name: HeaderName
    value: str


class PlainRequest(PlainObject, frozen=True):
    """HTTPGetAction; the path is `/` and the scheme HTTP where nothing else is written."""

    port: Port | str
    path: str | None = None
    scheme: Literal["HTTP", "HTTPS"] | None = None
    host: str | None = None
    http_headers: tuple[PlainHeader, ...] | None = None


class PlainConnection(PlainObject, frozen=True):
    """TCPSocketAction."""

    port: Port | str
    host: str | None = None


class PlainCall(PlainObject, frozen=True):
    """GRPCAction."""

    port: Port
    service: str | None = None


class PlainProbe(PlainObject, frozen=True):
    """Probe."""

    exec: PlainCommand | None = None
    http_get: PlainRequest | None = None
    tcp_socket: PlainConnection | None = None
    grpc: PlainCall | None = None
    initial_delay_seconds: Count | None = None
    timeout_seconds: Count | None = None
    period_seconds: Count | None = None
    success_threshold: Positive | None = None
    failure_threshold: Count | None = None
    termination_grace_period_seconds: Positive | None = None


class PlainSleep(PlainObject, frozen=True):
    """SleepAction."""

    seconds: Count


class PlainHook(PlainObject, frozen=True):
    """LifecycleHandler."""

    exec: PlainCommand | None = None
    http_get: PlainRequest | None = None
    tcp_socket: PlainConnection | None = None
    sleep: PlainSleep | None = None


class PlainLifecycle(PlainObject, frozen=True):
    """Lifecycle."""

    post_start: PlainHook | None = None
    pre_stop: PlainHook | None = None


AT_ONCE = (None, 1)
"""The thresholds of a probe for which one success is enough, as it must be for liveness and at the start."""


def is_probe(probe: PlainProbe) -> bool:
    """Whether the probe has one sound action."""
    command, request, connection, call = probe.exec, probe.http_get, probe.tcp_socket, probe.grpc
    if request is not None:
        return command is None and connection is None and call is None and _is_request(request)
    if connection is not None:
        return command is None and call is None and _is_connection(connection)
    return (command is None) != (call is None)


def are_hooks(hooks: PlainLifecycle, grace: int) -> bool:
    """Whether both hooks are sound; `grace` is the Pod's time to end, in seconds."""
    return _is_hook(hooks.post_start, grace) and _is_hook(hooks.pre_stop, grace)


def _is_hook(hook: PlainHook | None, grace: int) -> bool:
    if hook is None:
        return True
    command, request, connection, sleep = hook.exec, hook.http_get, hook.tcp_socket, hook.sleep
    if [command, request, connection, sleep].count(None) != len(("all", "but", "one")):
        return False
    return (
        (request is None or _is_request(request))
        and (connection is None or _is_connection(connection))
        and (sleep is None or sleep.seconds <= grace)
    )


def _is_request(request: PlainRequest) -> bool:
    return _is_port(request.port)


def _is_connection(connection: PlainConnection) -> bool:
    return _is_port(connection.port)


def _is_port(port: int | str) -> bool:
    return type(port) is int or not name_faults(str(port))


def is_own(handler: PlainProbe | PlainHook) -> bool:
    """Whether the kubelet is to ask the Pod itself."""
    request, connection = handler.http_get, handler.tcp_socket
    if request is not None:
        return not request.host
    return connection is None or not connection.host
