"""Every path that is none of a resource's, and who answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from podward.access.service_accounts.discovery import KEYS_PATH, METADATA_PATH
from podward.api import status
from podward.server.paths import discovery, health, openapi, openid, version
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.routes import NOT_FOUND
from podward.server.scope import Parts

Serve: TypeAlias = Callable[[Parts, Request], Awaitable[Answer]]


async def _paths(parts: Parts, request: Request) -> Answer:
    """`/`: what there is to ask."""
    groups = {found.group for found in parts.catalog.listed() if found.group}
    versions = {f"/apis/{found.api_version}" for found in parts.catalog.listed() if found.group}
    listed = {*PATHS, "/api/v1", *(f"/apis/{name}" for name in groups), *versions} - {"/"}
    return document_reply(request, 200, {"paths": [*sorted(listed)]})


PATHS: Mapping[str, Serve] = {
    "/": _paths,
    "/api": discovery.api,
    "/apis": discovery.apis,
    "/version": version.handle,
    "/healthz": health.handle,
    "/livez": health.handle,
    "/readyz": health.handle,
    "/metrics": health.metrics,
    "/openapi/v2": openapi.version_2,
    "/openapi/v3": openapi.version_3,
    METADATA_PATH: openid.configuration,
    KEYS_PATH: openid.keys,
}
"""Paths as they are; with a slash behind them they are the same."""

UNDER: Mapping[str, Serve] = {
    "/api/": discovery.core_version,
    "/apis/": discovery.group_or_version,
    "/healthz/": health.single,
    "/livez/": health.single,
    "/readyz/": health.single,
    "/openapi/v3/": openapi.part_of_version_3,
}
"""All paths that begin so."""


async def serve(parts: Parts, request: Request) -> Answer:
    """Answer a request to a path that is no resource's. It is authorized."""
    path = request.path
    found = PATHS.get(path) or (PATHS.get(path[:-1]) if path.endswith("/") and path != "//" else None)
    if found is None:
        found = next((each for prefix, each in UNDER.items() if path.startswith(prefix)), None)
    if found is None:
        return NOT_FOUND
    if request.method not in {"GET", "HEAD"}:
        return status.METHOD_NOT_ALLOWED
    answer = await found(parts, request)
    if answer is status.RESOURCE_NOT_FOUND and not _is_of_a_group(parts, path):
        return NOT_FOUND
    return answer


def _is_of_a_group(parts: Parts, path: str) -> bool:
    """Whether a path is below a group of the server's own: there even what is not found is an object."""
    root, _, rest = path.strip("/").partition("/")
    group = rest.partition("/")[0]
    return root == "apis" and bool(group) and parts.catalog.has_own_group(group)
