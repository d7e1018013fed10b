"""Requests to an API server: an object, or the Status that it answered with.

Over aiohttp (docs/decisions/0026): connections are kept, bodies are JSON, nothing is retried here. What no server
answered is a Status, too, of code 503 and the reason ServiceUnavailable, as whoever asks does the same about it.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from podward.api.json_value import Json, JsonObject
from podward.api.resource import Resource
from podward.api.status import Status, StatusCause, StatusDetails, service_unavailable
from podward.client.connection import Connection

_SECONDS = 60.0
_CONNECTING = 10.0
_FAREWELL = 0.02
_FAILED = 400
_LONGEST_LINE = 1 << 26


class PatchKind(enum.Enum):
    """What a patch is written as."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class _Cause(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct, frozen=True, rename="camel"):
    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[_Cause, ...] | None = None
    retry_after_seconds: int = 0


class _Answer(msgspec.Struct, frozen=True):
    reason: str = ""
    message: str = ""
    details: _Details | None = None
    code: int = 0


_status = msgspec.json.Decoder(_Answer).decode
_object: Callable[[bytes], JsonObject] = msgspec.json.Decoder(dict).decode


class Client:
    """One caller of one server. Objects are raw documents; a refusal is a Status, never raised."""

    def __init__(self, connection: Connection, agent: str) -> None:
        """`agent` is the User-Agent, whose first word names the manager of the fields that are written."""
        self._connection = connection
        self._base = connection.server.rstrip("/")
        self._agent = agent
        self._session: aiohttp.ClientSession | None = None

    @property
    def connection(self) -> Connection:
        """The way to the server."""
        return self._connection

    def reconnect(self, connection: Connection) -> None:
        """Go another way from now on: with a token or a certificate that is newer. What goes on is not cut off."""
        self._connection, self._base = connection, connection.server.rstrip("/")

    # --- verbs -------------------------------------------------------------------------------------------------------

    async def get(self, resource: Resource, namespace: str, name: str) -> JsonObject | Status:
        """An object."""
        return await self.ask("GET", path_of(resource, namespace, name))

    async def list(
        self, resource: Resource, namespace: str = "", labels: str = "", fields: str = "", **more: str
    ) -> JsonObject | Status:
        """A list, whole, as its document; of all namespaces where none is named. `more`: options of the API."""
        words = {"labelSelector": labels, "fieldSelector": fields, **more}
        return await self.ask("GET", with_query(path_of(resource, namespace), words))

    async def create(
        self, resource: Resource, namespace: str, obj: JsonObject, subresource: str = "", name: str = ""
    ) -> JsonObject | Status:
        """Make an object; with a `subresource` and a `name`: a Binding, an Eviction, a TokenRequest."""
        return await self.ask("POST", path_of(resource, namespace, name, subresource), obj)

    async def replace(
        self, resource: Resource, namespace: str, obj: JsonObject, subresource: str = ""
    ) -> JsonObject | Status:
        """Put a document in the place of the version that it names."""
        metadata = obj["metadata"]
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(name, str):
            raise TypeError("the object has no name")
        return await self.ask("PUT", path_of(resource, namespace, name, subresource), obj)

    async def patch(  # noqa: PLR0913, PLR0917 - what the API needs to know
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Json,
        kind: PatchKind = PatchKind.MERGE,
        subresource: str = "",
        **options: str,
    ) -> JsonObject | Status:
        """Change an object in part. `options` are the API's: `fieldManager`, `force`."""
        where = with_query(path_of(resource, namespace, name, subresource), options)
        return await self.ask("PATCH", where, patch, kind.value)

    async def delete(
        self, resource: Resource, namespace: str, name: str, options: JsonObject | None = None
    ) -> JsonObject | Status:
        """Delete an object; the answer is the object that ends, or the Status of a success."""
        return await self.ask("DELETE", path_of(resource, namespace, name), options)

    async def delete_collection(self, resource: Resource, namespace: str, labels: str = "") -> JsonObject | Status:
        """Delete all of a namespace."""
        return await self.ask("DELETE", with_query(path_of(resource, namespace), {"labelSelector": labels}))

    async def ask(
        self, method: str, path: str, document: Json = None, content_type: str = "application/json"
    ) -> JsonObject | Status:
        """The answer to any request; an empty object where it is no JSON object."""
        headers = {"Content-Type": content_type, "Accept": "application/json", **self._headers()}
        body = None if document is None else msgspec.json.encode(document)
        try:
            async with (
                asyncio.timeout(_SECONDS),
                self._opened().request(
                    method, self._base + path, data=body, headers=headers, ssl=self._connection.tls,
                    allow_redirects=False,
                ) as response,
            ):  # fmt: skip
                return _read(response.status, await response.read())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return unreachable(error)

    async def watch(
        self, resource: Resource, namespace: str = "", labels: str = "", fields: str = "", **more: str
    ) -> AsyncIterator[tuple[str, JsonObject] | Status]:
        """Changes as they come: what happened (`ADDED`, `BOOKMARK`, …) and the object; a Status is the last."""
        words = {"labelSelector": labels, "fieldSelector": fields, "watch": "1", "allowWatchBookmarks": "true", **more}
        where = self._base + with_query(path_of(resource, namespace), words)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECTING)
        headers = {"Accept": "application/json", **self._headers()}
        try:
            async with self._opened().get(
                where, headers=headers, ssl=self._connection.tls, timeout=limits, allow_redirects=False
            ) as response:
                if response.status >= _FAILED:
                    answer = _read(response.status, await response.read())
                    yield answer if isinstance(answer, Status) else service_unavailable("the watch has no answer")
                    return
                async for event in _events(response.content):
                    yield event
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            yield unreachable(error)

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            await asyncio.sleep(_FAREWELL)  # TLS of watches that were left says good-bye, which nobody waits for

    def _headers(self) -> dict[str, str]:
        return {"User-Agent": self._agent, **dict(self._connection.headers)}

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=90)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=True
            )
        return self._session


