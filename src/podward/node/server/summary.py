"""/stats/summary: what the node and its Pods use, as JSON.

Specification: Kubernetes, staging k8s.io/kubelet pkg/apis/stats/v1alpha1 and pkg/kubelet/stats, of what the machine and
the runtime tell: of logs, volumes and pressure nothing is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from aiohttp import web

from podward.api.cri_stats import ContainerStats, CpuUsage, MemoryUsage, NetworkUsage, PodSandboxStats, SwapUsage
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.node.server.figures import CONTAINER, containers_of
from podward.node.server.host import Host
from podward.node.server.machine_figures import moment
from podward.policy.kubelet import container_rows

_IN_USE = ("usedBytes", "inodesUsed")


async def summary(host: Host, _request: web.Request) -> web.Response:
    """Answer with it."""
    whole = {name: amount for name, amount in host.machine.disk().items() if name not in _IN_USE}
    pods: list[Json] = [*of(await host.figures(), host.pods(), whole)]
    node = {"nodeName": host.name, **host.machine.summary()}
    return web.Response(body=msgspec.json.encode({"node": node, "pods": pods}), content_type="application/json")


def of(found: Sequence[PodSandboxStats], pods: Sequence[JsonObject], disk: JsonObject) -> Iterator[JsonObject]:
    """The Pods; `disk` is the file system that holds what they write."""
    known = {str(member(pod, "metadata").get("uid")): pod for pod in pods}
    for sandbox in found:
        metadata = sandbox.attributes.metadata if sandbox.attributes is not None else None
        if metadata is None:
            continue
        told: JsonObject = {
            "podRef": {"name": metadata.name, "namespace": metadata.namespace, "uid": metadata.uid},
        }
        pod = known.get(metadata.uid, {})
        if since := member(pod, "status").get("startTime"):
            told["startTime"] = since
        began = {container_rows.id_of(row): container_rows.since(row) for row in container_rows.running(pod)}
        containers: list[Json] = [_container(one, began, disk) for one in containers_of(sandbox)]
        yield {**told, "containers": containers, **_pod(sandbox)}


def _pod(sandbox: PodSandboxStats) -> JsonObject:
    linux = sandbox.linux
    if linux is None:
        return {}
    told = {**_cpu(linux.cpu), **_memory(linux.memory), **_network(linux.network)}
    if linux.process is not None and linux.process.process_count is not None:
        told["process_stats"] = {"process_count": linux.process.process_count}
    swaps = [one.swap for one in linux.containers if one.swap is not None]
    if swaps:
        used = sum(swap.swap_usage_bytes or 0 for swap in swaps)
        told["swap"] = {"time": moment(swaps[0].timestamp), "swapUsageBytes": used}
    return told


def _container(one: ContainerStats, began: Mapping[str, str], disk: JsonObject) -> JsonObject:
    attributes = one.attributes
    told: JsonObject = {"name": attributes.labels.get(CONTAINER, "") if attributes is not None else ""}
    if attributes is not None and (since := began.get(attributes.id)):
        told["startTime"] = since
    told |= {**_cpu(one.cpu), **_memory(one.memory), **_swap(one.swap)}
    layer = one.writable_layer
    if layer is not None:
        used = _known({"usedBytes": layer.used_bytes, "inodesUsed": layer.inodes_used})
        told["rootfs"] = {"time": moment(layer.timestamp), **disk, **used}
    return told


def _cpu(cpu: CpuUsage | None) -> JsonObject:
    if cpu is None:
        return {}
    said = {"usageNanoCores": cpu.usage_nano_cores, "usageCoreNanoSeconds": cpu.usage_core_nano_seconds}
    return {"cpu": {"time": moment(cpu.timestamp), **_known(said)}}


def _memory(memory: MemoryUsage | None) -> JsonObject:
    if memory is None:
        return {}
    said = {
        "availableBytes": memory.available_bytes,
        "usageBytes": memory.usage_bytes,
        "workingSetBytes": memory.working_set_bytes,
        "rssBytes": memory.rss_bytes,
        "pageFaults": memory.page_faults,
        "majorPageFaults": memory.major_page_faults,
    }
    return {"memory": {"time": moment(memory.timestamp), **_known(said)}}


def _swap(swap: SwapUsage | None) -> JsonObject:
    if swap is None:
        return {}
    said = {"swapAvailableBytes": swap.swap_available_bytes, "swapUsageBytes": swap.swap_usage_bytes}
    return {"swap": {"time": moment(swap.timestamp), **_known(said)}}


def _network(network: NetworkUsage | None) -> JsonObject:
    if network is None:
        return {}
    listed = (network.default_interface, *network.interfaces)
    rows: list[Json] = [
        {
            "name": row.name,
            **_known({"rxBytes": row.rx_bytes, "rxErrors": row.rx_errors}),
            **_known({"txBytes": row.tx_bytes, "txErrors": row.tx_errors}),
        }
        for row in listed
        if row is not None
    ]
    own = rows[0] if network.default_interface is not None else None
    first = own if isinstance(own, dict) else {}
    return {"network": {"time": moment(network.timestamp), **first, "interfaces": rows}}


def _known(said: dict[str, int | None]) -> JsonObject:
    return {name: value for name, value in said.items() if value is not None}
