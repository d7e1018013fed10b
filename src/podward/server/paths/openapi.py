"""OpenAPI: each document is made once for what is served at the moment, and kept as bytes.

Specification: k8s.io/kube-openapi handler and handler3: version 2 is one document, version 3 a list of documents, and
each of them. An address with a hash that is no longer the document's leads to the new one; with the right one the
answer may be kept. What there is no document of is not found, with nothing in the answer.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from podward.api.resource import Resource
from podward.schema.openapi.documents import document, list_of_documents, state_of, whole_document
from podward.server.encoding import json_bytes
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Parts

_LIST = "text/plain; charset=utf-8"
_JSON = "application/json"
_KEPT = ("Cache-Control", "public, immutable, max-age=31536000")
_ROOT = "/openapi/v3/"


async def version_2(parts: Parts, request: Request) -> Answer:
    """`/openapi/v2`."""
    return _reply(request, parts.catalog.all(), "", _JSON)


async def version_3(parts: Parts, request: Request) -> Answer:
    """`/openapi/v3`."""
    return _reply(request, parts.catalog.all(), _ROOT, _LIST)


async def part_of_version_3(parts: Parts, request: Request) -> Answer:
    """`/openapi/v3/PATH`."""
    resources = parts.catalog.all()
    state = _state(resources)
    if (request.query.get("hash") or (state,))[0] != state:
        return Reply(301, b"", "", (("Location", f"{quote(request.path)}?hash={state}"),))
    return _reply(request, resources, request.path, _JSON)


def _reply(request: Request, resources: tuple[Resource, ...], path: str, media: str) -> Reply:
    body = _body(resources, path)
    if body is None:
        return Reply(404, b"", "")
    tag = f'"{_state(resources)}"'
    if request.headers.get("If-None-Match") == tag:
        return Reply(304, b"", "", (("Etag", tag),))
    kept = (_KEPT,) if "hash" in request.query else ()
    return Reply(200, body, media, (("Etag", tag), ("Vary", "Accept"), *kept))


@lru_cache(maxsize=4)
def _state(resources: tuple[Resource, ...]) -> str:
    return state_of(resources)


@lru_cache(maxsize=64)
def _body(resources: tuple[Resource, ...], path: str) -> bytes | None:
    """The document at a path of version 3; without a path that of version 2."""
    if path == _ROOT:
        return json_bytes(list_of_documents(resources, _state(resources)))
    made = document(path.removeprefix(_ROOT).strip("/"), resources) if path else whole_document(resources)
    return None if made is None else json_bytes(made)
