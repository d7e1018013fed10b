"""The table of the CRI's methods: what each is, how many of it go on at a time, and who does it.

A method of the protocol that is not here is answered with UNIMPLEMENTED.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Struct

from podward.api import cri_requests as cri
from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.cri.front import Front
from podward.cri.gate import Limits
from podward.cri.method import Method, Stream
from podward.cri.runtime_info import RuntimeInfo
from podward.cri.streams import parts
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.verbs import VERBS
from podward.runtime.workers.calls import Verb

Request = TypeVar("Request", bound=Message)
AnyMethod = Method[Any] | Stream[Any]

_MAKING = Limits(at_once=16, of_one=16)
_ENDING = Limits(at_once=128, of_one=8)
"""They mostly wait for processes to end."""
_COMMANDS = Limits(at_once=64, of_one=16)

_SANDBOX, _CONTAINER = attrgetter("pod_sandbox_id"), attrgetter("container_id")


class _Lifecycle(Struct, frozen=True):
    """A verb that changes something: what it is about, and how much of it goes on at a time."""

    name: str
    subject: Callable[[Any], str] | None
    limits: Limits


_READ = ("PodSandboxStatus", "ListPodSandbox", "ContainerStatus", "ListContainers")
_LIFECYCLE = (
    _Lifecycle("RunPodSandbox", None, _MAKING),
    _Lifecycle("StopPodSandbox", _SANDBOX, _ENDING),
    _Lifecycle("RemovePodSandbox", _SANDBOX, _ENDING),
    _Lifecycle("UpdatePodSandboxResources", _SANDBOX, _MAKING),
    _Lifecycle("CreateContainer", _SANDBOX, _MAKING),
    _Lifecycle("StartContainer", _CONTAINER, _MAKING),
    _Lifecycle("StopContainer", _CONTAINER, _ENDING),
    _Lifecycle("RemoveContainer", _CONTAINER, _ENDING),
    _Lifecycle("UpdateContainerResources", _CONTAINER, _MAKING),
    _Lifecycle("ReopenContainerLog", _CONTAINER, _MAKING),
)


def table(
    front: Front, info: RuntimeInfo, events: Callable[[], AsyncIterator[Message | CriRefusal]]
) -> list[AnyMethod]:
    """All methods."""
    return [
        Method("Version", cri.VersionRequest, info.version),
        Method("Status", cri.StatusRequest, info.status),
        Method("RuntimeConfig", cri.RuntimeConfigRequest, info.runtime_config),
        Method("UpdateRuntimeConfig", cri.UpdateRuntimeConfigRequest, info.update),
        Stream("GetContainerEvents", cri.GetEventsRequest, lambda _: events()),
        *(_read(front, name) for name in _READ if name in VERBS),
        *(_lifecycle(front, row, VERBS[row.name]) for row in _LIFECYCLE if row.name in VERBS),
        *_listed(front),
    ]


def _read(front: Front, name: str) -> AnyMethod:
    verb: Verb[RuntimeService, Any, Any] = VERBS[name]

    async def do(request: Message) -> Message | CriRefusal:
        return front.read(verb, request)

    return Method(verb.name, verb.arguments, do)


def _lifecycle(front: Front, row: _Lifecycle, verb: Verb[RuntimeService, Any, Any]) -> AnyMethod:
    return Method(verb.name, verb.arguments, partial(front.live, verb), row.subject, row.limits)


class _Listed(Struct, frozen=True):
    """A list that is streamed: the verb that lists, what it is asked, its items, and the answer with a part of them."""

    request: type[Message]
    verb: str
    ask: Callable[[Any], Message]
    items: Callable[[Any], tuple[Any, ...]]
    answer: Callable[[Any], Message]


_LISTED = (
    _Listed(
        cri.StreamPodSandboxesRequest,
        "ListPodSandbox",
        lambda request: cri.ListPodSandboxRequest(request.filter),
        attrgetter("items"),
        cri.StreamPodSandboxesResponse,
    ),
    _Listed(
        cri.StreamContainersRequest,
        "ListContainers",
        lambda request: cri.ListContainersRequest(request.filter),
        attrgetter("containers"),
        cri.StreamContainersResponse,
    ),
)


def _listed(front: Front) -> list[AnyMethod]:
    return [
        Stream(row.request.__name__.removesuffix("Request"), row.request, partial(_in_parts, front, row))
        for row in _LISTED
        if row.verb in VERBS
    ]


async def _in_parts(front: Front, row: _Listed, request: Message) -> AsyncIterator[Message | CriRefusal]:
    verb: Verb[RuntimeService, Any, Any] = VERBS[row.verb]
    found = front.read(verb, row.ask(request))
    if isinstance(found, CriRefusal):
        yield found
        return
    for part in parts(row.items(found)):
        yield row.answer(part)
