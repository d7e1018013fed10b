"""Where the streams of running containers and sandboxes are, for whoever speaks to the client: attach, port-forward.

Specification (CRI; containerd 2.2 `portForward`, in our words). To attach is to connect to the container's monitor. A
forwarded connection is made in the sandbox's network namespace to its localhost, over IPv4 where somebody listens, else
over IPv6. A socket belongs to the namespace that it was made in, whoever has it then.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from msgspec import Struct

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import AttachRequest
from podward.runtime import syscalls
from podward.runtime.port_forward import LOCAL, SECONDS_TO_CONNECT
from podward.runtime.service import container_status, pins, sandboxes
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller, Passed


class AttachAnswer(Struct, frozen=True, omit_defaults=True):
    """Where the monitor of a container is: the directory of its socket `attach` and its pipe `ctl`."""

    directory: str
    terminal: bool = False
    stdin: bool = False
    stdin_once: bool = False


class ConnectRequest(Struct, frozen=True):
    """A port of a sandbox to connect to."""

    pod_sandbox_id: str
    port: int


class ConnectAnswer(Struct, frozen=True):
    """Comes with a descriptor: the connection."""


def attach(service: RuntimeService, request: AttachRequest, _caller: Caller) -> AttachAnswer | CriRefusal:
    """Where to attach to a running container."""
    record = container_status.running(service, request.container_id)
    if isinstance(record, CriRefusal):
        return record
    config, directory = record.config, service.records.directory(ContainerRecord, record.id)
    return AttachAnswer(directory, config.tty, config.stdin, config.stdin_once)


def connect(
    service: RuntimeService, request: ConnectRequest, _caller: Caller
) -> Iterator[ConnectAnswer | CriRefusal | Passed[ConnectAnswer]]:
    """Connect to a port of a sandbox; this process is in its network namespace from then on."""
    record = sandboxes.find(service, request.pod_sandbox_id)
    if isinstance(record, CriRefusal):
        yield record
    elif not sandboxes.is_ready(record):
        yield CriRefusal(CriCode.FAILED_PRECONDITION, f"sandbox {record.id} is not running")
    elif not 0 < request.port < 65536:
        yield CriRefusal(CriCode.INVALID_ARGUMENT, f"{request.port} is no port: 1 to 65535")
    else:
        _enter_network(record)
        connection = _connected(request.port)
        if isinstance(connection, OSError):
            what = f"failed to connect to localhost:{request.port} inside sandbox {record.id}: {connection.strerror}"
            yield CriRefusal(CriCode.UNAVAILABLE, what)
        else:
            yield Passed(ConnectAnswer(), (connection.detach(),))


def _enter_network(record: SandboxRecord) -> None:
    """Join the sandbox's network namespace, if it has one of its own."""
    if "net" not in record.namespaces:
        return
    with pins.inside(record.pin):
        namespace = os.open(record.namespaces["net"], os.O_RDONLY | os.O_CLOEXEC)
    try:
        syscalls.setns(namespace, syscalls.CLONE_NEWNET)
    finally:
        os.close(namespace)


def _connected(port: int) -> socket.socket | OSError:
    """A connection to the port; why there is none over IPv4 where there is none at all."""
    errors = []
    for address in LOCAL:
        try:
            connection = socket.create_connection((address, port), SECONDS_TO_CONNECT)
        except OSError as error:
            errors.append(error)
        else:
            connection.settimeout(None)
            return connection
    return errors[0]
