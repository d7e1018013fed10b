"""One call of a verb: its arguments and its answers on a socket between the caller and the worker.

A frame is its length (four bytes, the highest first) and JSON. The caller sends one, the verb's name and arguments; the
worker sends one for each answer, and closes. Open descriptors travel with the first byte of an answer's frame. Where
the caller closes its end first, it does not want an answer any more: a worker that takes long looks for that.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.errors import ImageError, InputError, NodeError, PodwardError, RefusedError

Service = TypeVar("Service")
Arguments = TypeVar("Arguments")
Result = TypeVar("Result")
LENGTH = struct.Struct("!I")
LARGEST = 64 << 20
MOST_DESCRIPTORS = 8


class Passed(Generic[Result]):
    """An answer with open descriptors, which are the caller's from then on: they are closed here."""

    def __init__(self, result: Result, descriptors: tuple[int, ...]) -> None:
        self.result = result
        self.descriptors = descriptors


class Caller:
    """The other end of a worker's call."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def fileno(self) -> int:
        """To be watched: it becomes readable when the caller is gone."""
        return self._connection.fileno()

    @property
    def is_gone(self) -> bool:
        """Whether nobody waits for an answer any more."""
        poll = select.poll()
        poll.register(self._connection, select.POLLIN | select.POLLRDHUP)
        return bool(poll.poll(0))


class Verb(Generic[Service, Arguments, Result]):
    """A verb: its name, the types of its arguments and of its result, and the function that does it.

    The function returns a result or a refusal, or yields several one after the other.
    """

    def __init__(
        self,
        name: str,
        arguments: type[Arguments],
        result: type[Result],
        do: Callable[
            [Service, Arguments, Caller], Result | CriRefusal | Iterator[Result | CriRefusal | Passed[Result]]
        ],
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.result = result
        self.do = do


class Request(Struct, frozen=True):
    """The caller's frame."""

    verb: str
    arguments: msgspec.Raw


class Done(Struct, frozen=True, tag="done"):
    """A worker's frame: what came of the verb."""

    result: msgspec.Raw


def serve(connection: socket.socket, service: Service, verbs: dict[str, Verb[Service, object, object]]) -> None:
    """In a worker: read the call, do the verb, send what comes of it. Whatever fails is an answer, too."""
    request = msgspec.json.decode(_receive(connection), type=Request)
    verb = verbs.get(request.verb)
    if verb is None:
        _send(connection, CriRefusal(CriCode.UNIMPLEMENTED, f"there is no verb {request.verb}"))
        return
    try:
        arguments = msgspec.json.decode(request.arguments, type=verb.arguments)
        answered = verb.do(service, arguments, Caller(connection))
        for answer in answered if isinstance(answered, Iterator) else (answered,):
            _send(connection, answer)
    except (PodwardError, OSError, msgspec.MsgspecError) as error:
        _send(connection, refusal_of(error))
    except Exception as error:  # noqa: BLE001 - a caller must hear of what nobody thought of, too
        _send(connection, CriRefusal(CriCode.INTERNAL, f"{request.verb}: {type(error).__name__}: {error}"))


_CODES: tuple[tuple[type[Exception], CriCode], ...] = (
    (ImageError, CriCode.NOT_FOUND),
    (RefusedError, CriCode.INVALID_ARGUMENT),
    (InputError, CriCode.INVALID_ARGUMENT),
    (NodeError, CriCode.FAILED_PRECONDITION),
    (PodwardError, CriCode.UNKNOWN),
    (msgspec.MsgspecError, CriCode.INVALID_ARGUMENT),
    (OSError, CriCode.UNKNOWN),
)


def refusal_of(error: Exception) -> CriRefusal:
    """What a caller is told of something that was raised."""
    code = next((code for kind, code in _CODES if isinstance(error, kind)), CriCode.INTERNAL)
    return CriRefusal(code, str(error))


def request_frame(verb: str, arguments: object) -> bytes:
    """The caller's frame, with its length."""
    content = msgspec.json.encode(Request(verb, msgspec.Raw(msgspec.json.encode(arguments))))
    return LENGTH.pack(len(content)) + content


def read_answer(content: bytes, result: type[Result]) -> Result | CriRefusal:
    """What a worker's frame, without its length, says."""
    answer = msgspec.json.decode(content, type=Done | CriRefusal)
    return answer if isinstance(answer, CriRefusal) else msgspec.json.decode(answer.result, type=result)


def _send(connection: socket.socket, answer: object) -> None:
    """Send an answer; where the caller is gone nobody wants it."""
    descriptors: tuple[int, ...] = answer.descriptors if isinstance(answer, Passed) else ()
    result = answer.result if isinstance(answer, Passed) else answer
    frame = result if isinstance(result, CriRefusal) else Done(msgspec.Raw(msgspec.json.encode(result)))
    content = msgspec.json.encode(frame)
    try:
        header = LENGTH.pack(len(content))
        if descriptors:
            socket.send_fds(connection, [header[:1]], descriptors)
            header = header[1:]
        connection.sendall(header + content)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _receive(connection: socket.socket) -> bytes:
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    if length > LARGEST:
        raise InputError(f"a call of {length} bytes is too large", advice=f"at most {LARGEST} are taken")
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray()
    while len(content) < length:
        part = connection.recv(min(length - len(content), 1 << 20))
        if not part:
            raise ConnectionResetError("the caller is gone")
        content += part
    return bytes(content)
