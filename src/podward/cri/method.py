"""A method of the CRI as the server sees it: its name, the type of what it is asked, and what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from enum import Enum
from typing import Generic, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.cri.gate import Limits

Request = TypeVar("Request", bound=Message)


class Service(Enum):
    """The services of `runtime.v1`."""

    RUNTIME = "RuntimeService"
    IMAGE = "ImageService"


class Method(Generic[Request]):
    """A method that answers once. `subject` names what a request is about, so that the methods' gates are fair."""

    def __init__(
        self,
        service: Service,
        request: type[Request],
        do: Callable[[Request], Awaitable[Message | CriRefusal]],
        *,
        subject: Callable[[Request], str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.service = service
        self.request = request
        self.do = do
        self.subject = subject
        self.limits = limits

    @property
    def name(self) -> str:
        """The method's name in the protocol, which is that of its request."""
        return _name(self.request)


class Stream(Generic[Request]):
    """A method that answers any number of times."""

    def __init__(
        self,
        service: Service,
        request: type[Request],
        do: Callable[[Request], AsyncIterator[Message | CriRefusal]],
        *,
        limits: Limits | None = None,
    ) -> None:
        self.service = service
        self.request = request
        self.do = do
        self.limits = limits

    @property
    def name(self) -> str:
        """As a method's."""
        return _name(self.request)


_IRREGULAR = {"GetEventsRequest": "GetContainerEvents"}


def _name(request: type[Message]) -> str:
    return _IRREGULAR.get(request.__name__) or request.__name__.removesuffix("Request")
