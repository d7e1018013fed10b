"""The Node Resource Interface: what plugins are told and asked at each step of sandboxes and containers.

Specification: pkg/adaptation of NRI 0.12, as containerd uses it. A plugin registers, is configured and told what there
is, and is asked from then on, in the order of the plugins' indexes, one request at a time. One that answers with an
error refuses the step. One that does not answer in time, or breaks the protocol, is disconnected and passed over; but
not where it validates what others changed: then the step is refused.

Other than there, a plugin has as long for what there is as for registering, so that it is not lost while it looks at
it, and starting plugins is left out: they connect by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from msgspec import Struct

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.nri import Container, ContainerUpdate, Event, PodSandbox, Resources
from podward.cri.log import Log
from podward.cri.nri.connection import PluginAnsweredError, PluginLostError, shown
from podward.cri.nri.messages import (
    ContainerRequest,
    CreateContainerResponse,
    Empty,
    UpdateContainerRequest,
    UpdateContainerResponse,
    UpdatePodSandboxRequest,
    ValidateRequest,
    ValidateResponse,
)
from podward.cri.nri.plugin import Plugin
from podward.cri.nri.plugins import Plugins, Runtime, Timeouts
from podward.cri.nri.ttrpc import TtrpcError
from podward.errors import PodwardError
from podward.policy.runtime.nri_collecting import Creation, PluginAdjustment, Updates

_TIMEOUTS = Timeouts()
_VALIDATE = Event.VALIDATE_CONTAINER_ADJUSTMENT
GOES_ON = frozenset((Event.STOP_POD_SANDBOX, Event.REMOVE_POD_SANDBOX, Event.STOP_CONTAINER, Event.REMOVE_CONTAINER))
"""What nobody can refuse: all plugins are told of it, whatever one of them answers."""


class Created(Struct, frozen=True):
    """What plugins ask for of a new container, in their order, and of others that are there."""

    adjustments: tuple[PluginAdjustment, ...] = ()
    updates: tuple[ContainerUpdate, ...] = ()


class Nri:
    """The plugins of a runtime. Where none is connected, every question is answered at once."""

    def __init__(self, runtime: Runtime, socket: str, log: Log, timeouts: Timeouts = _TIMEOUTS) -> None:
        self._plugins = Plugins(runtime, socket, timeouts, log)
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Listen for plugins. Raises NodeError."""
        await self._plugins.start()

    async def close(self) -> None:
        """Disconnect all plugins, and take the socket away."""
        await self._plugins.close()

    @contextlib.asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """From a question to when what was asked about is there, no plugin is told what there is.

        So a new one is told before the step or after it, and misses nothing of it. Steps do not stand in steps.
        """
        async with self._plugins.gate.shared():
            yield

    @property
    def active(self) -> bool:
        """Whether there is anybody to be asked."""
        return bool(self._plugins.present)

    # --- what the runtime tells ---

    async def run_pod_sandbox(self, pod: PodSandbox) -> CriRefusal | None:
        """Before a sandbox becomes ready. Where it is refused, plugins are told that it is gone."""
        refusal = await self.tell(Event.RUN_POD_SANDBOX, pod)
        if refusal is not None:
            for event in (Event.STOP_POD_SANDBOX, Event.REMOVE_POD_SANDBOX):
                await self.tell(event, pod)
        return refusal

    async def update_pod_sandbox(
        self, pod: PodSandbox, overhead: Resources | None, resources: Resources | None
    ) -> CriRefusal | None:
        """Before a sandbox gets other resources."""
        request = UpdatePodSandboxRequest(pod, overhead, resources)
        return await self._each(Event.UPDATE_POD_SANDBOX, lambda plugin: _told(plugin, request))

    async def tell(self, event: Event, pod: PodSandbox, container: Container | None = None) -> CriRefusal | None:
        """Tell of an event to which plugins answer nothing; where one refuses it, those after it are not told."""
        return await self._each(event, lambda plugin: plugin.tell(event, pod, container))

    # --- what the runtime asks ---

    async def create_container(self, pod: PodSandbox, container: Container) -> Created | CriRefusal:
        """Before a container is created. Where it is refused, plugins are told that it is gone."""
        if not self.active:
            return Created()
        creation = Creation(container)
        event = Event.CREATE_CONTAINER

        async def ask(plugin: Plugin) -> str:
            response = await plugin.ask(event, ContainerRequest(pod, creation.container), CreateContainerResponse)
            if response.evict:
                return "it asks for evictions, which are not supported"
            return creation.take(plugin.name, response.adjust, response.update)

        asked = tuple(plugin.instance for plugin in self._plugins.present)
        validators = [plugin for plugin in self._plugins.present if plugin.handles(_VALIDATE)]
        refusal = await self._each(event, ask)
        if refusal is None:
            request = ValidateRequest(
                pod, container, creation.adjustment, creation.updates.result, creation.owners, asked
            )
            async with self._one_at_a_time:
                refusal = await _validated(request, validators)
        if refusal is not None:
            await self.undo_create_container(pod, container)
            return refusal
        return Created(creation.adjustments, creation.updates.result)

    async def undo_create_container(self, pod: PodSandbox, container: Container) -> None:
        """After a container could not be created that plugins were asked about."""
        await self.stop_container(pod, container)
        await self.tell(Event.REMOVE_CONTAINER, pod, container)

    async def update_container(
        self, pod: PodSandbox, container: Container, resources: Resources
    ) -> tuple[ContainerUpdate, ...] | CriRefusal:
        """Before a container gets other resources. The first update is that container's, as plugins changed it."""
        updates = Updates(container.id, resources)

        async def ask(plugin: Plugin) -> str:
            request = UpdateContainerRequest(pod, container, updates.resources(container.id))
            response = await plugin.ask(Event.UPDATE_CONTAINER, request, UpdateContainerResponse)
            if response.evict:
                return "it asks for evictions, which are not supported"
            return updates.take(plugin.name, response.update)

        refusal = await self._each(Event.UPDATE_CONTAINER, ask)
        return updates.result if refusal is None else refusal

    async def stop_container(self, pod: PodSandbox, container: Container) -> tuple[ContainerUpdate, ...] | CriRefusal:
        """After a container has ended, whoever ended it. Answers what plugins change in others."""
        updates = Updates()

        async def ask(plugin: Plugin) -> str:
            request = ContainerRequest(pod, container)
            response = await plugin.ask(Event.STOP_CONTAINER, request, UpdateContainerResponse)
            return updates.take(plugin.name, response.update)

        refusal = await self._each(Event.STOP_CONTAINER, ask)
        return updates.result if refusal is None else refusal

    async def _each(self, event: Event, ask: Callable[[Plugin], Awaitable[str | None]]) -> CriRefusal | None:
        """Ask each plugin that wants to know, until one refuses what can be refused. Answers the first refusal."""
        if not self.active:
            return None
        refusal: CriRefusal | None = None
        async with self._one_at_a_time:
            for plugin in tuple(self._plugins.present):
                if not plugin.handles(event):
                    continue
                try:
                    refused = await ask(plugin)
                except PluginLostError:
                    continue  # `_serve` says why, and forgets it
                except (PluginAnsweredError, TtrpcError) as error:
                    refused = error.what
                if refused:
                    refusal = refusal or _refusal(plugin, event, refused)
                    if event not in GOES_ON:
                        break
        return refusal


async def _validated(request: ValidateRequest, validators: list[Plugin]) -> CriRefusal | None:
    """Ask those that validate what others changed. They were there before: one that was lost meanwhile refuses."""
    for plugin in validators:
        try:
            response = await plugin.ask(_VALIDATE, request, ValidateResponse)
        except PodwardError as error:
            return _refusal(plugin, _VALIDATE, error.what)
        if response.reject:
            return _refusal(plugin, _VALIDATE, shown(response.reason) or "unknown rejection reason")
    return None


async def _told(plugin: Plugin, request: UpdatePodSandboxRequest) -> None:
    await plugin.ask(Event.UPDATE_POD_SANDBOX, request, Empty)


def _refusal(plugin: Plugin, event: Event, why: str) -> CriRefusal:
    words = event.name.lower().replace("_", " ")
    return CriRefusal(CriCode.UNKNOWN, f"NRI plugin {plugin.name} refuses ({words}): {why}")
