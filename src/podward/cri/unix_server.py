"""A unix socket that the front listens on beside gRPC's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine

from podward.cri import listening
from podward.errors import NodeError


class UnixServer:
    """A socket that is listened on; it is its owner's alone."""

    def __init__(self, path: str, server: asyncio.Server) -> None:
        self._path = path
        self._server = server
        self._made = os.stat(path)

    def close(self) -> None:
        """Accept no more connections, and take the socket away."""
        self._server.close()
        listening.remove(self._path, self._made)


async def serve(
    path: str, accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]
) -> UnixServer:
    """Listen at this path. Raises NodeError."""
    listening.prepare(path)
    try:
        with listening.owners_alone():
            return UnixServer(path, await asyncio.start_unix_server(accept, path))
    except OSError as error:
        why = f"it cannot be listened on: {error.strerror or error}"
        raise NodeError(why, where=path, advice="choose another socket") from None
