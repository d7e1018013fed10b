"""One plugin's connection: calls in both directions over its socket, until one side closes it or breaks the rules."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from podward.api.nri import Message
from podward.cri.nri.messages import PLUGIN, RUNTIME, Request, Response, Status
from podward.cri.nri.protobuf import ProtobufError, UnknownFieldError, decode, encode
from podward.cri.nri.ttrpc import Code, Conn, Frame, Kind, Trunk, TtrpcError, packed
from podward.errors import PodwardError

MOST_CALLS = 16
"""The most calls of a plugin that are being answered."""

IT_CLOSED, WE_END = "it closed the connection", "the runtime ends"
"""Why connections are closed without anything being wrong."""
_READ = 1 << 16
_LONGEST_WORDS = 1024

Answer = TypeVar("Answer", bound=Message)


class PluginLostError(PodwardError):
    """The connection is closed: the plugin went, took too long, or broke the protocol."""


class PluginAnsweredError(PodwardError):
    """The plugin answered with an error; `code` is gRPC's."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(what)
        self.code = code


class CallError(PodwardError):
    """A plugin's call is not carried out; `code` is what it is told."""

    def __init__(self, what: str, code: Code) -> None:
        super().__init__(what)
        self.code = code


def shown(words: str) -> str:
    """Words of a plugin, made fit for a log, an error, a terminal: one line, not too long."""
    plain = "".join(c if c.isprintable() else " " for c in words[:_LONGEST_WORDS])
    return plain if len(words) <= _LONGEST_WORDS else f"{plain}…"


class Connection:
    """A connected plugin. `answer` carries out its calls: a method's name and a message's bytes in, a message out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Callable[[str, bytes], Awaitable[Message]],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._trunk = Trunk()
        self._next_call = 1
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self.why_closed = ""

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return bool(self.why_closed)

    async def run(self) -> None:
        """Take what the plugin sends until the connection is closed. Never raises for what a plugin does."""
        try:
            while data := await self._reader.read(_READ):
                for frame in self._trunk.feed(data):
                    self._take(frame)
            self.close(IT_CLOSED)
        except TtrpcError as error:
            self.close(error.what)
        except OSError as error:
            self.close(f"the connection broke: {error.strerror}")
        finally:
            self.close(WE_END)
            for task in self._answering:
                task.cancel()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    def close(self, why: str) -> None:
        """End the connection; what waits for the plugin is told `why`. Later calls change nothing."""
        if self.closed:
            return
        self.why_closed = why
        self._writer.transport.abort()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(PluginLostError(why))
                waiting.exception()  # nobody needs to wait for it any more
        self._waiting.clear()

    async def call(self, method: str, request: Message, answer: type[Answer], within: float) -> Answer:
        """Call the plugin.

        Raises PluginAnsweredError with its error, or where its answer has a field that is not known: what it asks for
        cannot be done. Raises PluginLostError, the connection being closed, if there is no answer in time, or none that
        can be read. Raises TtrpcError if the request is too large: nothing is sent then.
        """
        number = self._next_call
        payload = encode(Request(PLUGIN, method, encode(request), int(within * 1e9)))
        data = packed(Frame(Conn.PLUGIN, number, Kind.REQUEST, payload))
        if self.closed:
            raise PluginLostError(self.why_closed)
        self._next_call += 2
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within):
                self._writer.write(data)
                await self._writer.drain()
                return self._read(answer, await waiting)
        except TimeoutError:
            self.close(f"it did not answer {method} within {within:g} s")
        except UnknownFieldError as error:
            raise PluginAnsweredError(f"{error.what}: {error.advice}", Code.INVALID_ARGUMENT) from error
        except (ProtobufError, OSError) as error:
            self.close(f"{method}: {getattr(error, 'what', error)}")
        finally:
            self._waiting.pop(number, None)
        raise PluginLostError(self.why_closed)

    @staticmethod
    def _read(answer: type[Answer], payload: bytes) -> Answer:
        response = decode(Response, payload)
        if response.status is not None and response.status.code != Code.OK:
            raise PluginAnsweredError(shown(response.status.message), response.status.code)
        return decode(answer, response.payload)

    def _take(self, frame: Frame) -> None:
        match frame.conn, frame.kind:
            case Conn.PLUGIN, Kind.RESPONSE:
                waiting = self._waiting.get(frame.call)
                if waiting is not None and not waiting.done():
                    waiting.set_result(frame.payload)
            case Conn.RUNTIME, Kind.REQUEST if len(self._answering) < MOST_CALLS:
                task = asyncio.create_task(self._serve(frame))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case Conn.RUNTIME, Kind.REQUEST:
                raise TtrpcError(f"it makes more than {MOST_CALLS} calls at a time")
            case _:
                raise TtrpcError(f"a {frame.kind.name.lower()} on connection {frame.conn}")

    async def _serve(self, frame: Frame) -> None:
        response = encode(await self._response(frame.payload))
        with contextlib.suppress(OSError):
            self._writer.write(packed(Frame(Conn.RUNTIME, frame.call, Kind.RESPONSE, response)))
            await self._writer.drain()

    async def _response(self, payload: bytes) -> Response:
        try:
            request = decode(Request, payload)
            if request.service != RUNTIME:
                return Response(Status(Code.UNIMPLEMENTED, f"there is no service {shown(request.service)}"))
            return Response(Status(Code.OK), encode(await self._answer(request.method, request.payload)))
        except CallError as error:
            return Response(Status(error.code, error.what))
        except ProtobufError as error:
            return Response(Status(Code.INVALID_ARGUMENT, error.what))
        except PodwardError as error:
            return Response(Status(Code.UNKNOWN, str(error)))
