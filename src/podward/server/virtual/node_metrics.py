"""GET of `nodes` and `pods` of metrics.k8s.io/v1beta1: what `kubectl top` shows.

Specification: Kubernetes, k8s.io/metrics, and metrics-server, pkg/api: objects have labels of the Node or Pod, which
selectors look at; Pods that do not run, and those of which nothing is known yet, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from podward.api import status
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.query_selectors import FieldSelector, LabelSelector
from podward.schema.resources import BY_KIND, resources_of
from podward.schema.validation.raw import text
from podward.server.cache import Item
from podward.server.catalog import prefix_of
from podward.server.encoding import decoded
from podward.server.node_metrics import Key, Usage
from podward.server.options import ListOptions, list_options
from podward.server.proxying.nodes import NodeAddress
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.subresources.streams import node_address

_PODS, _NODES = BY_KIND["v1", "Pod"], BY_KIND["v1", "Node"]
API_VERSION = "metrics.k8s.io/v1beta1"
RESOURCES = resources_of(
    API_VERSION,
    """
    nodes NodeMetrics -- get,list
    pods  PodMetrics  ns get,list""",
)


async def handle(scope: Scope, request: Request) -> Answer:
    """One object, or all that are selected. Nobody follows them: they are looked at when somebody asks."""
    if request.info.verb == "watch":
        return status.method_not_supported(scope.group_resource, "watch")
    options = ListOptions() if request.info.verb == "get" else list_options(request.query)
    if isinstance(options, Status):
        return options
    of = _PODS if scope.resource.kind == "PodMetrics" else _NODES
    cache = scope.parts.caches.of(prefix_of(of))
    await cache.fresh()
    items = cache.items(prefix_of(of, request.info.namespace if of is _PODS else ""))
    chosen = [decoded(each.stored) for each in items if _is_chosen(each, options, request.info.name)]
    found = await (_pods(scope, chosen) if of is _PODS else _nodes(scope, chosen))
    if request.info.verb == "get":
        return document_reply(request, 200, found[0]) if found else status.not_found(
            scope.group_resource, request.info.name
        )  # fmt: skip
    listed: list[Json] = [*found]
    kind: JsonObject = {"kind": scope.resource.list_kind, "apiVersion": API_VERSION, "metadata": {}}
    return document_reply(request, 200, {**kind, "items": listed})


def _is_chosen(item: Item, options: ListOptions, name: str) -> bool:
    labels: LabelSelector = options.labels
    fields: FieldSelector = options.fields
    metadata = member(decoded(item.stored), "metadata")
    if name and text(metadata, "name") != name:
        return False
    return labels.matches(item.labels) and fields.matches(
        lambda field: text(metadata, field.removeprefix("metadata.")) if field.startswith("metadata.") else ""
    )


async def _nodes(scope: Scope, nodes: Sequence[JsonObject]) -> list[JsonObject]:
    usages = await _usages(scope, [text(member(each, "metadata"), "name") for each in nodes])
    found = []
    for node in nodes:
        usage = usages.get(text(member(node, "metadata"), "name"), {}).get(("", "", ""))
        if usage is not None:
            found.append({**_head("NodeMetrics", node, usage), "usage": usage.quantities()})
    return found


async def _pods(scope: Scope, pods: Sequence[JsonObject]) -> list[JsonObject]:
    running = [pod for pod in pods if text(member(pod, "status"), "phase") == "Running"]
    usages = await _usages(scope, [text(member(pod, "spec"), "nodeName") for pod in running])
    found = []
    for pod in running:
        at_node = usages.get(text(member(pod, "spec"), "nodeName"), {})
        known = _of_pod(pod, at_node)
        if known:
            containers: list[Json] = [{"name": name, "usage": usage.quantities()} for name, usage in known.items()]
            oldest = min(known.values(), key=lambda usage: usage.at)
            found.append({**_head("PodMetrics", pod, oldest), "containers": containers})
    return found


def _of_pod(pod: JsonObject, at_node: Mapping[Key, Usage]) -> dict[str, Usage]:
    metadata, spec = member(pod, "metadata"), member(pod, "spec")
    namespace, name = text(metadata, "namespace"), text(metadata, "name")
    kinds = ("containers", "initContainers", "ephemeralContainers")
    containers = [text(each, "name") for kind in kinds for each in objects(spec, kind)]
    found = {container: at_node.get((namespace, name, container)) for container in containers}
    return {container: usage for container, usage in found.items() if usage is not None}


async def _usages(scope: Scope, names: Sequence[str]) -> Mapping[str, Mapping[Key, Usage]]:
    addresses: dict[str, NodeAddress] = {}
    for name in dict.fromkeys(names):
        address = await node_address(scope.parts, name)
        if not isinstance(address, Status):
            addresses[name] = address
    return await scope.parts.reaching.metrics.of(addresses)


def _head(kind: str, of: JsonObject, usage: Usage) -> JsonObject:
    metadata = member(of, "metadata")
    kept: JsonObject = {name: metadata[name] for name in ("name", "namespace", "labels") if metadata.get(name)}
    at = datetime.fromtimestamp(usage.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "kind": kind,
        "apiVersion": API_VERSION,
        "metadata": {**kept, "creationTimestamp": at},
        "timestamp": at,
        "window": f"{usage.window:.3f}s",
    }
