"""What a node and its Pods use: /metrics/cadvisor, /metrics.

Of cAdvisor's metrics there are those that dashboards of containers read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiohttp import web

from podward.api.cri_stats import ContainerStats, PodSandboxStats
from podward.documents.raw_fields import member
from podward.node.server.host import Host
from podward.node.server.machine_figures import NANO
from podward.schema.validation.raw import text

_NAME, _NAMESPACE = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"
CONTAINER = "io.kubernetes.container.name"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


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
    words = (("container", CONTAINER), ("namespace", _NAMESPACE), ("pod", _NAME))
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
