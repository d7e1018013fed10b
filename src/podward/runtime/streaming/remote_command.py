"""Exec and attach: a client's streams, whatever protocol carries them, and a session's, connected.

Specification (Kubernetes, k8s.io/cri-streaming, `remotecommand`, in our words): the client and the session are
connected until the process has ended and its output was passed on; then the client is told how it ended, as a
metav1.Status. A failure to begin is told in the same way, for the connection was taken over before. If the client goes,
the session is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

import msgspec
from msgspec import Struct

from podward.errors import PodwardError
from podward.runtime.streaming.sessions import Exit, Output, Session
from podward.runtime.streaming.wires import Inbox

_MAX_SIZE_MESSAGE = 1 << 10


class Size(Struct, frozen=True):
    """A terminal's size, as clients send it."""

    columns: int = msgspec.field(name="Width")
    rows: int = msgspec.field(name="Height")


class Asked(Struct, frozen=True):
    """What a client asks for: which streams, on a terminal or not; and for exec the command."""

    stdin: bool = False
    stdout: bool = False
    stderr: bool = False
    tty: bool = False
    command: tuple[str, ...] = ()

    def wants(self, output: Output) -> bool:
        """Whether this output has a stream."""
        return self.stdout if output is Output.STDOUT else self.stderr


class Cause(Struct, frozen=True):
    """A cause of a Status."""

    reason: str
    message: str


class Details(Struct, frozen=True):
    """A Status's details."""

    causes: tuple[Cause, ...]


class Ending(Struct, frozen=True, omit_defaults=True):
    """The metav1.Status that ends a conversation, with the members that a container runtime sends."""

    status: str
    message: str = ""
    reason: str = ""
    details: Details | None = None
    code: int = 0

    def encoded(self) -> bytes:
        """As it is sent since version 4 of the protocol."""
        return msgspec.json.encode(self)

    def sentence(self) -> bytes:
        """As it was sent before: what went wrong."""
        return self.message.encode()


def ending(asked: Asked, how: Exit) -> Ending:
    """How it ended, told to the client."""
    if how.failure:
        doing = "executing command in" if asked.command else "attaching to"
        message = f"Internal error occurred: error {doing} container: {how.failure}"
        return Ending("Failure", message, "InternalError", code=500)
    if how.code and asked.command:
        command = " ".join(asked.command)
        message = (
            f"command terminated with non-zero exit code: error executing command [{command}], exit code {how.code}"
        )
        details = Details((Cause("ExitCode", str(how.code)),))
        return Ending("Failure", message, "NonZeroExitCode", details)
    return Ending("Success")


class Client(Protocol):
    """A client's streams, of whatever protocol; `attending` is done once it has gone."""

    stdin: Inbox
    sizes: Inbox
    attending: asyncio.Task[None]

    async def write(self, output: Output, data: bytes) -> None:
        """Pass this output on. Raises ConnectionError where the client has gone."""

    async def tell(self, ending: Ending) -> None:
        """All output was passed on, and this is how it ended. Raises ConnectionError where the client has gone."""


async def converse(client: Client, asked: Asked, begin: Callable[[], Awaitable[Session]]) -> None:
    """Connect a client with the session that `begin` makes, until one of them ends."""
    how: Exit | None
    try:
        session = await begin()
    except (PodwardError, OSError) as error:
        how = Exit(failure=str(error))
    else:
        try:
            how = await _connected(client, asked, session)
        finally:
            session.close()
    if how is not None:
        with suppress(ConnectionError):
            await client.tell(ending(asked, how))


async def _connected(client: Client, asked: Asked, session: Session) -> Exit | None:
    """How the session ended; None where the client has gone before."""
    outcome = asyncio.create_task(_outcome(client, asked, session))
    inputs = [asyncio.create_task(_pass_sizes(client.sizes, session))]
    if asked.stdin:
        inputs.append(asyncio.create_task(_pass_stdin(client.stdin, session)))
    try:
        await asyncio.wait((client.attending, outcome), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (outcome, *inputs):
            task.cancel()
        results = await asyncio.gather(outcome, *inputs, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, ConnectionError):
            raise result
    return results[0] if isinstance(results[0], Exit) else None


async def _outcome(client: Client, asked: Asked, session: Session) -> Exit:
    while (printed := await session.read()) is not None:
        output, data = printed
        if asked.wants(output):
            await client.write(output, data)
        await asyncio.sleep(0)  # a process that prints without end leaves the others their turn
    return await session.wait()


async def _pass_stdin(inbox: Inbox, session: Session) -> None:
    with suppress(ConnectionError):
        while data := await inbox.get():
            await session.write(data)
    session.close_stdin()


async def _pass_sizes(inbox: Inbox, session: Session) -> None:
    """Sizes come as JSON objects, one after the other, however they are cut; the first that is none is the last."""
    rest = b""
    with suppress(ConnectionError, msgspec.DecodeError):
        while (data := await inbox.get()) and len(rest) <= _MAX_SIZE_MESSAGE:
            *objects, rest = (rest + data).split(b"}")
            for each in objects:
                size = msgspec.json.decode(each + b"}", type=Size)
                session.resize(size.columns, size.rows)
    inbox.refuse()
