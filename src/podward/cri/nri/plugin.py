"""A registered plugin: what it subscribed to, and how it is told and asked."""

from __future__ import annotations

from typing import TypeVar

from podward.api.nri import ALL_EVENTS, Container, ContainerUpdate, Event, Message, PodSandbox
from podward.cri.nri.connection import CallError, Connection, PluginAnsweredError, PluginLostError, shown
from podward.cri.nri.messages import (
    ConfigureRequest,
    ConfigureResponse,
    ContainerRequest,
    Empty,
    PluginInstance,
    PodRequest,
    RegisterPluginRequest,
    StateChangeEvent,
    SynchronizeRequest,
    SynchronizeResponse,
)
from podward.cri.nri.protobuf import encode
from podward.cri.nri.ttrpc import LARGEST_MESSAGE, Code

METHODS = {
    Event.RUN_POD_SANDBOX: "RunPodSandbox",
    Event.UPDATE_POD_SANDBOX: "UpdatePodSandbox",
    Event.POST_UPDATE_POD_SANDBOX: "PostUpdatePodSandbox",
    Event.STOP_POD_SANDBOX: "StopPodSandbox",
    Event.REMOVE_POD_SANDBOX: "RemovePodSandbox",
    Event.CREATE_CONTAINER: "CreateContainer",
    Event.POST_CREATE_CONTAINER: "PostCreateContainer",
    Event.START_CONTAINER: "StartContainer",
    Event.POST_START_CONTAINER: "PostStartContainer",
    Event.UPDATE_CONTAINER: "UpdateContainer",
    Event.POST_UPDATE_CONTAINER: "PostUpdateContainer",
    Event.STOP_CONTAINER: "StopContainer",
    Event.REMOVE_CONTAINER: "RemoveContainer",
    Event.VALIDATE_CONTAINER_ADJUSTMENT: "ValidateContainerAdjustment",
}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+")
_LONGEST_NAME = 128
_ONE_REQUEST = LARGEST_MESSAGE // 2
"""The most bytes of sandboxes and containers in one request: half of what ttrpc takes, so that envelopes fit, too."""

Answer = TypeVar("Answer", bound=Message)


class Plugin:
    """A plugin that is connected; `within` are the seconds in which it must answer."""

    def __init__(self, connection: Connection, registration: RegisterPluginRequest, within: float) -> None:
        self.connection = connection
        self.instance = PluginInstance(registration.plugin_name, registration.plugin_idx)
        self.name = f"{registration.plugin_idx}-{registration.plugin_name}"
        self._within = within
        self._events = 0
        self._told_by_state_change: set[Event] = set()

    def handles(self, event: Event) -> bool:
        """Whether it wants to know of such events, and can."""
        return bool(self._events & event.bit) and not self.connection.closed

    async def configure(self, request: ConfigureRequest) -> None:
        """Introduce the runtime. Raises PluginLostError where it wants to know of events that there are not."""
        events = (await self.connection.call("Configure", request, ConfigureResponse, self._within)).events
        if events & ~ALL_EVENTS:
            self.connection.close(f"it subscribed to events that there are not: {events & ~ALL_EVENTS:#x}")
            raise PluginLostError(self.connection.why_closed)
        self._events = events or ALL_EVENTS

    async def synchronize(
        self, pods: tuple[PodSandbox, ...], containers: tuple[Container, ...], within: float
    ) -> tuple[ContainerUpdate, ...]:
        """Tell what there is, in as many requests as it takes. Answers what the plugin changes in it."""
        for request in _in_parts(pods, containers):
            response = await self.connection.call("Synchronize", request, SynchronizeResponse, within)
            if not request.more:
                return response.update
            if response.update or not response.more:
                self.connection.close("it does not take what there is in several requests")
                raise PluginLostError(self.connection.why_closed)
        return ()

    async def tell(self, event: Event, pod: PodSandbox, container: Container | None) -> None:
        """Tell of an event to which nothing is answered: by its own method, or, before NRI 0.10, by StateChange."""
        if event not in self._told_by_state_change:
            request = PodRequest(pod) if container is None else ContainerRequest(pod, container)
            try:
                await self.ask(event, request, Empty)
            except PluginAnsweredError as error:
                if error.code != Code.UNIMPLEMENTED:
                    raise
                self._told_by_state_change.add(event)
            else:
                return
        await self.connection.call("StateChange", StateChangeEvent(event, pod, container), Empty, self._within)

    async def ask(self, event: Event, request: Message, answer: type[Answer]) -> Answer:
        """Ask about an event. Raises as `Connection.call`."""
        return await self.connection.call(METHODS[event], request, answer, self._within)


def check_registration(request: RegisterPluginRequest) -> None:
    """Raises CallError for a name or an index that no plugin may have."""
    name, index = request.plugin_name, request.plugin_idx
    if not name or len(name) > _LONGEST_NAME or not _NAME.issuperset(name):
        raise CallError(
            f"invalid plugin name {shown(name)!r}: 1 to {_LONGEST_NAME} of letters, digits, -, _, ., +",
            Code.INVALID_ARGUMENT,
        )
    if len(index) != 2 or not (index.isascii() and index.isdigit()):
        raise CallError(f"invalid plugin index {shown(index)!r}: it must be two digits", Code.INVALID_ARGUMENT)


def _in_parts(pods: tuple[PodSandbox, ...], containers: tuple[Container, ...]) -> list[SynchronizeRequest]:
    """As few requests as can be sent; all but the last say that there is more."""
    parts = [SynchronizeRequest()]
    size = 0
    items: tuple[PodSandbox | Container, ...] = (*pods, *containers)
    for item in items:
        length = len(encode(item))
        if size and size + length > _ONE_REQUEST:
            parts.append(SynchronizeRequest())
            size = 0
        size += length
        last = parts[-1]
        match item:
            case PodSandbox():
                parts[-1] = SynchronizeRequest((*last.pods, item), last.containers)
            case Container():
                parts[-1] = SynchronizeRequest(last.pods, (*last.containers, item))
    return [*(SynchronizeRequest(part.pods, part.containers, more=True) for part in parts[:-1]), parts[-1]]
