"""The gRPC server: bytes of a request → a method of the table → bytes of what it answers.

What fails is a status: a refusal's own code and sentence; INVALID_ARGUMENT for bytes that are no such message;
INTERNAL for what nobody thought of, whose traceback is for the log and never for the client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from podward.api.cri import Message
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.cri.gate import Gate, Limits, TooManyError
from podward.cri.log import Log
from podward.cri.method import Method, Stream
from podward.errors import PodwardError
from podward.runtime import cri_messages as messages
from podward.runtime import cri_protocol as protocol
from podward.runtime.workers.calls import refusal_of

LARGEST = 16 << 20
"""Bytes of a message, as in containerd and CRI-O."""
_LONGEST_MESSAGE = 2000
"""Bytes of a status' message: it is a header, of which clients take 8 KiB, and other characters than ASCII triple."""
_MOST_CALLS = 2048
OPTIONS = (
    ("grpc.max_receive_message_length", LARGEST),
    ("grpc.max_send_message_length", LARGEST),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.so_reuseport", 0),
)
_UNLIMITED = Limits(at_once=_MOST_CALLS, of_one=_MOST_CALLS, waiting=0)

AnyMethod = Method[Any] | Stream[Any]
Request = TypeVar("Request", bound=Message)
if TYPE_CHECKING:  # the stubs' classes have parameters that grpc's own have not
    Context = grpc.aio.ServicerContext[bytes, bytes]
    Handler = grpc.RpcMethodHandler[bytes, bytes]


def make(methods: Iterable[AnyMethod], log: Log) -> grpc.aio.Server:
    """A server of these methods, which listens nowhere yet. gRPC itself answers UNIMPLEMENTED for other paths."""
    known = {each.name: each for each in methods}
    services: dict[str, dict[str, Handler]] = {}
    for each in protocol.load().methods.values():
        handler = _handler(each, known[each.name], log) if each.name in known else _missing(each.name)
        services.setdefault(each.service, {})[each.name] = handler
    handlers = [grpc.method_handlers_generic_handler(service, table) for service, table in services.items()]
    return grpc.aio.server(handlers=handlers, options=OPTIONS, maximum_concurrent_rpcs=_MOST_CALLS)


def _handler(described: protocol.Method, method: AnyMethod, log: Log) -> Handler:
    if isinstance(method, Stream):
        return grpc.unary_stream_rpc_method_handler(_Streamed(described, method, log).answer)
    return grpc.unary_unary_rpc_method_handler(_Once(described, method, log).answer)


def _missing(name: str) -> Handler:
    async def answer(content: bytes, context: Context) -> bytes:
        del content
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"podward does not do {name}")
        raise AssertionError  # abort does not return

    return grpc.unary_unary_rpc_method_handler(answer)


class _Once:
    """A method that answers once, at work."""

    def __init__(self, described: protocol.Method, method: Method[Any], log: Log) -> None:
        self._described = described
        self._method = method
        self._log = log
        self._gate = Gate(method.limits or _UNLIMITED)

    async def answer(self, content: bytes, context: Context) -> bytes:
        """Carry out a call."""
        began, name = time.monotonic(), self._method.name
        try:
            answer = await self._done(_decoded(content, self._described, self._method.request))
            encoded = answer if isinstance(answer, CriRefusal) else _encoded(answer)
        except asyncio.CancelledError:
            self._log.refused(name, "the client does not wait any more")
            raise
        except Exception as error:  # noqa: BLE001 - a client must hear of what nobody thought of, too
            encoded = _refusal(name, error, self._log)
        if isinstance(encoded, CriRefusal):
            await _refuse(context, name, encoded, self._log)
            return b""
        self._log.done(name, time.monotonic() - began)
        return encoded

    async def _done(self, request: Message) -> Message | CriRefusal:
        subject = self._method.subject
        async with self._gate.pass_through(subject(request) if subject else ""):
            return await self._method.do(request)


class _Streamed:
    """A method that answers many times, at work."""

    def __init__(self, described: protocol.Method, method: Stream[Any], log: Log) -> None:
        self._described = described
        self._method = method
        self._log = log
        self._gate = Gate(method.limits or _UNLIMITED)

    async def answer(self, content: bytes, context: Context) -> AsyncIterator[bytes]:
        """Carry out a call."""
        name = self._method.name
        refusal: CriRefusal | None = None
        try:
            request = _decoded(content, self._described, self._method.request)
            async with self._gate.pass_through(""):
                async for answer in self._method.do(request):
                    if isinstance(answer, CriRefusal):
                        refusal = answer
                        break
                    yield _encoded(answer)
        except Exception as error:  # noqa: BLE001 - as above
            refusal = _refusal(name, error, self._log)
        if refusal is not None:
            await _refuse(context, name, refusal, self._log)


def _decoded(content: bytes, described: protocol.Method, kind: type[Request]) -> Request:
    return messages.typed(described.request.FromString(content), kind)


def _encoded(answer: Message) -> bytes:
    return messages.message(answer).SerializeToString()


def _refusal(name: str, error: Exception, log: Log) -> CriRefusal:
    """What a client is told of something that was raised."""
    if isinstance(error, TooManyError):
        return CriRefusal(CriCode.RESOURCE_EXHAUSTED, f"too many calls of {name} wait: try again later")
    if isinstance(error, DecodeError):
        return CriRefusal(CriCode.INVALID_ARGUMENT, f"this is no request of {name}: its bytes can't be decoded")
    if isinstance(error, PodwardError | OSError):
        return refusal_of(error)
    log.broke(name, error)
    return CriRefusal(CriCode.INTERNAL, f"{name} failed here: {type(error).__name__}; the server's log says where")


async def _refuse(context: Context, name: str, refusal: CriRefusal, log: Log) -> None:
    log.refused(name, f"{refusal.code.value}: {refusal.message}")
    message = refusal.message.replace("\n  ", "; ")  # what is wrong, and the advice: clients show one line
    if len(message.encode()) > _LONGEST_MESSAGE:
        message = f"{message.encode()[:_LONGEST_MESSAGE].decode(errors='ignore')}…"
    await context.abort(grpc.StatusCode[refusal.code.value], message)
