"""A method of the CRI as the server sees it: its name, the type of what it is asked, and what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.cri.gate import Limits

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Method(Generic[Request]):
    """A method that answers once. `subject` is what a request is about: the gate is fair between subjects."""

    def __init__(
        self,
        name: str,
        request: type[Request],
        do: Callable[[Request], Awaitable[Message | CriRefusal]],
        subject: Callable[[Request], str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.request = request
        self.do = do
        self.subject = subject
        self.limits = limits


class Stream(Generic[Request]):
    """A method that answers any number of times."""

    def __init__(
        self,
        name: str,
        request: type[Request],
        do: Callable[[Request], AsyncIterator[Message | CriRefusal]],
        limits: Limits | None = None,
    ) -> None:
        self.name = name
        self.request = request
        self.do = do
        self.limits = limits
