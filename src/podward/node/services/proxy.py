"""The node's proxy: our table of nftables is what Services and EndpointSlices say, a moment after they have changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from podward.api.service import EndpointSlice, Service
from podward.node.log import Log
from podward.node.services.book import ServiceBook
from podward.policy.proxy.built_in import BuiltIn, completed
from podward.policy.proxy.forgotten import Flow, forgotten
from podward.policy.proxy.routes import Machine, Route, routes
from podward.policy.proxy.ruleset import Ruleset, ruleset
from podward.policy.proxy.transaction import difference, emptied_by, whole

_GATHER = 0.02
"""Seconds for which changes are gathered: they come in bursts."""
_AGAIN, _LATEST = 2.0, 60.0
"""Seconds after which what failed is tried again: at first, and at most."""


class Rules(Protocol):
    """The kernel's rules."""

    async def apply(self, commands: str) -> str:
        """Have commands of one transaction done; what was said against them, or nothing."""

    async def forget(self, flows: tuple[Flow, ...]) -> None:
        """Forget UDP connections."""


class ServiceProxy:
    """Keeps one table. Only one may do so in a network."""

    def __init__(self, table: str, rules: Rules, book: ServiceBook, log: Log) -> None:
        self.table = table
        self._rules = rules
        self._book = book
        self._log = log
        self._machine: Callable[[], Machine] = Machine
        self.built_in = BuiltIn()
        self._changed = asyncio.Event()
        self._routes: tuple[Route, ...] | None = None
        self._loaded: Ruleset | None = None
        self._emptied: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self.loaded: Callable[[list[Service], list[EndpointSlice], Machine], Awaitable[None]] | None = None
        """Is told what the rules say from now on."""
        book.listeners.append(lambda _: self.changed())

    @property
    def healthy(self) -> bool:
        """Whether the kernel has the rules that it should have."""
        return self._loaded is not None

    def changed(self) -> None:
        """Look again."""
        self._settled.clear()
        self._changed.set()

    async def start(self, machine: Callable[[], Machine], built_in: BuiltIn) -> None:
        """Load the rules, whatever the table has, and keep them."""
        self._machine, self.built_in = machine, built_in
        self._changed.set()
        self._task = asyncio.create_task(self._keep())

    async def settled(self) -> None:
        """Wait until the rules are what is known."""
        await self._settled.wait()

    async def close(self) -> None:
        """Keep nothing any more, and remove the table."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        refused = await self._rules.apply(f"add table ip {self.table}\ndelete table ip {self.table}\n")
        if refused:
            self._log.failed(f"the rules of Services cannot be removed: {refused}")

    async def _keep(self) -> None:
        pause = _AGAIN
        while True:
            await self._changed.wait()
            await asyncio.sleep(_GATHER)
            self._changed.clear()
            try:
                refused = await self._sync()
            except Exception as error:  # noqa: BLE001 - the next change may be a better one
                self._log.broke("rules of Services", error)
                refused, self._loaded = "", None
            if refused:
                self._log.failed(f"the rules of Services cannot be loaded: {refused}")
            if self._loaded is None:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LATEST)
                self._changed.set()
                continue
            pause = _AGAIN
            if not self._changed.is_set():
                self._settled.set()

    async def _sync(self) -> str:
        """Load what differs; what nft said against it, or nothing. What it refuses is loaded as a whole."""
        machine = self._machine()
        services, slices = completed(self._book.services.values(), self._book.every_slice(), self.built_in)
        wanted = routes(services, slices, machine)
        new, refused = ruleset(wanted, machine), ""
        if self._loaded is not None:
            commands = difference(self.table, self._loaded, new, self._emptied)
            refused = await self._rules.apply(commands) if commands else ""
            if commands and not refused:
                self._emptied = emptied_by(self._loaded, new)
        if self._loaded is None or refused:
            refused = await self._rules.apply(whole(self.table, new))
            self._emptied = frozenset()
        if refused:
            self._loaded = None
            return refused
        self._loaded = new
        stale = forgotten(self._routes, wanted)
        self._routes = wanted
        if stale:
            await self._rules.forget(stale)
        if self.loaded is not None:
            await self.loaded(services, slices, machine)
        return ""