def path_of(resource: Resource, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The path of a collection, an object, or a part of one."""
    found = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    if namespace and resource.namespaced:
        found += f"/namespaces/{quote(namespace, safe='')}"
    found += f"/{resource.plural}"
    if name:
        found += f"/{quote(name, safe='')}"
    return found + (f"/{subresource}" if subresource else "")


def with_query(path: str, words: dict[str, str]) -> str:
    """The path with those words that say something."""
    said = {name: text for name, text in words.items() if text}
    return f"{path}?{urlencode(said)}" if said else path


def _read(code: int, body: bytes) -> JsonObject | Status:
    if code >= _FAILED:
        return _refusal(code, body)
    try:
        return _object(body)
    except msgspec.DecodeError:
        return {}


def _refusal(code: int, body: bytes) -> Status:
    """The Status of an answer; of one that has none, its first words."""
    try:
        said = _status(body)
    except msgspec.DecodeError:
        return Status(code, "", body[:200].decode(errors="replace").strip())
    details = None
    if (about := said.details) is not None:
        causes = tuple(StatusCause(each.reason, each.message, each.field) for each in about.causes or ())
        details = StatusDetails(about.name, about.group, about.kind, about.uid, causes, about.retry_after_seconds)
    return Status(said.code or code, said.reason, said.message, details)


def unreachable(error: Exception) -> Status:
    """What it comes to that nobody answered."""
    return service_unavailable(f"the server is not reached: {str(error) or type(error).__name__}")


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: dict  # type: ignore[type-arg]  # a JsonObject, whose type msgspec cannot read


_event = msgspec.json.Decoder(_Event).decode


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, JsonObject] | Status]:
    """The events of a watch, one a line; one that is an error is the last."""
    rest = b""
    async for part in content.iter_any():
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            yield service_unavailable("an event is too large")
            return
        for line in lines:
            if not line.strip():
                continue
            event = _event(line)
            if event.type == "ERROR":
                code = event.object.get("code")
                yield _refusal(code if isinstance(code, int) else _FAILED, msgspec.json.encode(event.object))
                return
            yield event.type, event.object
