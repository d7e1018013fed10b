"""The CRI runtime as the node sees it: verbs with typed messages, asked of our own process or of a socket.

The verbs are those of `runtime.service.verbs`. What fails is a value. A runtime tells, without saying what, that
something of a sandbox or container has changed: whoever wants to know looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    RuntimeConfigRequest,
    RuntimeConfigResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Heard = Callable[[str], None]
"""Is told the uid of a Pod of which something has changed by itself; "" where it is not known of which."""


class Runtime(Protocol):
    """A CRI runtime."""

    async def start(self, heard: Heard) -> None:
        """Begin to listen for what happens to containers. Raises PodwardError where the runtime does not answer."""

    async def close(self) -> None:
        """Ask nothing more."""

    async def call(self, verb: Verb[RuntimeService, Request, Response], request: Request) -> Response | CriRefusal:
        """Have a verb done."""

    async def version(self, request: VersionRequest) -> VersionResponse | CriRefusal:
        """Version."""

    async def status(self, request: StatusRequest) -> StatusResponse | CriRefusal:
        """Status."""

    async def configuration(self, request: RuntimeConfigRequest) -> RuntimeConfigResponse | CriRefusal:
        """RuntimeConfig."""
