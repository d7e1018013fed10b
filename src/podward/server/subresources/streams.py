"""Streams of Pods (log, exec, attach, portforward) and proxies (of Pods, Services, nodes): passed on to who has them.

Specification: Kubernetes, pkg/registry/core/pod/rest, k8s.io/apiserver, pkg/registry/generic/rest (how a node's refusal
of a log is told). Who opens a stream with GET must be allowed to create it as well.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeAlias

from msgspec import structs

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.authorization import Opinion
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_KIND
from podward.schema.validation.raw import text
from podward.server import first_objects
from podward.server.catalog import key_of, prefix_of
from podward.server.chain import attributes_of
from podward.server.encoding import decoded
from podward.server.proxying import passing, sockets, upgrading
from podward.server.proxying.nodes import NodeAddress
from podward.server.proxying.rewriting import Rewriting
from podward.server.proxying.target import Target
from podward.server.request import Answer, Reply, Request, Stream, Taken
from podward.server.scope import Parts, Scope
from podward.server.subresources import connecting, locations
from podward.server.webhooks.client import limited_body

_PODS, _NODES = BY_KIND["v1", "Pod"], BY_KIND["v1", "Node"]
_SERVICES, _ENDPOINTS = BY_KIND["v1", "Service"], BY_KIND["v1", "Endpoints"]
_SLICES = BY_KIND["discovery.k8s.io/v1", "EndpointSlice"]
_OF_SERVICE = "kubernetes.io/service-name"
_LONGEST_REFUSAL = 50000
_PORTS = {"http": 80, "": 80, "https": 443}

Handle: TypeAlias = Callable[[Scope, Request], Awaitable[Answer]]


async def handle(scope: Scope, request: Request) -> Answer:
    """Pass the request on, where it may be and leads somewhere."""
    part = request.info.subresource
    if part == "log":
        return await _log(scope, request)
    if (refused := await connecting.refused(scope, request)) is not None:
        return refused
    if part != "proxy":
        return await _stream(scope, request)
    return await _PROXIES[scope.resource.plural](scope, request)


# --- streams of Pods --------------------------------------------------------------------------------------------------


async def _log(scope: Scope, request: Request) -> Answer:
    name, query = request.info.name, request.query
    if unread := locations.unread_log_option(query):
        return status.bad_request(unread)
    if faults := locations.log_faults(query):
        return status.invalid_for("PodLogOptions", "", name, faults)
    pod = await _pod(scope, request)
    if isinstance(pod, Status):
        return pod
    container = locations.container_of(pod, locations.first(query, "container"))
    if isinstance(container, Status):
        return container
    if not text(member(pod, "spec"), "nodeName"):
        return Reply(204, b"", "")
    node = await _node_of(scope.parts, pod)
    if isinstance(node, Status):
        return node
    reaching = scope.parts.reaching
    unverified = locations.flag(query, "insecureSkipTLSVerifyBackend")
    target = Target(
        node.host, node.port, _place("containerLogs", pod, container), locations.log_query(query),
        reaching.nodes.unverified if unverified and reaching.nodes is not None else reaching.node_tls,
    )  # fmt: skip
    found = await reaching.passing.answer(target, "GET", [])
    if isinstance(found, str):
        return status.unexplained(f"Get {quote(target.url)}: {found}")
    if found.status >= 300:
        body = await limited_body(found, _LONGEST_REFUSAL)
        return _refused_log(name, found.status, (body or b"").decode(errors="replace"))
    pieces = passing.pieces_of(found)
    if upgrading.wants_socket(request):
        return Taken(partial(sockets.told, pieces=pieces))
    return Stream(pieces, media="text/plain", patient=True)


def _refused_log(name: str, code: int, said: str) -> Status:
    if code == 500:
        return status.internal_error(said)
    if code == 400:
        return status.bad_request(said)
    if code == 404:
        return Status(404, "NotFound", f"the server could not find the requested resource ( pods/log {name})")
    return Status(code, "", f"the server responded with the status code {code} but did not return more information")


async def _stream(scope: Scope, request: Request) -> Answer:
    """Exec, attach and portforward."""
    part, query = request.info.subresource, request.query
    if (refused := await _uncreatable(scope, request)) is not None:
        return refused
    if part == "portforward" and (unread := locations.unread_port(query)):
        return status.bad_request(unread)
    pod = await _pod(scope, request)
    if isinstance(pod, Status):
        return pod
    named = "" if part == "portforward" else locations.container_of(pod, locations.first(query, "container"))
    if isinstance(named, Status):
        return named
    if not text(member(pod, "spec"), "nodeName"):
        return status.bad_request(f"pod {request.info.name} does not have a host assigned")
    node = await _node_of(scope.parts, pod)
    if isinstance(node, Status):
        return node
    if not upgrading.wants(request):
        return status.bad_request("Upgrade request required")
    path = _place("portForward" if part == "portforward" else part, pod, named)
    asked = locations.ports_query(query) if part == "portforward" else locations.command_query(query)
    target = Target(node.host, node.port, path, asked, scope.parts.reaching.node_tls)
    streams = None if part == "portforward" else locations.asked_streams(query)
    translated = None if node.translates else upgrading.translated(target, request, streams)
    return translated or await upgrading.passed(target, request)


async def _uncreatable(scope: Scope, request: Request) -> Status | None:
    """Why who may get a stream may not create it: browsers open WebSockets with GET."""
    if request.info.verb == "create":
        return None
    wanted = structs.replace(attributes_of(request), verb="create")
    answer = await scope.parts.authorizer.authorize(wanted)
    if answer.opinion is Opinion.ALLOW:
        return None
    return status.forbidden(scope.group_resource, request.info.name, answer.reason)


def _place(kind: str, pod: JsonObject, container: str = "") -> str:
    metadata = member(pod, "metadata")
    found = f"/{kind}/{text(metadata, 'namespace')}/{text(metadata, 'name')}"
    return f"{found}/{container}" if container else found


async def _node_of(parts: Parts, pod: JsonObject) -> NodeAddress | Status:
    name = text(member(pod, "spec"), "nodeName")
    found = await node_address(parts, name)
    missing = isinstance(found, Status) and found.code == 404
    return status.not_found(GroupResource("", "pods"), name) if missing else found  # as the real server words it


async def node_address(parts: Parts, name: str) -> NodeAddress | Status:
    """Where a node is reached."""
    stored = await parts.store.get(key_of(_NODES, "", name))
    if stored is None:
        return status.not_found(GroupResource("", "nodes"), name)
    nodes = parts.reaching.nodes
    if nodes is None:
        return status.service_unavailable("no node can be reached")
    if nodes.user and not nodes.is_bound:  # nodes ask whether we may: a server without nodes has no such binding
        await first_objects.make_missing(parts, first_objects.node_access(nodes.user))
        nodes.is_bound = True
    return nodes.address_of(decoded(stored))


async def _pod(scope: Scope, request: Request) -> JsonObject | Status:
    found = await _stored(scope.parts, _PODS, request.info.namespace, request.info.name)
    return status.not_found(GroupResource("", "pods"), request.info.name) if found is None else found


async def _stored(parts: Parts, resource: Resource, namespace: str, name: str) -> JsonObject | None:
    stored = await parts.store.get(key_of(resource, namespace, name))
    return None if stored is None else decoded(stored)


# --- proxies ----------------------------------------------------------------------------------------------------------


async def _pods_proxy(scope: Scope, request: Request) -> Answer:
    wanted = locations.named(request.info.name, "pod")
    if isinstance(wanted, Status):
        return wanted
    pod = await _stored(scope.parts, _PODS, request.info.namespace, wanted.name)
    if pod is None:
        return status.not_found(GroupResource("", "pods"), wanted.name)
    found = locations.address_of(pod, wanted.port)
    if isinstance(found, Status):
        return found
    address, port = found
    return await _proxied(scope, request, wanted.scheme, address, port or _PORTS[wanted.scheme])


async def _services_proxy(scope: Scope, request: Request) -> Answer:
    namespace, parts = request.info.namespace, scope.parts
    wanted = locations.named(request.info.name, "service")
    if isinstance(wanted, Status):
        return wanted
    service = await _stored(parts, _SERVICES, namespace, wanted.name)
    if service is None:
        return status.not_found(GroupResource("", "services"), wanted.name)
    port = locations.service_port(service, wanted.port)
    if port is None:
        return status.service_unavailable(f'no service port {wanted.port} found for service "{wanted.name}"')
    found = await _behind(parts, namespace, wanted.name, port)
    if found is None:
        return status.not_found(GroupResource("", "services"), wanted.name)
    random.shuffle(found)
    for each in found:
        pod = await _stored(parts, _PODS, namespace, each.pod) if each.namespace == namespace else None
        if pod is not None and locations.has_address(pod, each.address) and locations.is_ordinary(each.address):
            return await _proxied(scope, request, wanted.scheme, each.address, each.port)
    return status.service_unavailable(f'no endpoints available for service "{request.info.name}"')


async def _behind(parts: Parts, namespace: str, name: str, port: str) -> list[locations.Behind] | None:
    """What is behind a port of a Service; None where nobody has said yet what is behind the Service."""
    endpoints = await _stored(parts, _ENDPOINTS, namespace, name)
    cache = parts.caches.of(prefix_of(_SLICES))
    await cache.fresh()
    items = cache.items(prefix_of(_SLICES, namespace))
    slices = [decoded(item.stored) for item in items if item.labels.get(_OF_SERVICE) == name]
    if endpoints is None and not slices:
        return None
    return locations.behind(objects(endpoints or {}, "subsets"), slices, port)


async def _nodes_proxy(scope: Scope, request: Request) -> Answer:
    wanted = locations.named(request.info.name, "node")
    if isinstance(wanted, Status):
        return wanted
    node = await node_address(scope.parts, wanted.name)
    if isinstance(node, Status):
        return node
    if not locations.is_ordinary(node.host):
        return status.bad_request("address not allowed")
    if wanted.port in {"", str(node.port)}:
        return await _proxied(scope, request, "node", node.host, node.port)
    if not (wanted.port.isascii() and wanted.port.isdecimal() and 0 < int(wanted.port) < 1 << 16):
        return status.service_unavailable(f"error trying to reach service: unknown port tcp/{wanted.port}")
    return await _proxied(scope, request, wanted.scheme, node.host, int(wanted.port))


_PROXIES: Mapping[str, Handle] = {"pods": _pods_proxy, "services": _services_proxy, "nodes": _nodes_proxy}


async def _proxied(scope: Scope, request: Request, scheme: str, host: str, port: int) -> Answer:
    """Pass a request on to a server of any kind; `scheme` is HTTP's, or `node` for a node's own."""
    reaching = scope.parts.reaching
    tls = {"node": reaching.node_tls, "https": reaching.foreign}.get(scheme)
    path, _, query = request.target.partition("?")
    rest = "/".join(request.info.parts[3:])
    inner = f"/{rest}" if rest else ""
    if request.path.endswith("/") and not inner.endswith("/"):
        inner += "/"
    target = Target(host, port, inner, query, tls)
    if upgrading.wants(request):
        return await upgrading.passed(target, request)
    if not inner and request.method in {"GET", "HEAD"}:
        return Reply(301, b"", "", (("Location", f"{path}/{f'?{query}' if query else ''}"),))
    prefix = request.path.removesuffix(inner)
    return await reaching.passing.passed(
        target, request, Rewriting(prefix, target.place, request.headers.get("Host", ""))
    )
