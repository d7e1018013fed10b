"""OpenAPI: each document is made once for what is served at the moment, and kept as bytes.

Specification: k8s.io/kube-openapi handler and handler3: version 2 is one document, version 3 a list of documents, and
each of them. An address with a hash that is no longer the document's leads to the new one; with the right one the
answer may be kept. What there is no document of is not found, with nothing in the answer. Version 2 is told in Protobuf
too, which kubectl asks for; whoever accepts neither form is told so, with nothing in the answer.
"""

from __future__ import annotations

from urllib.parse import quote
from weakref import WeakKeyDictionary

from podward.api.json_value import JsonObject
from podward.schema.openapi.custom import CustomResource
from podward.schema.openapi.documents import document, list_of_documents, state_of, whole_document
from podward.schema.openapi.protobuf import document_bytes
from podward.server.catalog import Catalog
from podward.server.encoding import json_bytes
from podward.server.negotiation import preferred
from podward.server.request import Answer, Reply, Request
from podward.server.scope import Parts

_LIST = "text/plain; charset=utf-8"
_JSON = "application/json"
_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_VERSION_2 = {
    _JSON: _JSON,
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf": _PROTOBUF,
    _PROTOBUF: _PROTOBUF,
}
"""What version 2 is accepted as, and told as."""
_KEPT = ("Cache-Control", "public, immutable, max-age=31536000")
_ROOT = "/openapi/v3/"


class _Documents:
    """The documents of what one catalog serves, at one of its generations."""

    def __init__(self, parts: Parts) -> None:
        self.generation = parts.catalog.generation
        self._resources = parts.catalog.all()
        self._customs = [CustomResource(each.resource, each.schema) for each in parts.catalog.customs()]
        self._customs += parts.catalog.described
        self.state = state_of(self._resources, self._customs)
        self._bodies: dict[str, bytes | None] = {}

    def body(self, path: str) -> bytes | None:
        """The document at a path of version 3; for a form of version 2 that one."""
        if path not in self._bodies:
            made = self._made(path)
            if made is None:
                return None
            self._bodies[path] = document_bytes(made) if path == _PROTOBUF else json_bytes(made)
        return self._bodies[path]

    def _made(self, path: str) -> JsonObject | None:
        if path == _ROOT:
            return list_of_documents(self._resources, self.state)
        if path not in _VERSION_2:
            return document(path.removeprefix(_ROOT).strip("/"), self._resources, self._customs)
        return whole_document(self._resources, self._customs)


_documents: WeakKeyDictionary[Catalog, _Documents] = WeakKeyDictionary()


def _of(parts: Parts) -> _Documents:
    found = _documents.get(parts.catalog)
    if found is None or found.generation != parts.catalog.generation:
        found = _documents[parts.catalog] = _Documents(parts)
    return found


async def version_2(parts: Parts, request: Request) -> Answer:
    """`/openapi/v2`."""
    form = _VERSION_2.get(preferred(request.headers.get("Accept", ""), tuple(_VERSION_2)))
    return _reply(request, _of(parts), form, form) if form else Reply(406, b"", "")


async def version_3(parts: Parts, request: Request) -> Answer:
    """`/openapi/v3`."""
    return _reply(request, _of(parts), _ROOT, _LIST)


async def part_of_version_3(parts: Parts, request: Request) -> Answer:
    """`/openapi/v3/PATH`."""
    documents = _of(parts)
    state = documents.state
    if (request.query.get("hash") or (state,))[0] != state:
        return Reply(301, b"", "", (("Location", f"{quote(request.path)}?hash={state}"),))
    return _reply(request, documents, request.path, _JSON)


def _reply(request: Request, documents: _Documents, path: str, media: str) -> Reply:
    body = documents.body(path)
    if body is None:
        return Reply(404, b"", "")
    tag = f'"{documents.state}"'
    if request.headers.get("If-None-Match") == tag:
        return Reply(304, b"", "", (("Etag", tag),))
    kept = (_KEPT,) if "hash" in request.query else ()
    return Reply(200, body, media, (("Etag", tag), ("Vary", "Accept"), *kept))
