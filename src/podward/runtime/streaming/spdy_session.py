"""A session that is somebody else's: exec or attach at another server, over SPDY, as its client.

Specification (Kubernetes, client-go, `remotecommand` v4, in our words): the client opens the streams error, stdin,
stdout, stderr and resize, those that were asked for, each with the header `streamType`. The error stream brings a
Status at the end; its one cause ExitCode is the exit code of the command.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

import msgspec

from podward.errors import RuntimeFailedError
from podward.runtime.streaming import handshake, spdy, tunnel
from podward.runtime.streaming.remote_command import Asked, Ending, Size
from podward.runtime.streaming.sessions import Exit, Output
from podward.runtime.streaming.spdy import SpdyError
from podward.runtime.streaming.wires import UpgradedWire

_LONGEST_ENDING = 64 << 10
_MOST_WAITING = 16
_OUTPUTS = {"stdout": Output.STDOUT, "stderr": Output.STDERR}
_PREFIX = re.compile("Internal error occurred: error (executing command in|attaching to) container: ")
HEADERS = (("Connection", "Upgrade"), ("Upgrade", handshake.SPDY))


async def connected(asked: tunnel.Asked) -> UpgradedWire:
    """A connection to a server that speaks SPDY. Raises RuntimeFailedError where it does not."""
    found = await tunnel.connect(asked)
    if isinstance(found, tunnel.Refused):
        raise RuntimeFailedError(found.body.decode(errors="replace").strip() or f"it answered with {found.code}")
    if isinstance(found, tunnel.Unreached):
        raise RuntimeFailedError(f"{found.doing}: {found.error}")
    return UpgradedWire(found.reader, found.writer, lambda: None)


class SpdySession:
    """The streams of a command elsewhere."""

    def __init__(self, wire: UpgradedWire, asked: Asked) -> None:
        self._wire = wire
        self._asked = asked
        self._frames = spdy.Connection(client=True)
        self._numbers: dict[str, int] = {}
        self._printed: asyncio.Queue[tuple[Output, bytes] | None] = asyncio.Queue(_MOST_WAITING)
        self._open: set[int] = set()
        self._ending = bytearray()
        self._ended = asyncio.Event()
        self._sending = asyncio.Lock()
        self._attending: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Open the streams. Raises ConnectionError."""
        asked = self._asked
        kinds = ["error", *(["stdin"] if asked.stdin else []), *(["stdout"] if asked.stdout else [])]
        kinds += [*(["stderr"] if asked.stderr else []), *(["resize"] if asked.tty else [])]
        for kind in kinds:
            number, opening = self._frames.open({"streamtype": kind})
            self._numbers[kind] = number
            await self._wire.write(opening)
        self._open = {self._numbers[kind] for kind in _OUTPUTS if kind in self._numbers}
        self._attending = asyncio.create_task(self._attend())

    async def read(self) -> tuple[Output, bytes] | None:
        """What was printed next; None at the end of all output."""
        return await self._printed.get()

    async def write(self, data: bytes) -> None:
        """Give it all of this to read."""
        number = self._numbers.get("stdin")
        if number is not None and self._frames.sends(number):
            with suppress(ConnectionError):
                async with self._sending:
                    await self._wire.write(self._frames.data(number, data))

    def close_stdin(self) -> None:
        """Nothing more is to be read."""
        self._send_later("stdin", self._frames.finish)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has this size now."""
        size = msgspec.json.encode(Size(columns, rows))
        self._send_later("resize", lambda number: self._frames.data(number, size))

    async def wait(self) -> Exit:
        """Its end, as it was told."""
        await self._ended.wait()
        try:
            ending = msgspec.json.decode(bytes(self._ending), type=Ending)
        except msgspec.DecodeError:
            return Exit(failure="the connection was broken off" if not self._ending else "its end cannot be read")
        if ending.status == "Success":
            return Exit()
        causes = ending.details.causes if ending.details is not None else ()
        code = next((each.message for each in causes if each.reason == "ExitCode"), "")
        if ending.reason == "NonZeroExitCode" and code.isdecimal():
            return Exit(int(code))
        return Exit(failure=_PREFIX.sub("", ending.message, count=1))

    def close(self) -> None:
        """Part."""
        for task in (self._attending, *self._later):
            if task is not None:
                task.cancel()
        self._wire.close()

    def _send_later(self, kind: str, frame: Callable[[int], bytes]) -> None:
        number = self._numbers.get(kind)
        if number is None or not self._frames.sends(number):
            return

        async def send() -> None:
            with suppress(ConnectionError, SpdyError):
                async with self._sending:
                    await self._wire.write(frame(number))

        task = asyncio.create_task(send())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _attend(self) -> None:
        try:
            while data := await self._wire.read():
                self._frames.receive(data)
                while (event := self._frames.next_event()) is not None:
                    await self._take(event)
        except (SpdyError, ConnectionError):
            pass
        finally:
            self._ended.set()
            await self._printed.put(None)

    async def _take(self, event: spdy.Event) -> None:
        match event:
            case spdy.DataReceived(number, data, finished):
                await self._received(number, data, finished=finished)
            case spdy.HeadersReceived(number, _, True) | spdy.StreamReset(number, _):
                await self._received(number, b"", finished=True)
            case spdy.Pinged(number, ours=False):
                async with self._sending:
                    await self._wire.write(self._frames.ping(number))
            case _:
                pass

    async def _received(self, number: int, data: bytes, *, finished: bool) -> None:
        kind = next((name for name, known in self._numbers.items() if known == number), "")
        if kind in _OUTPUTS and data:
            await self._printed.put((_OUTPUTS[kind], data))
        if kind == "error":
            self._ending += data[: _LONGEST_ENDING - len(self._ending)]
        if finished and number in self._open:
            self._open.discard(number)
            if not self._open:
                await self._printed.put(None)
        if finished and kind == "error":
            self._ended.set()
