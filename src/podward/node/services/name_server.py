"""The cluster's name server: UDP and TCP on one address of this machine, for its Pods and itself.

Whoever else asks gets no answer: a server that looks names up for everybody is used against others.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import cast

from podward.node.log import Log
from podward.node.services.upstream import Upstream
from podward.policy.dns import message
from podward.policy.dns.message import Answer, NoQueryError, Query
from podward.policy.dns.zone import Zone

_IDLE, _MOST_CONNECTIONS = 10.0, 128
_MOST_UNANSWERED = 512


class NameServer:
    """Answers from the zone, and asks others what is not in it."""

    def __init__(self, zone: Zone, upstream: Upstream, may_ask: Callable[[str], bool], log: Log) -> None:
        """`may_ask` says of an address whether it is one of ours."""
        self._zone = zone
        self._upstream = upstream
        self._may_ask = may_ask
        self._log = log
        self.ready = False
        """Whether the zone has everything that there is: before, no name is said not to be there."""
        self._packets: asyncio.DatagramTransport | None = None
        self._connections: asyncio.Server | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int = 0) -> dict[str, int]:
        """Listen; returns the ports by protocol."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Packets(self._packet), local_addr=(address, port))
        self._packets = transport
        self._connections = await asyncio.start_server(self._connected, address, port, backlog=_MOST_CONNECTIONS)
        return {
            "UDP": transport.get_extra_info("sockname")[1],
            "TCP": self._connections.sockets[0].getsockname()[1],
        }

    async def close(self) -> None:
        """Answer no more."""
        if self._packets is not None:
            self._packets.close()
        if self._connections is not None:
            self._connections.close()
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def answer(self, sent: bytes, *, stream: bool) -> bytes:
        """The answer to a message; empty where it deserves none."""
        try:
            query = message.read_query(sent)
        except NoQueryError as error:
            return message.write_refusal(sent, error.code)
        limit = message.LARGEST if stream else query.size
        try:
            found = self._zone.answer(query) if self.ready else Answer(message.SERVER_FAILURE)
            if found is None:
                answered = await self._upstream.ask(sent, stream=stream)
                return answered or message.write_answer(query, Answer(message.SERVER_FAILURE), limit)
            if found.further:
                found = await self._completed(found, query)
            return message.write_answer(query, found, limit)
        except ValueError:  # a name of an object that is none on the wire
            return message.write_answer(query, Answer(message.SERVER_FAILURE), limit)

    async def _completed(self, found: Answer, query: Query) -> Answer:
        """The answer with the records of the name elsewhere that the one asked for stands for."""
        answered = await self._upstream.ask(message.write_query(0, found.further, query.kind), stream=False)
        with contextlib.suppress(ValueError):
            return Answer(found.code, (*found.records, *message.read_answers(answered)))
        return found

    def _packet(self, sent: bytes, asker: tuple[str, int]) -> None:
        if self._packets is None or len(self._at_work) >= _MOST_UNANSWERED or not self._may_ask(asker[0]):
            return
        self._go_on(asyncio.create_task(self._answer_packet(self._packets, sent, asker)))

    async def _answer_packet(self, packets: asyncio.DatagramTransport, sent: bytes, asker: tuple[str, int]) -> None:
        answered = await self.answer(sent, stream=False)
        if answered and not packets.is_closing():
            packets.sendto(answered, asker)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        refused = len(self._at_work) >= _MOST_CONNECTIONS or not self._may_ask(writer.get_extra_info("peername")[0])
        self._at_work.add(task)
        try:
            while not refused:
                (length,) = struct.unpack("!H", await asyncio.wait_for(reader.readexactly(2), _IDLE))
                sent = await asyncio.wait_for(reader.readexactly(length), _IDLE)
                answered = await self.answer(sent, stream=True)
                if not answered:
                    break
                writer.write(struct.pack("!H", len(answered)) + answered)
                await asyncio.wait_for(writer.drain(), _IDLE)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            self._at_work.discard(task)
            writer.close()

    def _go_on(self, task: asyncio.Task[None]) -> None:
        self._at_work.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.broke("a name", error)


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A message, from anybody."""
        self._take(data, addr)


def is_local(address: str) -> bool:
    """Whether this is an address of this machine: only of one of its own it can send."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return False
    return True
