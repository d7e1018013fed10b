"""The socket that plugins connect to; those that are there, from their registration to their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from typing import Protocol

from msgspec import Struct

from podward.api.nri import VERSION, Container, ContainerUpdate, Message, PodSandbox
from podward.cri.nri.connection import CallError, Connection, PluginLostError, shown
from podward.cri.nri.gate import Gate
from podward.cri.nri.messages import (
    ConfigureRequest,
    Empty,
    RegisterPluginRequest,
    UpdateContainersRequest,
    UpdateContainersResponse,
)
from podward.cri.nri.plugin import Plugin, check_registration
from podward.cri.nri.protobuf import decode
from podward.cri.nri.ttrpc import Code
from podward.errors import NodeError, PodwardError
from podward.policy.runtime.nri_collecting import Updates

DEFAULT_SOCKET = "/var/run/nri/nri.sock"
MOST_PLUGINS = 100

_log = logging.getLogger("podward.cri.nri")


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

    def __init__(self, runtime: Runtime, socket: str, timeouts: Timeouts) -> None:
        self.present: list[Plugin] = []
        self.gate = Gate()
        self._runtime = runtime
        self._socket = socket
        self._timeouts = timeouts
        self._connected: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on the socket, which replaces one that is there. Raises NodeError."""
        home = os.path.dirname(self._socket) or "."
        try:
            os.makedirs(home, mode=0o700, exist_ok=True)
            made_in = tempfile.mkdtemp(dir=home)  # 0700: nobody connects before the socket has its mode
            try:
                self._server = await asyncio.start_unix_server(self._accept, f"{made_in}/s")
                os.chmod(f"{made_in}/s", 0o600)
                os.rename(f"{made_in}/s", self._socket)
            finally:
                shutil.rmtree(made_in)
        except OSError as error:
            raise NodeError(
                f"plugins cannot be listened for: {error.strerror or error}",
                where=self._socket,
                advice="name a socket in a directory that can be written, at most 90 bytes long, with --nri-listen",
            ) from error

    async def close(self) -> None:
        """Disconnect all plugins, and take the socket away."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._socket)
        for connection in self._connected.values():
            connection.close("the runtime ends")
        if self._connected:
            await asyncio.wait(self._connected)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._connected) >= MOST_PLUGINS:
            _log.warning("NRI: a plugin is turned away, there are %d", MOST_PLUGINS)
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
            connection.close("the runtime ends")
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
            _log.warning("NRI: plugin %s is disconnected: %s", name, connection.why_closed)

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
        _log.info("NRI: plugin %s is connected", plugin.name)
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
