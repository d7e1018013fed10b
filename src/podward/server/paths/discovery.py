"""Discovery: which groups, versions and resources there are."""

from __future__ import annotations

from hashlib import sha256

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.schema.discovery import AGGREGATED, aggregated, api_versions, form_of, group, group_list, resource_list
from podward.server.encoding import json_bytes
from podward.server.negotiation import PRODUCED, accepted
from podward.server.replies import document_reply
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Parts


async def api(parts: Parts, request: Request) -> Answer:
    """`/api`."""
    return _told(request, parts, api_versions(request.headers.get("Host", "")), core=True)


async def apis(parts: Parts, request: Request) -> Answer:
    """`/apis`."""
    return _told(request, parts, group_list(parts.catalog.listed()), core=False)


async def core_version(parts: Parts, request: Request) -> Answer:
    """`/api/v1`."""
    version = request.path.strip("/").partition("/")[2]
    return _document(request, resource_list(GroupVersion("", version), parts.catalog.listed()))


async def group_or_version(parts: Parts, request: Request) -> Answer:
    """`/apis/GROUP` and `/apis/GROUP/VERSION`."""
    name, _, version = request.path.strip("/").partition("/")[2].partition("/")
    if not version:
        return _document(request, group(name, parts.catalog.listed()))
    return _document(request, resource_list(GroupVersion(name, version), parts.catalog.listed()))


def _told(request: Request, parts: Parts, plain: JsonObject, *, core: bool) -> Answer:
    """One step of discovery, or all at once, as the client accepts it."""
    form = form_of(request.headers.get("Accept", ""))
    if form == "unacceptable":
        return status.not_acceptable((*PRODUCED, AGGREGATED))
    if form == "plain":
        return _document(request, plain)
    body = json_bytes(aggregated(parts.catalog.listed(), core=core))
    tag = f'"{sha256(body).hexdigest().upper()}"'
    headers = (("Etag", tag), ("Vary", "Accept"))
    if request.headers.get("If-None-Match") == tag:
        return Reply(304, b"", "", headers)
    return Reply(200, body, AGGREGATED, headers)


def _document(request: Request, document: JsonObject | None) -> Answer:
    if document is None:
        return status.RESOURCE_NOT_FOUND
    form = accepted(request.headers.get("Accept", ""))
    if isinstance(form, Status):
        return form
    request.accepted = form
    return document_reply(request, 200, document)
