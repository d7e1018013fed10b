"""The controllers as a process: lead, follow what all of them need, work until a signal.

Specification: Kubernetes, cmd/kube-controller-manager: who does not lead waits; who leads no more ends, as nobody can
know what another has begun meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

import uvloop
from msgspec import Struct

from podward.client import connection
from podward.client.api import Client
from podward.client.informer import Informers
from podward.client.leases import Leader
from podward.controllers.context import Context, Controller, ControllerOptions
from podward.controllers.table import Row
from podward.errors import NodeError

_LEASE = ("kube-system", "kube-controller-manager")


class Options(Struct, frozen=True):
    """How the controllers are started."""

    kubeconfig: str
    rows: tuple[Row, ...]
    controllers: ControllerOptions = ControllerOptions()
    leader_elect: bool = True


class _Module(Protocol):
    async def make(self, context: Context) -> Controller: ...


def run(options: Options, say: Callable[[], None]) -> int:
    """Work until SIGTERM or SIGINT; `say` is called once all work. Raises PodwardError."""
    return uvloop.run(_main(options, say))


async def _main(options: Options, say: Callable[[], None]) -> int:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    admin = Client(connection.load(options.kubeconfig), "kube-controller-manager")
    leader = Leader(admin, *_LEASE, f"{socket.gethostname()}_{os.getpid()}_{os.urandom(4).hex()}")
    try:
        if options.leader_elect and not await _or_ended(leader.acquire(), ended):
            return 0
        working = asyncio.create_task(_work(options, admin, say, ended))
        watching = [working, *([asyncio.create_task(leader.keep())] if options.leader_elect else [])]
        await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
        lost = not working.done()
        ended.set()
        await working
        for task in watching[1:]:
            task.cancel()
        if lost:
            raise NodeError(
                "another controller manager leads now", advice="start this one again: it waits for its turn"
            )
        if options.leader_elect:
            await leader.release()
        return 0
    finally:
        await admin.close()


async def _or_ended(awaited: Coroutine[Any, Any, None], ended: asyncio.Event) -> bool:
    """Whether it came before the end."""
    first = asyncio.create_task(awaited)
    last = asyncio.create_task(ended.wait())
    await asyncio.wait([first, last], return_when=asyncio.FIRST_COMPLETED)
    came = first.done()
    for task in (first, last):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return came


async def _work(options: Options, admin: Client, say: Callable[[], None], ended: asyncio.Event) -> None:
    informers = Informers(admin)
    context = Context(admin, informers, options.controllers)
    running: list[Controller] = []
    try:
        rows = [row for row in options.rows if options.controllers.openshift or not row.openshift]
        modules = [cast("_Module", importlib.import_module(row.module)) for row in rows]
        made = await asyncio.gather(*(module.make(context) for module in modules))
        await informers.start()
        for controller in made:
            await controller.start()
            running.append(controller)
        say()
        await ended.wait()
    finally:
        await asyncio.gather(*(controller.close() for controller in running), return_exceptions=True)
        await informers.close()
        await context.close()
