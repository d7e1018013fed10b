"""What a node and its Pods use: /stats/summary, /metrics/cadvisor, /metrics.

Specification: Kubernetes, staging k8s.io/kubelet, pkg/apis/stats/v1alpha1; of cAdvisor's metrics those that dashboards
of containers read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec
from aiohttp import web

from podward.api.cri_stats import ContainerStats, CpuUsage, MemoryUsage, PodSandboxStats
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.node.server.host import Host
from podward.schema.validation.raw import text

_NAME, _NAMESPACE = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"
_CONTAINER = "io.kubernetes.container.name"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_TICKS = os.sysconf("SC_CLK_TCK")
NANO = 10**9
_KIB = 1024


async def container_metrics(host: Host, _request: web.Request) -> web.Response:
    """The metrics of containers that cAdvisor has, as far as the runtime tells them."""
    return text_of([*_cadvisor(await host.figures())])


async def own_metrics(host: Host, _request: web.Request) -> web.Response:
    """What the node says of itself."""
    phases: dict[str, int] = {}
    for pod in host.pods():
        phase = text(member(pod, "status"), "phase") or "Pending"
        phases[phase] = phases.get(phase, 0) + 1
    lines = ["# TYPE kubelet_node_name gauge", f'kubelet_node_name{{node="{_quoted(host.name)}"}} 1']
    lines += ["# TYPE kubelet_running_pods gauge", f"kubelet_running_pods {phases.get('Running', 0)}"]
    lines += ["# TYPE kubelet_desired_pods gauge", f"kubelet_desired_pods {sum(phases.values())}"]
    return text_of(lines)


async def nothing(_host: Host, _request: web.Request) -> web.Response:
    """No metrics."""
    return text_of([])


async def summary(host: Host, _request: web.Request) -> web.Response:
    """The figures as JSON."""
    pods: list[Json] = [_pod_summary(each) for each in await host.figures()]
    now = time.time_ns()
    cpu, memory = node_cpu(), node_memory()
    node: JsonObject = {
        "nodeName": host.name,
        "startTime": _moment(_boot() * NANO),
        "cpu": {"time": _moment(now), "usageCoreNanoSeconds": cpu},
        "memory": {
            "time": _moment(now),
            "availableBytes": memory["MemAvailable"],
            "usageBytes": memory["MemTotal"] - memory["MemFree"],
            "workingSetBytes": memory["MemTotal"] - memory["MemAvailable"],
        },
    }
    return web.Response(body=msgspec.json.encode({"node": node, "pods": pods}), content_type="application/json")


# --- text -------------------------------------------------------------------------------------------------------------


def _cadvisor(found: Sequence[PodSandboxStats]) -> Iterator[str]:
    each = [(labels(one), one) for sandbox in found for one in containers_of(sandbox)]
    yield "# TYPE container_cpu_usage_seconds_total counter"
    for whose, one in each:
        if one.cpu is not None and one.cpu.usage_core_nano_seconds is not None:
            value = one.cpu.usage_core_nano_seconds / NANO
            yield sample("container_cpu_usage_seconds_total", whose, value, one.cpu.timestamp)
    for name, field in (
        ("container_memory_usage_bytes", "usage_bytes"),
        ("container_memory_working_set_bytes", "working_set_bytes"),
        ("container_memory_rss", "rss_bytes"),
    ):
        yield f"# TYPE {name} gauge"
        for whose, one in each:
            found_bytes: int | None = None if one.memory is None else getattr(one.memory, field)
            if one.memory is not None and found_bytes is not None:
                yield sample(name, whose, found_bytes, one.memory.timestamp)


def sample(name: str, whose: str, value: float, nanoseconds: int) -> str:
    """A line of a metric."""
    return f"{name}{whose} {value} {nanoseconds // 10**6}"


def labels(one: ContainerStats) -> str:
    """The labels of a container."""
    said = one.attributes.labels if one.attributes is not None else {}
    words = (("container", _CONTAINER), ("namespace", _NAMESPACE), ("pod", _NAME))
    return "{" + ",".join(f'{name}="{_quoted(said.get(label, ""))}"' for name, label in words) + "}"


def pod_labels(one: PodSandboxStats) -> str:
    """The labels of a Pod."""
    metadata = one.attributes.metadata if one.attributes is not None else None
    namespace, name = (metadata.namespace, metadata.name) if metadata is not None else ("", "")
    return f'{{namespace="{_quoted(namespace)}",pod="{_quoted(name)}"}}'


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def text_of(lines: list[str]) -> web.Response:
    """The answer of these lines."""
    body = "\n".join([*lines, ""]) if lines else ""
    return web.Response(body=body.encode(), headers={"Content-Type": _TEXT})


def containers_of(sandbox: PodSandboxStats) -> tuple[ContainerStats, ...]:
    """The figures of the containers of a Pod."""
    return sandbox.linux.containers if sandbox.linux is not None else ()


# --- JSON -------------------------------------------------------------------------------------------------------------


def _pod_summary(sandbox: PodSandboxStats) -> JsonObject:
    attributes = sandbox.attributes
    metadata = attributes.metadata if attributes is not None else None
    containers: list[Json] = [_container_summary(each) for each in containers_of(sandbox)]
    found: JsonObject = {
        "podRef": {
            "name": metadata.name if metadata is not None else "",
            "namespace": metadata.namespace if metadata is not None else "",
            "uid": metadata.uid if metadata is not None else "",
        },
        "containers": containers,
    }
    if sandbox.linux is not None:
        found.update(_usage(sandbox.linux.cpu, sandbox.linux.memory))
    return found


def _container_summary(one: ContainerStats) -> JsonObject:
    labels = one.attributes.labels if one.attributes is not None else {}
    return {"name": labels.get(_CONTAINER, ""), **_usage(one.cpu, one.memory)}


def _usage(cpu: CpuUsage | None, memory: MemoryUsage | None) -> JsonObject:
    found: JsonObject = {}
    if cpu is not None:
        said = {"usageNanoCores": cpu.usage_nano_cores, "usageCoreNanoSeconds": cpu.usage_core_nano_seconds}
        found["cpu"] = {"time": _moment(cpu.timestamp), **_known(said)}
    if memory is not None:
        said = {
            "availableBytes": memory.available_bytes,
            "usageBytes": memory.usage_bytes,
            "workingSetBytes": memory.working_set_bytes,
            "rssBytes": memory.rss_bytes,
            "pageFaults": memory.page_faults,
            "majorPageFaults": memory.major_page_faults,
        }
        found["memory"] = {"time": _moment(memory.timestamp), **_known(said)}
    return found


def _known(said: dict[str, int | None]) -> JsonObject:
    return {name: value for name, value in said.items() if value is not None}


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // NANO, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- the machine ------------------------------------------------------------------------------------------------------


def node_cpu() -> int:
    """The time that the machine's processors were busy, in nanoseconds."""
    with open("/proc/stat", encoding="ascii") as file:
        words = file.readline().split()[1:]
    user, nice, system, _idle, _waiting, irq, soft, steal = map(int, words[:8])
    return (user + nice + system + irq + soft + steal) * NANO // _TICKS


def node_memory() -> dict[str, int]:
    """What the machine says of its memory, in bytes."""
    with open("/proc/meminfo", encoding="ascii") as file:
        pairs = (line.split(":") for line in file)
        return {name: int(rest.split()[0]) * _KIB for name, rest in pairs}


def _boot() -> int:
    """When the machine was started, in seconds since 1970."""
    with open("/proc/stat", encoding="ascii") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("btime")), 0)
