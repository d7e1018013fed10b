"""The socket that plugins connect to; those that are there, from their registration to their end."""

from __future__ import annotations

import asyncio
from typing import Protocol

from msgspec import Struct

from podward.api.nri import VERSION, Container, ContainerUpdate, Message, PodSandbox
from podward.cri.log import Log
from podward.cri.nri.connection import IT_CLOSED, WE_END, CallError, Connection, PluginLostError, shown
from podward.cri.nri.messages import (
    ConfigureRequest,
    Empty,
    RegisterPluginRequest,
    UpdateContainersRequest,
    UpdateContainersResponse,
)
from podward.cri.nri.plugin import Plugin, check_registration
from podward.cri.nri.protobuf import decode
from podward.cri.nri.sync_gate import SyncGate
from podward.cri.nri.ttrpc import Code
from podward.cri.unix_server import UnixServer, serve
from podward.errors import PodwardError
from podward.policy.runtime.nri_collecting import Updates

DEFAULT_SOCKET = "/var/run/nri/nri.sock"
MOST_PLUGINS = 100


class Timeouts(Struct, frozen=True):
    """Seconds in which a plugin must register, and take what there is; and in which it must answer a request."""

    registration: float = 5.0
    request: float = 2.0


class Runtime(Protocol):
    """What the runtime knows and does for plugins."""

    name: str
    version: str

    async def inventory(self) -> tuple[tuple[PodSandbox, ...], tuple[Container, ...]]:
        """All sandboxes, and all containers that have not ended."""

    async def update_containers(self, updates: tuple[ContainerUpdate, ...]) -> tuple[ContainerUpdate, ...]:
        """Give containers other resources. Answers the updates that failed and that may not.

        A plugin may ask for it while a step waits for that plugin, so this must wait for no step.
        """


class Plugins:
    """The plugins that are connected and know what there is: `present`, in the order of their indexes.

    `gate` keeps who changes containers from those who are being told of them.
    """

    def __init__(self, runtime: Runtime, socket: str, timeouts: Timeouts, log: Log) -> None:
        self.present: list[Plugin] = []
        self.gate = SyncGate()
        self._runtime = runtime
        self._socket = socket
        self._timeouts = timeouts
        self._log = log
        self._connected: dict[asyncio.Task[None], Connection] = {}
        self._server: UnixServer | None = None

    async def start(self) -> None:
        """Listen on the socket, which only its owner may use. Raises NodeError."""
        self._server = await serve(self._socket, self._accept)

    async def close(self) -> None:
        """Disconnect all plugins, and take the socket away."""
        if self._server is not None:
            self._server.close()
        for connection in self._connected.values():
            connection.close(WE_END)
        if self._connected:
            await asyncio.wait(self._connected)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connected) >= MOST_PLUGINS:
            self._log.failed(f"an NRI plugin is turned away, there are {MOST_PLUGINS}")
            writer.transport.abort()
            return
        registered: asyncio.Future[RegisterPluginRequest] = asyncio.get_running_loop().create_future()

        async def answer(method: str, payload: bytes) -> Message:
            match method:
                case "RegisterPlugin":
                    return _register(registered, decode(RegisterPluginRequest, payload))
                case "UpdateContainers":
                    return await self._update(decode(UpdateContainersRequest, payload), registered)
                case _:
                    raise CallError(f"there is no method {shown(method)}", Code.UNIMPLEMENTED)

        connection = Connection(reader, writer, answer)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - of a coroutine that runs
        self._connected[task] = connection
        running = asyncio.create_task(connection.run())
        try:
            await self._serve(connection, registered, running)
        finally:
            connection.close(WE_END)
            await running
            self._connected.pop(task, None)

    async def _serve(
        self,
        connection: Connection,
        registered: asyncio.Future[RegisterPluginRequest],
        running: asyncio.Task[None],
    ) -> None:
        """Wait until the plugin has registered, and count on it until its connection is closed."""

        def lost(_: asyncio.Task[None]) -> None:
            if not registered.done():
                registered.set_exception(PluginLostError(connection.why_closed))

        running.add_done_callback(lost)
        name = "that has not registered"
        plugin: Plugin | None = None
        try:
            async with asyncio.timeout(self._timeouts.registration):
                registration = await registered
            plugin = Plugin(connection, registration, self._timeouts.request)
            name = plugin.name
            await self._introduce(plugin)
            await asyncio.shield(running)
        except TimeoutError:
            connection.close(f"it did not register within {self._timeouts.registration:g} s")
        except PodwardError as error:
            connection.close(error.what)
        finally:
            if plugin in self.present:
                self.present.remove(plugin)
            say = self._log.note if connection.why_closed in (IT_CLOSED, WE_END) else self._log.failed
            say(f"NRI plugin {name} is disconnected: {connection.why_closed}")

    async def _introduce(self, plugin: Plugin) -> None:
        """Configure a plugin, tell it what there is, and count on it from then on."""
        timeouts = self._timeouts
        await plugin.configure(
            ConfigureRequest(
                runtime_name=self._runtime.name,
                runtime_version=self._runtime.version,
                registration_timeout=int(timeouts.registration * 1000),
                request_timeout=int(timeouts.request * 1000),
                nri_version=VERSION,
            )
        )
        async with self.gate.alone():
            pods, containers = await self._runtime.inventory()
            updates = await plugin.synchronize(pods, containers, timeouts.registration)
            self.present.append(plugin)
            self.present.sort(key=lambda plugin: plugin.instance.index)
        self._log.note(f"NRI plugin {plugin.name} is connected")
        if updates:
            await self._runtime.update_containers(updates)

    async def _update(
        self, request: UpdateContainersRequest, registered: asyncio.Future[RegisterPluginRequest]
    ) -> UpdateContainersResponse:
        """A plugin's own updates."""
        if not registered.done():
            raise CallError("register first", Code.FAILED_PRECONDITION)
        if request.evict:
            raise CallError("evictions are not supported", Code.UNIMPLEMENTED)
        updates = Updates()
        if refused := updates.take(
            f"{registered.result().plugin_idx}-{registered.result().plugin_name}", request.update
        ):
            raise CallError(refused, Code.INVALID_ARGUMENT)
        return UpdateContainersResponse(await self._runtime.update_containers(updates.result))


def _register(registered: asyncio.Future[RegisterPluginRequest], request: RegisterPluginRequest) -> Empty:
    if registered.done():
        raise CallError("it has registered", Code.FAILED_PRECONDITION)
    check_registration(request)
    registered.set_result(request)
    return Empty()
