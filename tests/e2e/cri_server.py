"""A real `podward cri` in processes of its own, on a socket of the test, and a plain gRPC client for it."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
from warm_command import start
from warm_process import WarmProcess

from podward.api import cri_requests as cri
from podward.api.cri import (
    ContainerConfig,
    ContainerMetadata,
    ImageSpec,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    Message,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxMetadata,
)
from podward.api.cri_status import ContainerStatus
from podward.runtime import cri_messages as messages
from podward.runtime import cri_protocol as protocol

Response = TypeVar("Response", bound=Message)
DEADLINE = 60.0
METHODS = {path.rpartition("/")[2]: path for path in protocol.load().methods}


class RefusedError(Exception):
    """The server answered with a status that is not OK."""

    def __init__(self, error: Any) -> None:  # noqa: ANN401 - a call, too, which the stubs say it can't be
        self.code: str = error.code().name
        self.message: str = error.details() or ""
        super().__init__(f"{self.code}: {self.message}")


class Client:
    """A client over the socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}", options=[("grpc.max_receive_message_length", 16 << 20)])

    def ask(self, request: Message, response: type[Response], timeout: float = DEADLINE) -> Response:
        """Call the method of this request. Raises RefusedError."""
        method = response.__name__.removesuffix("Response")
        described = protocol.load().methods[METHODS[method]]
        content = self.raw(method, messages.message(request).SerializeToString(), timeout)
        return messages.typed(described.response.FromString(content), response)

    def raw(self, method: str, content: bytes, timeout: float = DEADLINE) -> bytes:
        """Call a method with these bytes. Raises RefusedError."""
        try:
            call: Any = self._channel.unary_unary(METHODS.get(method, method))
            answer: bytes = call(content, timeout=timeout)
        except grpc.RpcError as error:
            raise RefusedError(error) from None
        return answer

    def stream(
        self, method: str, request: Message, response: type[Response], timeout: float = DEADLINE
    ) -> Iterator[Response]:
        """The answers of a method that streams. Raises RefusedError."""
        described = protocol.load().methods[METHODS[method]]
        call: Any = self._channel.unary_stream(METHODS[method])
        try:
            for content in call(messages.message(request).SerializeToString(), timeout=timeout):
                yield messages.typed(described.response.FromString(content), response)
        except grpc.RpcError as error:
            raise RefusedError(error) from None

    def run_sandbox(self, name: str = "web", **members: object) -> str:
        """A sandbox on the host's network; returns its id."""
        config = sandbox_config(name, **members)
        return self.ask(cri.RunPodSandboxRequest(config), cri.RunPodSandboxResponse).pod_sandbox_id

    def create(self, sandbox: str, config: ContainerConfig, name: str = "web") -> str:
        """A container in a sandbox of this name; returns its id."""
        request = cri.CreateContainerRequest(sandbox, config, sandbox_config(name))
        return self.ask(request, cri.CreateContainerResponse).container_id

    def start(self, sandbox: str, config: ContainerConfig, name: str = "web") -> str:
        """A container that runs; returns its id."""
        made = self.create(sandbox, config, name)
        self.ask(cri.StartContainerRequest(made), cri.StartContainerResponse)
        return made

    def status(self, container: str) -> ContainerStatus:
        """How a container is."""
        answer = self.ask(cri.ContainerStatusRequest(container), cri.ContainerStatusResponse)
        assert answer.status is not None
        return answer.status

    def ended(self, container: str) -> ContainerStatus:
        """How a container has ended, when it has."""
        deadline = time.monotonic() + DEADLINE
        while (status := self.status(container)).state != "CONTAINER_EXITED":
            assert time.monotonic() < deadline, status
            time.sleep(0.05)
        return status

    def end(self, sandbox: str) -> None:
        """Stop and remove a sandbox with its containers."""
        self.ask(cri.StopPodSandboxRequest(sandbox), cri.StopPodSandboxResponse)
        self.ask(cri.RemovePodSandboxRequest(sandbox), cri.RemovePodSandboxResponse)

    def close(self) -> None:
        self._channel.close()


def sandbox_config(name: str = "web", **members: object) -> PodSandboxConfig:
    """One of a Pod of this name on the host's network."""
    context = LinuxSandboxSecurityContext(namespace_options=NamespaceOption(network="NODE"))
    config = PodSandboxConfig(
        metadata=PodSandboxMetadata(name, f"uid-{name}", "default"),
        linux=LinuxPodSandboxConfig(security_context=context),
    )
    return replaced(config, members)


def container_config(image: str, *command: str, name: str = "app", **members: object) -> ContainerConfig:
    """A container that runs this command."""
    config = ContainerConfig(metadata=ContainerMetadata(name), image=ImageSpec(image), command=command)
    return replaced(config, members)


Struct = TypeVar("Struct", bound=Message)


def replaced(message: Struct, members: dict[str, object]) -> Struct:
    """The message with other members."""
    known = {name: getattr(message, name) for name in message.__struct_fields__}
    return type(message)(**{**known, **members})


class CriServer:
    """A server whose state, socket and networks are in a directory of the test."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self.root = directory / "root"
        self.socket = str(directory / "run" / "cri.sock")
        self._errors = directory / "errors"
        self._flags = ("--cni-conf-dir", str(directory / "net.d"), *flags)
        self.process = self._start()
        self.client = Client(self.socket)

    def _start(self) -> subprocess.Popen[str] | WarmProcess:
        words = ["cri", "--listen", self.socket, "--data-dir", str(self.root), *self._flags]
        with self._errors.open("w") as errors:
            process = start(*words, stderr=errors)
        assert process.stdout is not None
        if "listens on" not in process.stdout.readline():
            process.wait(DEADLINE)
            raise AssertionError(self.errors())
        return process

    def errors(self) -> str:
        """What it has written to standard error."""
        return self._errors.read_text()

    @property
    def engine(self) -> int:
        """The pid of the process that does the work."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])

    def restart(self) -> None:
        """Start it again after its end."""
        self.process = self._start()
        self.client.close()
        self.client = Client(self.socket)

    def kill(self) -> None:
        """End it as the kernel would for want of memory."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def stop(self) -> tuple[int, str]:
        """End it as a supervisor would; its exit code and what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=DEADLINE)
        return self.process.wait(), self.errors()

    def remove_everything(self) -> None:
        """Every sandbox with its containers."""
        listed = self.client.ask(cri.ListPodSandboxRequest(), cri.ListPodSandboxResponse).items
        for sandbox in listed:
            self.client.end(sandbox.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            try:
                self.remove_everything()
            finally:
                self.stop()
        self.client.close()


def is_alive(pid: int) -> bool:
    """Whether the process runs; whoever reaps orphans here may be slow."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
