"""Discovery: which groups, versions and resources there are."""

from __future__ import annotations

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.schema.discovery import AGGREGATED, aggregated, api_versions, group, group_list, resource_list
from podward.server.encoding import json_bytes
from podward.server.negotiation import accepted
from podward.server.replies import document_reply
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Parts


async def api(parts: Parts, request: Request) -> Answer:
    """`/api`."""
    if _all_at_once(request):
        return Reply(200, json_bytes(aggregated(parts.catalog.all(), core=True)), AGGREGATED)
    return _document(request, api_versions(request.headers.get("Host", "")))


async def apis(parts: Parts, request: Request) -> Answer:
    """`/apis`."""
    if _all_at_once(request):
        return Reply(200, json_bytes(aggregated(parts.catalog.all(), core=False)), AGGREGATED)
    return _document(request, group_list(parts.catalog.all()))


async def core_version(parts: Parts, request: Request) -> Answer:
    """`/api/v1`."""
    version = request.path.strip("/").partition("/")[2]
    return _document(request, resource_list(GroupVersion("", version), parts.catalog.all()))


async def group_or_version(parts: Parts, request: Request) -> Answer:
    """`/apis/GROUP` and `/apis/GROUP/VERSION`."""
    name, _, version = request.path.strip("/").partition("/")[2].partition("/")
    if not version:
        return _document(request, group(name, parts.catalog.all()))
    return _document(request, resource_list(GroupVersion(name, version), parts.catalog.all()))


def _all_at_once(request: Request) -> bool:
    return "as=APIGroupDiscoveryList" in request.headers.get("Accept", "")


def _document(request: Request, document: JsonObject | None) -> Answer:
    if document is None:
        return status.RESOURCE_NOT_FOUND
    form = accepted(request.headers.get("Accept", ""))
    if isinstance(form, Status):
        return form
    request.accepted = form
    return document_reply(request, 200, document)
