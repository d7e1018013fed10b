"""/metrics/resource: what `kubectl top` and autoscalers are computed from.

Specification: Kubernetes, pkg/kubelet/metrics/collectors/resource_metrics.go: families in the order of their names,
none without a sample. Of swap is told what the runtime tells.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from aiohttp import web
from msgspec import Struct, field

from podward.api.cri_stats import ContainerStats, PodSandboxStats, SwapUsage
from podward.api.json_value import JsonObject
from podward.node.server import figures, machine_figures
from podward.node.server.figures import containers_of, labels, pod_labels, sample
from podward.node.server.host import Host
from podward.node.server.machine_figures import NANO
from podward.policy.kubelet import container_rows
from podward.schema import moments

_SWAP = "Reported only on non-windows systems"


class _Family(Struct):
    """A metric; `rows` are its samples."""

    about: str
    kind: str = "gauge"
    stability: str = "STABLE"
    rows: list[str] = field(default_factory=list)


def _families() -> dict[str, _Family]:
    cpu, memory = "Cumulative cpu time consumed by the {} in core-seconds", "Current working set of the {} in bytes"
    made = {}
    for of in ("container", "node", "pod"):
        made[f"{of}_cpu_usage_seconds_total"] = _Family(cpu.format(of), "counter")
        made[f"{of}_memory_working_set_bytes"] = _Family(memory.format(of))
    swap = "Current amount of the {} swap usage in bytes. "
    limit = "Current amount of the container swap limit in bytes. "
    made["container_start_time_seconds"] = _Family("Start time of the container since unix epoch in seconds")
    made["container_swap_usage_bytes"] = _Family(swap.format("container") + _SWAP, stability="ALPHA")
    made["container_swap_limit_bytes"] = _Family(limit + _SWAP, stability="ALPHA")
    made["pod_swap_usage_bytes"] = _Family(swap.format("pod") + _SWAP, stability="ALPHA")
    made["node_swap_usage_bytes"] = _Family(f"Current swap usage of the node in bytes. {_SWAP}", stability="ALPHA")
    error = "1 if there was an error while getting container metrics, 0 otherwise"
    made["resource_scrape_error"] = _Family(error)
    return dict(sorted(made.items()))


async def resource_metrics(host: Host, _request: web.Request) -> web.Response:
    """Answer with them."""
    return figures.text_of([*of(await host.figures(), host.pods())])


def of(found: Sequence[PodSandboxStats], pods: Sequence[JsonObject]) -> Iterator[str]:
    """The lines, of what Pods use and when their containers began."""
    made, began = _families(), dict(_starts(pods))
    for sandbox in found:
        _tell_pod(made, sandbox)
        for one in containers_of(sandbox):
            _tell_container(made, one, began)
    _tell_node(made)
    made["resource_scrape_error"].rows.append("resource_scrape_error 0")
    for name, family in made.items():
        if family.rows:
            yield f"# HELP {name} [{family.stability}] {family.about}"
            yield f"# TYPE {name} {family.kind}"
            yield from family.rows


def _tell_container(made: dict[str, _Family], one: ContainerStats, began: dict[str, float]) -> None:
    def tell(name: str, value: float, moment: int) -> None:
        made[f"container_{name}"].rows.append(sample(f"container_{name}", labels(one), value, moment))

    if one.cpu is not None and one.cpu.usage_core_nano_seconds is not None:
        tell("cpu_usage_seconds_total", one.cpu.usage_core_nano_seconds / NANO, one.cpu.timestamp)
    if one.memory is not None and one.memory.working_set_bytes is not None:
        tell("memory_working_set_bytes", one.memory.working_set_bytes, one.memory.timestamp)
    if one.swap is not None and one.swap.swap_usage_bytes is not None:
        tell("swap_usage_bytes", one.swap.swap_usage_bytes, one.swap.timestamp)
        limit = one.swap.swap_usage_bytes + (one.swap.swap_available_bytes or 0)
        tell("swap_limit_bytes", limit, one.swap.timestamp)
    since = began.get(one.attributes.id if one.attributes is not None else "")
    if since is not None:
        name = "container_start_time_seconds"
        made[name].rows.append(f"{name}{labels(one)} {since}")


def _tell_pod(made: dict[str, _Family], sandbox: PodSandboxStats) -> None:
    def tell(name: str, value: float, moment: int) -> None:
        made[f"pod_{name}"].rows.append(sample(f"pod_{name}", pod_labels(sandbox), value, moment))

    linux = sandbox.linux
    if linux is None:
        return
    if linux.cpu is not None and linux.cpu.usage_core_nano_seconds is not None:
        tell("cpu_usage_seconds_total", linux.cpu.usage_core_nano_seconds / NANO, linux.cpu.timestamp)
    if linux.memory is not None and linux.memory.working_set_bytes is not None:
        tell("memory_working_set_bytes", linux.memory.working_set_bytes, linux.memory.timestamp)
    swaps = [one.swap for one in linux.containers if one.swap is not None]
    if swaps:
        tell("swap_usage_bytes", sum(map(_used, swaps)), swaps[0].timestamp)


def _used(swap: SwapUsage) -> int:
    return swap.swap_usage_bytes or 0


def _tell_node(made: dict[str, _Family]) -> None:
    now, memory = time.time_ns(), machine_figures.node_memory()
    told = {
        "node_cpu_usage_seconds_total": machine_figures.node_cpu() / NANO,
        "node_memory_working_set_bytes": memory["MemTotal"] - memory["MemAvailable"],
        "node_swap_usage_bytes": memory.get("SwapTotal", 0) - memory.get("SwapFree", 0),
    }
    for name, value in told.items():
        made[name].rows.append(sample(name, "", value, now))


def _starts(pods: Sequence[JsonObject]) -> Iterator[tuple[str, float]]:
    """When each container that runs has begun, by its id."""
    for row in (row for pod in pods for row in container_rows.running(pod)):
        if since := container_rows.since(row):
            yield container_rows.id_of(row), moments.seconds(since)
