"""How a method is carried out: what only reads is done here, what changes something by a worker of the engine.

This is the one place through which every verb goes: no plugin is introduced while it goes on, and whoever listens
to events hears of it. A verb of the lifecycle goes on when its client leaves, and then those who must hear of it do; a
pull and a command end with their client.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.cri.log import Log
from podward.cri.plugins import Plugins
from podward.cri.tidings import Tidings
from podward.runtime.service.container_ending import SettleRequest
from podward.runtime.service.recovery import RecoverRequest
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.verbs import SETTLE_CONTAINER, SETTLE_INTERRUPTED
from podward.runtime.workers.calls import Caller, Verb
from podward.runtime.workers.client import WORKER_DIED, EngineClient

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Answer = TypeVar("Answer")


class Front:
    """What all methods are done with."""

    def __init__(
        self,
        service: RuntimeService,
        engine: EngineClient[RuntimeService],
        plugins: Plugins,
        tidings: Tidings,
        log: Log,
    ) -> None:
        self.service = service
        self.engine = engine
        self.log = log
        self._plugins = plugins
        self._tidings = tidings
        self._at_work: set[asyncio.Task[Any]] = set()
        self._nobody = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        """Both ends of the connection of a caller that never leaves."""

    def read(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Do a verb that only reads, in this process."""
        answer = verb.do(self.service, request, Caller(self._nobody[0]))
        if not isinstance(answer, verb.result | CriRefusal):
            raise TypeError(f"{verb.name} answers several times")
        return answer

    async def work(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Have a worker do a verb; it ends with its client."""
        return await self.engine.call(verb, request)

    async def live(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Have a worker do a verb of the lifecycle, to its end whatever becomes of the client."""
        return await self._to_its_end(self._live(verb, request))

    def ended(self, container: str) -> None:
        """A container has ended: what it leaves behind is ended, too, by a worker."""
        self._go_on(self.engine.call(SETTLE_CONTAINER, SettleRequest(container)))

    async def _live(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        async with self._plugins.step(verb.name):
            concerned = self._tidings.concerned(request)
            with self._tidings.told_in_order(request, concerned):
                answer = await self.engine.call(verb, request)
                if answer is WORKER_DIED:
                    self._go_on(self.engine.call(SETTLE_INTERRUPTED, RecoverRequest()))
                if not isinstance(answer, CriRefusal):
                    self._tidings.tell(request, answer, concerned)
            return answer

    async def _to_its_end(self, work: Coroutine[Any, Any, Response | CriRefusal]) -> Response | CriRefusal:
        return await asyncio.shield(self._go_on(work))

    def _go_on(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        """Do it whatever becomes of who asks for it."""
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task

    async def close(self, grace: float) -> None:
        """Let what is at work come to its end for so many seconds; a worker that takes longer goes on by itself."""
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for end in self._nobody:
            end.close()
