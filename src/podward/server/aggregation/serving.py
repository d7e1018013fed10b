"""Requests for groups that are served elsewhere, passed on to there; and whether those servers are available.

Specification: Kubernetes, k8s.io/kube-aggregator, pkg/apiserver/handler_proxy.go and pkg/controllers/status/remote: the
request is authenticated and authorized here; the other server learns who calls from headers, and knows us by a client
certificate of the authority that the ConfigMap `extension-apiserver-authentication` names. A Service is asked for its
discovery when something of it changes, and every half a minute. Only what is available is in discovery.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from podward.api import status
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.server.aggregation import backends
from podward.server.aggregation.backends import LOCAL, PASSED, Backend, Condition
from podward.server.catalog import key_of, prefix_of
from podward.server.encoding import decoded
from podward.server.proxying import heads, upgrading
from podward.server.proxying.nodes import unverifying
from podward.server.proxying.passing import Passing
from podward.server.proxying.target import Target
from podward.server.request import Answer, Request
from podward.server.webhooks.client import ServiceResolver, limited_body
from podward.server.webhooks.services import Services

if TYPE_CHECKING:
    import datetime as dt

    from podward.api.caller import User
    from podward.server.aggregation.front_proxy import FrontProxyPair
    from podward.server.controllers.calling import Caller
    from podward.server.scope import Parts

_SERVED = BY_PLURAL["apiregistration.k8s.io", "v1", "apiservices"]
_SERVICES, _SLICES = BY_PLURAL["", "v1", "services"], BY_PLURAL["discovery.k8s.io", "v1", "endpointslices"]
_PATH = "/apis/apiregistration.k8s.io/v1/apiservices"
_OF_SERVICE = "kubernetes.io/service-name"
_AGAIN, _SOON = 30.0, 5.0
_SECONDS = 6.0
_LONGEST = 8 << 20
_MOST_CONTEXTS = 100
_JSON = ("Accept", "application/json")
_log = logging.getLogger("podward.server")


class Aggregation:
    """The API servers behind ours. `pair` is the certificate that we show them."""

    def __init__(self, parts: Parts, caller: Caller, pair: FrontProxyPair) -> None:
        self._parts = parts
        self._caller = caller
        self._pair = pair
        self._cache = parts.caches.of(prefix_of(_SERVED))
        self._services = parts.caches.of(prefix_of(_SERVICES))
        self._slices = parts.caches.of(prefix_of(_SLICES))
        self._passing = Passing(ServiceResolver(Services(parts.caches)))
        self._known: dict[str, Backend] = {}
        self._available: set[str] = set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look at what is there, and at what comes."""
        await self._cache.start()
        self._cache.listeners.append(lambda _: self._changed.set())
        for cache in (self._services, self._slices):
            await cache.start()
            cache.listeners.append(lambda _: self._wake())
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Look no more, and end all connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._passing.close()

    def backend_of(self, path: str) -> Backend | None:
        """Who serves this path; None where we do."""
        if not self._known or not path.startswith("/apis/"):
            return None
        group, _, version = path[len("/apis/") :].partition("/")
        return self._known.get(f"{version.partition('/')[0]}.{group}")

    async def answer(self, backend: Backend, request: Request) -> Answer:
        """What comes of a request that is authorized."""
        if backend.name not in self._available:
            return status.Status(503, "ServiceUnavailable", "service unavailable")
        path, _, query = request.target.partition("?")
        del path
        target = Target(backend.host, backend.port, request.path, query, self._tls(backend))
        if upgrading.wants(request):
            return status.service_unavailable("streams of API servers behind this one are not passed on")
        return await self._passing.passed(target, request, more=caller_headers(request.user))

    # --- availability -----------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._known:
            self._changed.set()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - one look that fails is not the last
                _log.error("API services cannot be looked at: %s", type(error).__name__)
            wait = _AGAIN if self._known.keys() <= self._available else _SOON
            started = time.monotonic()
            try:
                async with asyncio.timeout(wait if self._known else None):
                    await self._changed.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - started)))  # several changes are one look

    async def _look(self) -> None:
        await self._cache.fresh()
        objs = [decoded(item.stored) for item in self._cache.items(self._cache.prefix)]
        found = {text(member(obj, "metadata"), "name"): backends.backend_of(obj) for obj in objs}
        self._known = {
            name: backend
            for name, backend in found.items()
            if backend is not None and not self._parts.catalog.has_own_group(backend.of.group)
        }
        for gone in self._available - self._known.keys():
            self._lose(gone)
        self._parts.catalog.keep_foreign({backend.of for backend in self._known.values()})
        for obj in objs:
            name = text(member(obj, "metadata"), "name")
            backend = self._known.get(name)
            condition = LOCAL if backend is None else await self._checked(backend)
            await self._tell(obj, condition)

    async def _checked(self, backend: Backend) -> Condition:
        await self._services.fresh()
        await self._slices.fresh()
        service = self._services.get(key_of(_SERVICES, backend.namespace, backend.service))
        items = self._slices.items(prefix_of(_SLICES, backend.namespace))
        slices = [decoded(item.stored) for item in items if item.labels.get(_OF_SERVICE) == backend.service]
        condition = backends.looked_up(backend, None if service is None else decoded(service.stored), slices)
        if condition is None:
            document = await self._discovery(backend)
            if isinstance(document, str):
                condition = backends.failed(document)
            else:
                self._parts.catalog.put_foreign(backend.of, backends.resources_in(backend.of, document))
                self._available.add(backend.name)
                return PASSED
        self._lose(backend.name)
        self._parts.catalog.put_foreign(backend.of, ())
        return condition

    async def _discovery(self, backend: Backend) -> JsonObject | str:
        """What it says that it serves, or why it cannot be asked."""
        target = Target(backend.host, backend.port, backend.path, "", self._tls(backend))
        said = f"failing or missing response from {target.url}"
        headers = [_JSON, ("X-Remote-User", "system:kube-aggregator"), ("X-Remote-Group", "system:masters")]
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._passing.answer(target, "GET", headers)
                if isinstance(answer, str):
                    return f"{said}: Get {target.url!r}: {answer}"
                body = await limited_body(answer, _LONGEST)
                if answer.status != 200:
                    return f"{said}: bad status from {target.url}: {answer.status}"
                document: JsonObject = msgspec.json.decode(body or b"", type=dict)
        except TimeoutError:
            return f"timed out waiting for {target.url}"
        except msgspec.DecodeError:
            return f"{said}: its discovery cannot be read"
        return document

    def _lose(self, name: str) -> None:
        self._available.discard(name)

    async def _tell(self, obj: JsonObject, condition: Condition) -> None:
        wanted: JsonObject = {
            "status": condition.status, "reason": condition.reason, "message": condition.message,
        }  # fmt: skip
        changed = backends.with_condition(obj, wanted, self._parts.clock.now())
        if changed is not None:
            await self._caller.ask("PUT", f"{_PATH}/{text(member(obj, 'metadata'), 'name')}/status", changed)

    def _tls(self, backend: Backend) -> ssl.SSLContext:
        return _context(backend.authorities, self._pair.file, self._pair.due, insecure=backend.insecure)


@lru_cache(_MOST_CONTEXTS)
def _context(authorities: bytes, pair: str, _until: dt.datetime, *, insecure: bool) -> ssl.SSLContext:
    """Raises ssl.SSLError and ValueError where there is no certificate to be trusted."""
    if insecure:
        context = unverifying()
    else:
        context = ssl.create_default_context(cadata=authorities.decode("ascii", "replace") or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(pair)
    return context


def caller_headers(user: User) -> heads.Headers:
    """The headers that say who calls."""
    found = [("X-Remote-User", user.username), *(("X-Remote-Group", group) for group in user.groups)]
    if user.uid:
        found.append(("X-Remote-Uid", user.uid))
    for name, values in user.extra.items():
        found += [(f"X-Remote-Extra-{quote(name.lower(), safe='')}", value) for value in values]
    return found
