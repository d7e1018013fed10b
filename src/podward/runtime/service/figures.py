"""Stats and metrics: taken in a thread, because figures are in many files and a walk through what was written is long.

Specification (CRI api.proto, in our words): ListContainerStats and ListPodSandboxStats tell of what runs, or was
created to; a container or sandbox that is not there is an error where it is asked for alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from podward.api import cri_stats_requests as cri
from podward.api.cri import Message
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_stats import ContainerStats, PodSandboxMetrics, PodSandboxStats
from podward.api.cri_status import ContainerFilter, ContainerStatsFilter, PodSandboxStatsFilter
from podward.runtime.service import container_status, metrics, sandboxes, stats
from podward.runtime.service.cgroup_figures import CgroupFigures, Hierarchies
from podward.runtime.service.container_truth import LIVING
from podward.runtime.service.layer_sizes import LayerSizes
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.stats import CpuRates, Interface

Result = TypeVar("Result")
Item = TypeVar("Item")
PART = 32
"""Things in a part: of containers with all their labels and annotations (at most 256 KiB each) less than a message."""


def parts(items: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    """A list in parts, for the methods that stream one: each has at least one thing, and fits a message."""
    return (tuple(items[at : at + PART]) for at in range(0, len(items), PART))


class Figures:
    """Answers the methods of stats and metrics."""

    def __init__(self, service: RuntimeService) -> None:
        self._service = service
        self._hierarchies = Hierarchies.here()
        self._sizes = LayerSizes()
        self._rates = CpuRates()
        self._descriptors = metrics.descriptors()
        # One thread: two would count the same files twice.
        self._thread = ThreadPoolExecutor(1, "podward-figures")

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._sizes.close()

    # --- the methods ---

    async def container_stats(self, request: cri.ContainerStatsRequest) -> cri.ContainerStatsResponse | CriRefusal:
        """ContainerStats."""
        record = container_status.find(self._service, request.container_id)
        if isinstance(record, CriRefusal):
            return record
        (found,) = await self._later(lambda: self._of_containers([record]))
        return cri.ContainerStatsResponse(found)

    async def list_container_stats(self, request: cri.ListContainerStatsRequest) -> cri.ListContainerStatsResponse:
        """ListContainerStats."""
        return cri.ListContainerStatsResponse(await self._containers(request.filter))

    async def stream_container_stats(self, request: cri.StreamContainerStatsRequest) -> AsyncIterator[Message]:
        """StreamContainerStats."""
        for part in parts(await self._containers(request.filter)):
            yield cri.StreamContainerStatsResponse(part)

    async def sandbox_stats(self, request: cri.PodSandboxStatsRequest) -> cri.PodSandboxStatsResponse | CriRefusal:
        """PodSandboxStats."""
        record = sandboxes.find(self._service, request.pod_sandbox_id)
        if isinstance(record, CriRefusal):
            return record
        return cri.PodSandboxStatsResponse(await self._later(lambda: self._of_sandbox(record)))

    async def list_sandbox_stats(self, request: cri.ListPodSandboxStatsRequest) -> cri.ListPodSandboxStatsResponse:
        """ListPodSandboxStats."""
        return cri.ListPodSandboxStatsResponse(await self._sandboxes(request.filter))

    async def stream_sandbox_stats(self, request: cri.StreamPodSandboxStatsRequest) -> AsyncIterator[Message]:
        """StreamPodSandboxStats."""
        for part in parts(await self._sandboxes(request.filter)):
            yield cri.StreamPodSandboxStatsResponse(part)

    async def metric_descriptors(self, request: cri.ListMetricDescriptorsRequest) -> cri.ListMetricDescriptorsResponse:
        """ListMetricDescriptors."""
        del request
        return cri.ListMetricDescriptorsResponse(self._descriptors)

    async def list_metrics(self, request: cri.ListPodSandboxMetricsRequest) -> cri.ListPodSandboxMetricsResponse:
        """ListPodSandboxMetrics."""
        del request
        return cri.ListPodSandboxMetricsResponse(await self._later(self._metrics))

    async def stream_metrics(self, request: cri.StreamPodSandboxMetricsRequest) -> AsyncIterator[Message]:
        """StreamPodSandboxMetrics."""
        del request
        for part in parts(await self._later(self._metrics)):
            yield cri.StreamPodSandboxMetricsResponse(part)

    # --- what is done in the thread ---

    async def _later(self, take: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, take)

    async def _containers(self, wanted: ContainerStatsFilter | None) -> tuple[ContainerStats, ...]:
        return await self._later(lambda: self._of_containers(self._living(wanted)))

    async def _sandboxes(self, wanted: PodSandboxStatsFilter | None) -> tuple[PodSandboxStats, ...]:
        wanted = wanted or PodSandboxStatsFilter()

        def take() -> tuple[PodSandboxStats, ...]:
            return tuple(
                self._of_sandbox(record)
                for record in self._ready()
                if record.id.startswith(wanted.id) and wanted.label_selector.items() <= record.config.labels.items()
            )

        return await self._later(take)

    def _living(self, wanted: ContainerStatsFilter | None) -> list[ContainerRecord]:
        wanted = wanted or ContainerStatsFilter()
        asked = ContainerFilter(wanted.id, None, wanted.pod_sandbox_id, wanted.label_selector)
        found = [each for each in container_status.every(self._service, asked) if each.phase in LIVING]
        if asked == ContainerFilter():
            self._sizes.keep_only(self._layer(each) for each in found)
            self._rates.keep_only([*(each.id for each in found), *(each.id for each in self._ready())])
        return found

    def _ready(self) -> list[SandboxRecord]:
        return [each for each in self._service.records.every(SandboxRecord) if sandboxes.is_ready(each)]

    def _layer(self, record: ContainerRecord) -> str:
        return f"{self._service.records.directory(ContainerRecord, record.id)}/upper"

    def _of_containers(self, records: Sequence[ContainerRecord]) -> tuple[ContainerStats, ...]:
        self._sizes.refresh(map(self._layer, records))
        return tuple(map(self._of_container, records))

    def _of_container(self, record: ContainerRecord) -> ContainerStats:
        place = self._layer(record)
        return stats.container_stats(record, self._of_cgroup(record), (place, self._sizes.of(place)), self._rates)

    def _of_cgroup(self, record: ContainerRecord) -> CgroupFigures:
        return self._hierarchies.figures(record.cgroup) if record.cgroup else CgroupFigures()

    def _of_sandbox(self, record: SandboxRecord) -> PodSandboxStats:
        living = self._living(ContainerStatsFilter(pod_sandbox_id=record.id))
        whole = self._hierarchies.figures(record.cgroup)
        processes = sum(len(self._hierarchies.processes(each.cgroup)) for each in living)
        containers = self._of_containers(living)
        return stats.sandbox_stats(record, whole, processes, _interfaces(record), containers, self._rates)

    def _metrics(self) -> tuple[PodSandboxMetrics, ...]:
        living, found = self._living(None), []
        self._sizes.refresh(map(self._layer, living))
        for sandbox in self._ready():
            samples = tuple(
                metrics.sample(each, self._of_cgroup(each), self._sizes.of(self._layer(each)))
                for each in living
                if each.sandbox == sandbox.id
            )
            found.append(metrics.sandbox_metrics(sandbox, _interfaces(sandbox), samples))
        return tuple(found)


def _interfaces(record: SandboxRecord) -> tuple[Interface, ...]:
    """Those of a Pod's own network; the namespace is where the pin has it mounted."""
    place = record.namespaces.get("net", "")
    return stats.interfaces(f"/proc/{record.pin.pid}/root{place}") if place else ()
