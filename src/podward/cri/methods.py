"""The table of the CRI's methods: what each is, how many of it go on at a time, and who does it.

A method of the protocol that is not here is answered with UNIMPLEMENTED.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from operator import attrgetter
from typing import Any

from msgspec import Struct

from podward.api import cri_image_requests as of_images
from podward.api import cri_requests as cri
from podward.api import cri_stats_requests as of_stats
from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.cri.front import Front
from podward.cri.gate import Limits
from podward.cri.method import Method, Stream
from podward.runtime.service.figures import Figures, parts
from podward.runtime.service.runtime_info import RuntimeInfo
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.stream_urls import Urls
from podward.runtime.service.verbs import VERBS
from podward.runtime.workers.calls import Verb

AnyMethod = Method[Any] | Stream[Any]
AnyVerb = Verb[RuntimeService, Any, Any]

_MAKING = Limits(at_once=16, of_one=16)
_ENDING = Limits(at_once=128, of_one=8)
"""They mostly wait for processes to end."""
_COMMANDS = Limits(at_once=64, of_one=16)
_SANDBOX, _CONTAINER = attrgetter("pod_sandbox_id"), attrgetter("container_id")

_READ = (
    "PodSandboxStatus",
    "ListPodSandbox",
    "ContainerStatus",
    "ListContainers",
    "ImageStatus",
    "ListImages",
    "ImageFsInfo",
)
"""Verbs that only read."""


class _Row(Struct, frozen=True):
    """A verb that is done by a worker: what it is about, and how much of it goes on at a time."""

    name: str
    subject: Callable[[Any], str] | None
    limits: Limits


_OF_CLIENTS = (
    _Row("ExecSync", _CONTAINER, _COMMANDS),
    _Row("PullImage", None, _MAKING),
    _Row("RemoveImage", None, _MAKING),
    _Row("UpdateRuntimeConfig", None, _MAKING),
)
"""They end with their clients."""
_LIFECYCLE = (
    _Row("RunPodSandbox", None, _MAKING),
    _Row("StopPodSandbox", _SANDBOX, _ENDING),
    _Row("RemovePodSandbox", _SANDBOX, _ENDING),
    _Row("UpdatePodSandboxResources", _SANDBOX, _MAKING),
    _Row("CreateContainer", _SANDBOX, _MAKING),
    _Row("StartContainer", _CONTAINER, _MAKING),
    _Row("StopContainer", _CONTAINER, _ENDING),
    _Row("RemoveContainer", _CONTAINER, _ENDING),
    _Row("UpdateContainerResources", _CONTAINER, _MAKING),
    _Row("ReopenContainerLog", _CONTAINER, _MAKING),
)


class Parts(Struct, frozen=True):
    """Who does what no verb does."""

    info: RuntimeInfo
    figures: Figures
    urls: Urls
    events: Callable[[], AsyncIterator[Message | CriRefusal]]


def table(front: Front, also: Parts) -> list[AnyMethod]:
    """All methods."""
    info, figures, urls = also.info, also.figures, also.urls
    return [
        Method("Version", cri.VersionRequest, info.version),
        Method("Status", cri.StatusRequest, info.status),
        Method("RuntimeConfig", cri.RuntimeConfigRequest, info.runtime_config),
        Stream("GetContainerEvents", cri.GetEventsRequest, lambda _: also.events()),
        Method("Exec", cri.ExecRequest, urls.exec),
        Method("Attach", cri.AttachRequest, urls.attach),
        Method("PortForward", cri.PortForwardRequest, urls.port_forward),
        Method("ContainerStats", of_stats.ContainerStatsRequest, figures.container_stats),
        Method("ListContainerStats", of_stats.ListContainerStatsRequest, figures.list_container_stats),
        Stream("StreamContainerStats", of_stats.StreamContainerStatsRequest, figures.stream_container_stats),
        Method("PodSandboxStats", of_stats.PodSandboxStatsRequest, figures.sandbox_stats),
        Method("ListPodSandboxStats", of_stats.ListPodSandboxStatsRequest, figures.list_sandbox_stats),
        Stream("StreamPodSandboxStats", of_stats.StreamPodSandboxStatsRequest, figures.stream_sandbox_stats),
        Method("ListMetricDescriptors", of_stats.ListMetricDescriptorsRequest, figures.metric_descriptors),
        Method("ListPodSandboxMetrics", of_stats.ListPodSandboxMetricsRequest, figures.list_metrics),
        Stream("StreamPodSandboxMetrics", of_stats.StreamPodSandboxMetricsRequest, figures.stream_metrics),
        *(_read(front, VERBS[name]) for name in _READ),
        *(_changing(row, VERBS[row.name], front.work) for row in _OF_CLIENTS),
        *(_changing(row, VERBS[row.name], front.live) for row in _LIFECYCLE),
        *(_listed(front, row) for row in _LISTED),
    ]


def _read(front: Front, verb: AnyVerb) -> AnyMethod:
    async def do(request: Message) -> Message | CriRefusal:
        return front.read(verb, request)

    return Method(verb.name, verb.arguments, do)


def _changing(row: _Row, verb: AnyVerb, do: Callable[..., Awaitable[Message | CriRefusal]]) -> AnyMethod:
    return Method(verb.name, verb.arguments, partial(do, verb), row.subject, row.limits)


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
    _Listed(
        of_images.StreamImagesRequest,
        "ListImages",
        lambda request: of_images.ListImagesRequest(request.filter),
        attrgetter("images"),
        of_images.StreamImagesResponse,
    ),
)


def _listed(front: Front, row: _Listed) -> AnyMethod:
    return Stream(row.request.__name__.removesuffix("Request"), row.request, partial(_in_parts, front, row))


async def _in_parts(front: Front, row: _Listed, request: Message) -> AsyncIterator[Message | CriRefusal]:
    verb: AnyVerb = VERBS[row.verb]
    found = front.read(verb, row.ask(request))
    if isinstance(found, CriRefusal):
        yield found
        return
    for part in parts(row.items(found)):
        yield row.answer(part)
