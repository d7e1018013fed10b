"""Passing connections on to ports of a kept Pod, from within its network namespace.

Specification (CRI PortForward in containerd, kubectl port-forward, in our words): a listener here, on 127.0.0.1 and
::1; for each of its connections one to the port on the Pod's own localhost, IPv4 first. Bytes pass both ways, an end of
one side is told to the other. A connection that can't be made is told and closed; listening goes on.

A socket belongs to the network namespace in which it was made, wherever its process goes. So the listeners are made
first; then this process enters the Pod's namespace, for good, and connects from there.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable

from podward.errors import NodeError
from podward.runtime import syscalls
from podward.runtime.kept import Kept
from podward.runtime.kept_exec import join_mounts

CHUNK = 65536
LOCAL = ("127.0.0.1", "::1")
SECONDS_TO_CONNECT = 10.0


class Forwarder:
    """Listens where `listen` was asked to, until `run` is ended by a signal."""

    def __init__(self, pod: Kept, addresses: tuple[str, ...], complain: Callable[[str], None]) -> None:
        self._pod = pod
        self._complain = complain
        self._addresses = addresses
        self._listeners: list[tuple[socket.socket, int]] = []

    def listen(self, local: int, remote: int) -> tuple[tuple[str, int], ...]:
        """Listen on a port here (0: any) for the Pod's; returns the addresses. Raises NodeError where none is free."""
        made: list[tuple[str, int]] = []
        errors: list[OSError] = []
        for address in self._addresses:
            for each in LOCAL if address == "localhost" else (address,):
                try:
                    listener = _listener(each, made[0][1] if made else local)
                except OSError as error:
                    errors.append(error)
                    continue
                self._listeners.append((listener, remote))
                made.append((each, listener.getsockname()[1]))
        if not made:
            raise NodeError(
                f"cannot listen on port {local}: {errors[0].strerror or errors[0]}",
                where=", ".join(self._addresses),
                advice="choose another port, or :PORT for any",
            )
        return tuple(made)

    def run(self) -> int:
        """Forward until SIGINT or SIGTERM; returns 0: to be ended is how this ends."""
        if self._pod.record.network:
            join_mounts(self._pod)
            syscalls.setns(os.open(self._pod.record.network, os.O_RDONLY | os.O_CLOEXEC), syscalls.CLONE_NEWNET)
        return asyncio.run(self._serve())

    async def _serve(self) -> int:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, over.set)
        servers = []
        for listener, remote in self._listeners:

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = remote) -> None:
                await self._forward(reader, writer, port)

            servers.append(await asyncio.start_server(handle, sock=listener))
        await over.wait()
        for server in servers:
            server.close()
        return 0

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        try:
            inner_reader, inner_writer = await _connect(port)
        except OSError as error:
            self._complain(f"cannot connect to port {port} of the Pod: {error.strerror or error}")
            writer.transport.abort()
            return
        await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.wait_for(asyncio.open_connection(LOCAL[0], port), SECONDS_TO_CONNECT)
    except OSError as first:
        try:
            return await asyncio.wait_for(asyncio.open_connection(LOCAL[1], port), SECONDS_TO_CONNECT)
        except OSError:
            raise first from None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass everything on, then the end."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        else:
            writer.close()
    except OSError:
        writer.transport.abort()
