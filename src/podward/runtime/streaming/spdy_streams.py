"""A SPDY connection's streams, over whatever carries its bytes.

Streams hold what came and was not read, together within a bound. Beyond it nothing more is read from the connection, as
there are no windows: a stream that nobody reads stops its neighbours in the end, unless it is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from podward.runtime.streaming import spdy, wires
from podward.runtime.streaming.spdy import Connection, Headers, Reset, SpdyError
from podward.runtime.streaming.wires import Held, Inbox, Wire

_PROTOCOL_ERROR = 1
"""GOAWAY's status."""


class SpdyStream:
    """A stream that the client opened."""

    def __init__(self, connection: SpdyConnection, number: int, headers: Headers, held: Held) -> None:
        self._connection = connection
        self.number = number
        self.headers = headers
        self.inbox = Inbox(held)

    @property
    def wanted(self) -> bool:
        """Whether the client still takes what is written."""
        return self._connection.sends(self.number)

    async def read(self) -> bytes:
        """The next bytes; none at the end. Raises ConnectionError where the client reset it, or has gone."""
        return await self.inbox.get()

    async def write(self, data: bytes) -> None:
        """Send all of this. Raises ConnectionError where the stream, or its connection, has ended."""
        await self._connection.send(lambda frames: frames.data(self.number, data))

    async def finish(self) -> None:
        """Send nothing more."""
        with suppress(ConnectionError):
            await self._connection.send(lambda frames: frames.finish(self.number))

    async def reset(self) -> None:
        """End both ways of it."""
        self.inbox.refuse()
        with suppress(ConnectionError):
            await self._connection.send(lambda frames: frames.reset(self.number, Reset.CANCEL))


class SpdyConnection:
    """Serves a client's streams: `admit` looks at a new one's headers, and `opened` is given it once it is answered."""

    def __init__(self, wire: Wire, admit: Callable[[Headers], bool], opened: Callable[[SpdyStream], None]) -> None:
        self._wire = wire
        self._admit = admit
        self._opened = opened
        self._frames = Connection()
        self._streams: dict[int, SpdyStream] = {}
        self._held = Held(wire.gone)
        self._sending = asyncio.Lock()

    async def attend(self) -> None:
        """Take what the client sends, until it has gone."""
        try:
            while data := await self._wire.read():
                await asyncio.sleep(0)  # a client that sends without end leaves the others their turn
                self._frames.receive(data)
                while (event := self._frames.next_event()) is not None:
                    await self._take(event)
        except SpdyError:
            with suppress(ConnectionError):
                await self.send(lambda frames: frames.go_away(_PROTOCOL_ERROR))
        except ConnectionError:
            pass
        finally:
            for stream in self._streams.values():
                stream.inbox.break_off()

    async def send(self, frame: Callable[[Connection], bytes]) -> None:
        """Send a frame. They are made in the order in which they are sent, for their headers are compressed in it."""
        async with self._sending:
            try:
                made = frame(self._frames)
            except SpdyError as error:
                raise ConnectionResetError(error.what) from None
            await self._wire.write(made)

    def sends(self, number: int) -> bool:
        """Whether this stream may still be written to."""
        return self._frames.sends(number)

    async def close(self) -> None:
        """Reset what is open, and part. Nobody attends any more."""
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(wires.SECONDS_TO_PART):
                for number in sorted(self._frames.open_streams()):
                    await self._reset(number, Reset.CANCEL)
                await self.send(lambda frames: frames.go_away())
        await self._wire.part()

    async def _take(self, event: spdy.Event) -> None:
        match event:
            case spdy.StreamOpened(number, headers, finished):
                await self._open(number, headers, finished=finished)
            case spdy.StreamRefused(number):
                await self._reset(number, Reset.REFUSED_STREAM)
            case spdy.DataReceived(number, data, finished):
                stream = self._streams.get(number)
                if stream is not None:
                    await stream.inbox.put(data)
                    if finished:
                        stream.inbox.end()
            case spdy.StreamReset(number):
                stream = self._streams.pop(number, None)
                if stream is not None:
                    stream.inbox.break_off()
            case spdy.Pinged(number, ours=False):
                await self.send(lambda frames: frames.ping(number))
            case _:  # answers to what we do not send, and GOAWAY: the end of the connection follows
                pass
        self._forget()

    async def _open(self, number: int, headers: Headers, *, finished: bool) -> None:
        if not self._admit(headers):
            await self._reset(number, Reset.CANCEL)
            return
        stream = self._streams[number] = SpdyStream(self, number, headers, self._held)
        if finished:
            stream.inbox.end()
        await self.send(lambda frames: frames.reply(number))
        self._opened(stream)

    async def _reset(self, number: int, why: Reset) -> None:
        await self.send(lambda frames: frames.reset(number, why))

    def _forget(self) -> None:
        """Streams that have ended both ways are no longer ours to end."""
        if len(self._streams) > 2 * len(self._frames.open_streams()) + 16:
            still = self._frames.open_streams()
            self._streams = {number: stream for number, stream in self._streams.items() if number in still}
