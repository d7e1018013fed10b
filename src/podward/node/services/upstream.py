"""Names of the world outside: asked of the machine's own name servers, one after the other.

A message goes on as it is, under a number and from a port of our own choice, so that nobody else can answer it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import struct

from podward.policy.dns import message
from podward.policy.kubelet.dns import parsed
from podward.runtime import hostfiles

RESOLVED = "/run/systemd/resolve/resolv.conf"
"""The servers behind systemd's own, which listens on a loopback address that no Pod reaches."""
_PORT = 53
_SECONDS = 2.0
_MOST = 256
"""Questions under way at a time: more are not asked."""


def resolver_file() -> str:
    """The file that says which name servers this machine has."""
    servers = parsed(hostfiles.read(hostfiles.NODE_RESOLV_CONF)).servers
    if servers and all(server.startswith("127.") for server in servers) and os.path.exists(RESOLVED):
        return RESOLVED
    return hostfiles.NODE_RESOLV_CONF


class Upstream:
    """The machine's name servers; `not_to` are addresses of ours, which would ask us again."""

    def __init__(self, not_to: frozenset[str] = frozenset(), servers: tuple[tuple[str, int], ...] = ()) -> None:
        """`servers` are asked in place of the machine's."""
        self._not_to = not_to
        self._given = servers
        self._servers: tuple[tuple[str, int], ...] = ()
        self._read = (0, 0.0, "")
        self._asked = asyncio.Semaphore(_MOST)

    async def ask(self, query: bytes, *, stream: bool) -> bytes:
        """The answer to a message; empty where nobody answers. Over UDP, or over TCP."""
        if self._asked.locked():
            return b""
        async with self._asked:
            for server in self._known():
                number = secrets.token_bytes(2)
                try:
                    answer = await asyncio.wait_for(_asked(server, number + query[2:], stream=stream), _SECONDS)
                except (OSError, TimeoutError, asyncio.IncompleteReadError):
                    continue
                return query[:2] + answer[2:]
        return b""

    def _known(self) -> tuple[tuple[str, int], ...]:
        """The servers of the machine's file, which may change."""
        if self._given:
            return self._given
        file = resolver_file()
        try:
            facts = os.stat(file)
        except OSError:
            return ()
        now = (facts.st_ino, facts.st_mtime, file)
        if now != self._read:
            self._read = now
            servers = parsed(hostfiles.read(file)).servers[:3]
            self._servers = tuple((server, _PORT) for server in servers if server not in self._not_to)
        return self._servers


async def _asked(server: tuple[str, int], query: bytes, *, stream: bool) -> bytes:
    if not stream:
        return await _asked_by_packet(server, query)
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(struct.pack("!H", len(query)) + query)
        await writer.drain()
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        return await reader.readexactly(length)
    finally:
        writer.close()


async def _asked_by_packet(server: tuple[str, int], query: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Waiting(query, answered), remote_addr=server)
    try:
        transport.sendto(query)
        return await answered
    finally:
        transport.close()


class _Waiting(asyncio.DatagramProtocol):
    """Waits for the answer to one query, whatever else comes."""

    def __init__(self, query: bytes, answered: asyncio.Future[bytes]) -> None:
        self._query = query
        self._answered = answered

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """What came from the server that was asked."""
        del addr
        if message.answers(data, self._query) and not self._answered.done():
            self._answered.set_result(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody is there."""
        if not self._answered.done():
            self._answered.set_exception(exc)
