"""All that is served: every verb of every resource, and every path that is none of a resource.

What is served is looked up by the same `RequestInfo` that was authorized. Security tests are made from these tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import TypeAlias, cast

from msgspec import Struct

from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gotext import quote
from podward.api.resource import Resource
from podward.api.status import Status
from podward.schema.strategies.names import segment_faults
from podward.server.negotiation import PRODUCED, STREAMED, accepted
from podward.server.request import Answer, Reply, Request
from podward.server.request_info import RequestInfo
from podward.server.scope import Parts, Scope

Handle: TypeAlias = Callable[[Scope, Request], Awaitable[Answer]]
"""Serves a verb of a resource."""

_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_UNLISTED = frozenset(("update", "patch"))
"""What custom objects still take when their definition is going, though discovery no longer says so: finalizers go."""
_PART = {**_OBJECT, "POST": "create"}
_PROXIED = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_STREAMS = "podward.server.subresources.streams"
"""What is passed on, whose form and methods are for others to say."""
_NAMESPACES_THEMSELVES = frozenset((("", "namespaces"), ("project.openshift.io", "projects")))
"""Resources whose objects are namespaces: they are authorized as what is in them."""

VERBS: Mapping[str, str] = {
    "create": "podward.server.verbs.create",
    "get": "podward.server.verbs.get",
    "list": "podward.server.verbs.list",
    "watch": "podward.server.verbs.watch",
    "update": "podward.server.verbs.update",
    "patch": "podward.server.verbs.patch",
    "delete": "podward.server.verbs.delete",
    "deletecollection": "podward.server.verbs.deletecollection",
}
"""The module of each verb, which has a `handle`; each is imported when it is first asked for."""

SUBRESOURCES: Mapping[tuple[str, str], str] = {
    ("pods", "binding"): "podward.server.subresources.binding",
    ("pods", "eviction"): "podward.server.subresources.eviction",
    ("serviceaccounts", "token"): "podward.server.subresources.token",
    ("pods", "log"): _STREAMS,
    ("deploymentconfigs", "instantiate"): "podward.server.openshift.instantiate",
    ("deploymentconfigs", "rollback"): "podward.server.openshift.rollback",
    ("deploymentconfigs", "log"): "podward.server.openshift.deployment_logs",
    ("*", "scale"): "podward.server.subresources.scale",
}
"""Subresources of another kind than their object: the module of each, by plural and name."""

VIRTUAL: Mapping[str, str] = {
    "bindings": "podward.server.virtual.bindings",
    "componentstatuses": "podward.server.virtual.componentstatuses",
    "selfsubjectreviews": "podward.server.virtual.reviews",
    "tokenreviews": "podward.server.virtual.reviews",
    "subjectaccessreviews": "podward.server.virtual.reviews",
    "localsubjectaccessreviews": "podward.server.virtual.reviews",
    "selfsubjectaccessreviews": "podward.server.virtual.reviews",
    "selfsubjectrulesreviews": "podward.server.virtual.reviews",
    "localresourceaccessreviews": "podward.server.openshift.access_reviews",
    "resourceaccessreviews": "podward.server.openshift.access_reviews",
    "localsubjectaccessreviews.authorization.openshift.io": "podward.server.openshift.access_reviews",
    "subjectaccessreviews.authorization.openshift.io": "podward.server.openshift.access_reviews",
    "projects": "podward.server.openshift.projects",
    "projectrequests": "podward.server.openshift.project_requests",
    "users": "podward.server.openshift.users",
    "groups": "podward.server.openshift.users",
    "podsecuritypolicyreviews": "podward.server.openshift.pod_reviews",
    "podsecuritypolicyselfsubjectreviews": "podward.server.openshift.pod_reviews",
    "podsecuritypolicysubjectreviews": "podward.server.openshift.pod_reviews",
    "nodes.metrics.k8s.io": "podward.server.virtual.node_metrics",
    "pods.metrics.k8s.io": "podward.server.virtual.node_metrics",
}
"""Resources that are not stored: the module of each, by plural, with the group where others are called so, too."""


NOT_FOUND = Reply(404, b"404 page not found\n", "text/plain; charset=utf-8", (("X-Content-Type-Options", "nosniff"),))
"""The answer where nothing is served at all."""


class Route(Struct, frozen=True):
    """Who serves a request."""

    resource: Resource
    subresource: str
    module: str


def route_of(parts: Parts, request: Request) -> Route | Status:
    """Who serves a request to a resource, or why nobody does."""
    info = request.info
    resource = parts.catalog.find(info.group, info.version, info.resource)
    if resource is None or not _well_formed(info, resource):
        return status.RESOURCE_NOT_FOUND
    if info.by_prefix:
        if info.verb != "watch":  # who may `proxy` may not watch for it
            return status.RESOURCE_NOT_FOUND
        verb = "watch" if request.method == "GET" else ""
        return Route(resource, "", VERBS[verb]) if verb in resource.verbs else status.METHOD_NOT_ALLOWED
    named = len(info.parts) > 1
    if info.subresource:
        is_custom = parts.catalog.custom(resource) is not None
        return (_part_of_custom if is_custom else _part)(info, resource, request.method)
    verb = (_OBJECT if named else _COLLECTION).get(request.method, "")
    if resource.namespaced and not info.namespace and verb not in {"list", "watch"}:
        return status.METHOD_NOT_ALLOWED if not named else status.RESOURCE_NOT_FOUND
    if verb not in resource.verbs and not (verb in _UNLISTED and parts.catalog.custom(resource) is not None):
        return status.METHOD_NOT_ALLOWED
    virtual = VIRTUAL.get(resource.qualified) or VIRTUAL.get(resource.plural)
    if virtual is not None and parts.catalog.custom(resource) is None:
        return Route(resource, "", virtual)
    return Route(resource, "", VERBS["watch" if info.verb == "watch" else verb])


def _well_formed(info: RequestInfo, resource: Resource) -> bool:
    """Whether the path is one of this resource's: no empty segment, a namespace where one belongs."""
    trimmed = info.path[1:].removesuffix("/")
    if not info.path.startswith("/") or "" in trimmed.split("/"):
        return False
    if len(info.parts) > 2 and not info.subresource:
        return False
    own_namespace = (resource.group, resource.plural) in _NAMESPACES_THEMSELVES and info.namespace == info.name
    return resource.namespaced or not info.namespace or own_namespace


