"""The place of NRI's plugins in the service: where it is not asked for there are none, and nothing is imported."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from podward.cri.options import Started
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.client import EngineClient


class Plugins(Protocol):
    """What the service does for plugins; what they are asked about a verb, its worker asks."""

    async def start(self) -> None:
        """Listen for plugins and for workers. Raises PodwardError."""

    async def close(self) -> None:
        """Disconnect them."""

    def step(self, verb: str) -> AbstractAsyncContextManager[None]:
        """The verb of this name is done within this."""

    def ended(self, container: str) -> None:
        """A monitor has written a container's exit code."""


class NoPlugins:
    """No plugins."""

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    def step(self, verb: str) -> AbstractAsyncContextManager[None]:
        """Nothing that it keeps apart."""
        del verb
        return nullcontext()

    def ended(self, container: str) -> None:
        """Nobody wants to know."""


def of_service(started: Started, engine: EngineClient[RuntimeService]) -> Plugins:
    """The service's plugins, which have not been started."""
    if not started.options.nri_listen:
        return NoPlugins()
    from podward.cri.nri.served import ServedPlugins

    return ServedPlugins(started.service, engine, started.options.nri_listen, started.log)
