"""What happens to containers and sandboxes, told to whoever listens (GetContainerEvents).

Specification (CRI api.proto; containerd's and CRI-O's event streams, in our words): a container is created, started,
stopped and deleted; a sandbox is told of in the same words, by its own id. An event has the status of the sandbox,
where there still is one, and of all its containers, as they are when it is told. A kubelet that misses an event lists
everything anew when its stream breaks: so the stream of a client that is too slow is ended, and nothing is dropped
silently.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from enum import Enum

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_status import ContainerEventResponse

MOST_WAITING = 1000
MOST_LISTENERS = 64


class Happening(Enum):
    """The kinds of events; the values are the protocol's names."""

    CREATED = "CONTAINER_CREATED_EVENT"
    STARTED = "CONTAINER_STARTED_EVENT"
    STOPPED = "CONTAINER_STOPPED_EVENT"
    DELETED = "CONTAINER_DELETED_EVENT"


Describe = Callable[[str, str, Happening], ContainerEventResponse]
"""Makes the event of a container's (or sandbox's) id and the sandbox's id, from what is known now."""


class Events:
    """Passes events on. A container's end is told once, though its monitor and a verb may both tell of it."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._listeners: set[asyncio.Queue[ContainerEventResponse | CriRefusal | None]] = set()
        self._stopped: set[str] = set()

    def tell(self, happening: Happening, identifier: str, sandbox: str) -> None:
        """Something has happened."""
        if happening is Happening.STOPPED:
            if identifier in self._stopped:
                return
            self._stopped.add(identifier)
        elif happening is Happening.DELETED:
            self._stopped.discard(identifier)
        if not self._listeners:
            return
        event = self._describe(identifier, sandbox, happening)
        for queue in tuple(self._listeners):
            if queue.qsize() >= MOST_WAITING:
                self._listeners.discard(queue)
                queue.put_nowait(CriRefusal(CriCode.RESOURCE_EXHAUSTED, "events are read too slowly: list anew"))
            else:
                queue.put_nowait(event)

    async def stream(self) -> AsyncIterator[ContainerEventResponse | CriRefusal]:
        """Events from now on, until the listener leaves or the service ends."""
        if len(self._listeners) >= MOST_LISTENERS:
            yield CriRefusal(CriCode.RESOURCE_EXHAUSTED, f"{MOST_LISTENERS} clients listen to events already")
            return
        queue: asyncio.Queue[ContainerEventResponse | CriRefusal | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End all streams."""
        for queue in self._listeners:
            queue.put_nowait(None)