def _part_of_custom(info: RequestInfo, resource: Resource, method: str) -> Route | Status:
    """Who serves a subresource of a custom resource: what is not served is told of the resource."""
    of = GroupResource(resource.group, resource.plural)
    if resource.subresource(info.subresource) is None:
        return status.not_found(of, info.name)
    found = _part(info, resource, method)
    return status.method_not_supported(of, info.verb) if found is status.METHOD_NOT_ALLOWED else found


def _part(info: RequestInfo, resource: Resource, method: str) -> Route | Status:
    """Who serves a subresource."""
    part = resource.subresource(info.subresource)
    if part is None or (len(info.parts) > 3 and part.name != "proxy"):
        return status.RESOURCE_NOT_FOUND
    if resource.namespaced and not info.namespace:
        return status.RESOURCE_NOT_FOUND
    verb = _PART.get(method, "")
    if part.name == "proxy":
        return Route(resource, part.name, _STREAMS) if method in _PROXIED else status.METHOD_NOT_ALLOWED
    if verb not in part.verbs:
        return status.METHOD_NOT_ALLOWED
    own = SUBRESOURCES.get((resource.plural, part.name)) or SUBRESOURCES.get(("*", part.name))
    if own is not None:
        return Route(resource, part.name, own)
    if part.kind != resource.kind:
        return Route(resource, part.name, _STREAMS)
    return Route(resource, part.name, VERBS[verb])


_handles: dict[str, Handle] = {}


async def serve(parts: Parts, request: Request) -> Answer:
    """Serve a request to a resource. It is authorized."""
    route = route_of(parts, request)
    if isinstance(route, Status):
        unknown = route is status.RESOURCE_NOT_FOUND and not parts.catalog.has_own_group(request.info.group)
        return NOT_FOUND if unknown else route
    if route.module != _STREAMS:
        collection = len(request.info.parts) < 2 and request.method == "GET"
        form = accepted(request.headers.get("Accept", ""), produced=STREAMED if collection else PRODUCED)
        if isinstance(form, Status):
            return form
        request.accepted = form
    if (fault := _odd_name(request.info)) is not None:
        return fault
    if route.resource.deprecation:
        request.warn(route.resource.deprecation)
        request.audit["k8s.io/deprecated"] = "true"
    handle = _handles.get(route.module)
    if handle is None:
        handle = _handles[route.module] = cast("Handle", import_module(route.module).handle)
    return await handle(scope_of(parts, route.resource, route.subresource), request)


def _odd_name(info: RequestInfo) -> Status | None:
    """What is wrong with a name that can be no segment of a path."""
    faults = segment_faults(info.name) if info.name and not info.selected else ()
    return status.bad_request(f"Name parameter invalid: {quote(info.name)}: {'; '.join(faults)}") if faults else None


def scope_of(parts: Parts, resource: Resource, subresource: str = "") -> Scope:
    """What handlers of this resource work with; made once."""
    key = (resource.group, resource.version, resource.plural, subresource)
    known = parts.scopes.get(key)
    if known is None or known.resource is not resource:
        known = parts.scopes[key] = Scope(parts, resource, subresource)
    return known
