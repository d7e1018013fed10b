"""A server as a whole: its parts, strung together."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.access.abac import Abac
from podward.access.authorizer_entries import AuthorizerEntry, of_modes
from podward.errors import StoreError
from podward.schema.resources import BY_KIND, RESOURCES
from podward.server import chain, first_objects, routes
from podward.server.account_tokens import AccountTokens
from podward.server.audit.recording import Auditor
from podward.server.authentication.authorities import AuthorityFile
from podward.server.authentication.opening import Authentication
from podward.server.authorizing import Authorizers
from podward.server.beginnings import ServiceAllocator
from podward.server.cache import Caches
from podward.server.callers import Callers
from podward.server.catalog import Catalog
from podward.server.controllers import names, running
from podward.server.custom_definitions import Definitions
from podward.server.event_expiry import EventExpiry
from podward.server.fairness import Fairness, Limits
from podward.server.freshness import Followed
from podward.server.legacy_tokens import LegacyTokens
from podward.server.metrics import Metrics, process_lines, sample
from podward.server.paths import table
from podward.server.plugins import Plugins
from podward.server.proxying.reaching import Reaching
from podward.server.request import Answer, Handler, Request
from podward.server.request_info import RequestInfo
from podward.server.scope import Parts
from podward.server.service_locks import ServiceLocks
from podward.server.world import CLOCK
from podward.stages.admission.configuration import NOT_CONFIGURED, Configured
from podward.stages.admission.settings import OFF_BY_DEFAULT
from podward.store.interface import Store

if TYPE_CHECKING:
    from podward.access.certificates.signing import Issuer
    from podward.api.resource import Resource
    from podward.policy.scc.allocation import Ranges
    from podward.server.aggregation.front_proxy import FrontProxyPair
    from podward.server.aggregation.serving import Aggregation
    from podward.server.openshift.start import OpenShift
    from podward.server.proxying.nodes import NodeAccess

ANNOUNCED_EVERY = 10.0
"""Seconds between two looks at the server's own Service, as the real server has it."""
_RBAC = "rbac.authorization.k8s.io/v1"
_RBAC_KINDS = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


class Settings(Struct, frozen=True):
    """What a server is told by its flags."""

    authentication: Authentication
    authorizers: Sequence[AuthorizerEntry] = of_modes(("RBAC",))
    disabled_plugins: frozenset[str] = OFF_BY_DEFAULT
    service_range: str = "10.0.0.0/24"
    abac: Abac | None = None
    limits: Limits = Limits()
    shared: bool = False
    """Whether other servers may use the same store."""
    event_ttl: float = 3600.0
    """Seconds that Events are kept after they were last written."""
    namespace_ranges: Ranges | None = None
    """What namespaces get in OpenShift; None for a server that is none of OpenShift's."""
    issuer: Issuer | None = None
    """Who signs certificates that are asked for; None where nobody does."""
    node_issuer: Issuer | None = None
    """Who signs those that nodes show; None where that is the same."""
    controllers: frozenset[str] = frozenset()
    admission: Configured = NOT_CONFIGURED
    nodes: NodeAccess | None = None
    """How nodes are reached; None where they are not."""
    front_proxy: FrontProxyPair | None = None
    """As whom the server comes to API servers behind it; None where there are none."""
    node_metrics: bool = False
    """Whether what nodes use is served."""


def _metrics(settings: Settings) -> tuple[Resource, ...]:
    """The resources of what nodes use, where they are served."""
    if not settings.node_metrics:
        return ()
    from podward.server.virtual.node_metrics import RESOURCES as METRICS

    return METRICS


class Application:
    """The parts of a server, and the handler that answers its requests."""

    def __init__(self, store: Store, settings: Settings, auditor: Auditor | None = None) -> None:
        """Raises UsageError."""
        self.authorizers = Authorizers(settings.authorizers, settings.abac)
        self.caches = Caches(store)
        services = ServiceAllocator(
            settings.service_range, locks=ServiceLocks(store, CLOCK.seconds) if settings.shared else None
        )
        self._legacy_tokens = LegacyTokens()
        tokens = AccountTokens(settings.authentication.accounts, store, self._legacy_tokens.note)
        callers = self._callers = Callers(settings.authentication, tokens)
        self._authentication = settings.authentication
        publishes = names.AUTHORITIES in settings.controllers
        configured = structs.replace(settings.admission, disabled=settings.disabled_plugins, publishes=publishes)
        openshift = self._openshift = self._of_openshift(settings, configured)
        catalog = Catalog((*RESOURCES, *(openshift.resources if openshift is not None else ()), *_metrics(settings)))
        self.plugins = Plugins(
            self.caches, catalog, configured, None if openshift is None else openshift.plugins,
            self.authorizers.authorize,
        )  # fmt: skip
        self.parts = Parts(
            store,
            self.caches,
            catalog,
            callers,
            tokens,
            self.authorizers,
            self.plugins,
            CLOCK,
            {},
            services,
            set(),
            self.plugins.converter,
            Reaching(settings.nodes),
        )
        self.definitions = Definitions(self.parts)
        events = routes.scope_of(self.parts, BY_KIND["v1", "Event"]).cache
        self._expiry = EventExpiry(store, events, CLOCK, settings.event_ttl)
        self._metrics, self._auditor = Metrics(self._is_served), auditor
        self.parts.metrics = self._metric_lines
        self.filters = chain.Filters(
            callers, self.authorizers.authorize, Fairness(settings.limits), auditor, self._metrics,
            None if openshift is None else openshift.asked_of,
        )  # fmt: skip
        self.handle: Handler = chain.chained(self.filters, self._serve)
        issuers = running.issuers_of(settings.issuer, settings.node_issuer)
        self._controllers = running.of(
            settings.controllers, issuers, self.parts, chain.chained_inside(self.filters, self._serve)
        )
        self.front_proxy = settings.front_proxy
        self._announcing: asyncio.Task[None] | None = None
        self._aggregation = self._of_front_proxy()
        if openshift is not None:
            self.handle = openshift.handling(self.handle)

    def _is_served(self, info: RequestInfo) -> bool:
        found = self.parts.catalog.find(info.group, info.version, info.resource)
        return found is not None and (not info.subresource or found.subresource(info.subresource) is not None)

    def _metric_lines(self) -> Iterator[str]:
        yield from self._metrics.lines()
        fairness = self.filters.fairness
        for name, reading, writing in (
            ("apiserver_current_inflight_requests", fairness.reading.taken, fairness.writing.taken),
            ("apiserver_current_inqueue_requests", fairness.reading.waiting, fairness.writing.waiting),
        ):
            yield f"# TYPE {name} gauge"
            yield sample(name, ("request_kind",), ("readOnly",), reading)
            yield sample(name, ("request_kind",), ("mutating",), writing)
        yield "# TYPE apiserver_storage_objects gauge"
        for prefix, number in self.caches.counts().items():
            yield sample("apiserver_storage_objects", ("resource",), (prefix.removeprefix("/registry/")[:-1],), number)
        if self._auditor is not None:
            yield "# TYPE apiserver_audit_event_total counter"
            yield sample("apiserver_audit_event_total", (), (), self._auditor.log.told)
            yield "# TYPE apiserver_audit_error_total counter"
            yield sample("apiserver_audit_error_total", ("plugin",), ("log",), self._auditor.log.lost)
        yield from process_lines()

    @property
    def authority_files(self) -> tuple[AuthorityFile, ...]:
        """The files of authorities that clients' certificates may lead to."""
        return self._authentication.authority_files

    def followed(self, serving: ssl.SSLContext) -> list[Followed]:
        """The files that are read again when they change, while the server listens with this context."""
        files = [Followed(file.path, partial(file.reload, serving)) for file in self.authority_files]
        configuration = self._authentication.configuration
        if configuration is not None:
            replace = self._callers.replace_issuers
            files.append(Followed(configuration.path, partial(configuration.reload, replace)))
        return files

    async def start(self) -> None:
        """Make what has to be there, and follow what has to be known."""
        await first_objects.make(self.parts)
        await self._legacy_tokens.start(self.parts)
        if self._openshift is not None:
            await self._openshift.start_before(self.parts)
        for kind in _RBAC_KINDS:
            await self.authorizers.follow(kind, routes.scope_of(self.parts, BY_KIND[_RBAC, kind]).cache)
        await self.authorizers.start(self.caches, self.plugins.webhooks)
        await self.definitions.start()
        if self._aggregation is not None:
            await self._aggregation.start()
        self._expiry.start()
        if self._openshift is not None:
            await self._openshift.start_after(self.parts)
        for controller in self._controllers:
            await controller.start()
        self._callers.start(self.plugins.webhooks)

    async def publish_trust(self, clients: bytes) -> None:
        """Say in the API whom servers behind this one are to believe; `clients` are authorities of clients."""
        if self.front_proxy is not None:
            await first_objects.put_data(self.parts, self.front_proxy.trust(clients))

    async def announce(self, address: str, port: int) -> None:
        """Say in the API where the server is reached, and look now and then whether it is still said."""
        await first_objects.announce(self.parts, address, port)
        self._announcing = asyncio.create_task(self._announce_again(address, port))

    async def _announce_again(self, address: str, port: int) -> None:
        while True:
            await asyncio.sleep(ANNOUNCED_EVERY)
            with contextlib.suppress(StoreError):  # the store's own failures are told where it is used
                await first_objects.announce_missing(self.parts, address, port)

    def end_watches(self) -> None:
        """Let everybody who watches know that it is over."""
        for watch in tuple(self.parts.watches):
            watch.close()

    async def close(self) -> None:
        """Follow no more."""
        if self._announcing is not None:
            self._announcing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._announcing
        await self._expiry.close()
        await self._callers.close()
        for controller in self._controllers:
            await controller.close()
        await self.plugins.webhooks.close()
        if self._aggregation is not None:
            await self._aggregation.close()
        await self.parts.reaching.close()
        if self._openshift is not None:
            await self._openshift.close()
        await self.definitions.close()
        await self.caches.close()

    def _of_front_proxy(self) -> Aggregation | None:
        if self.front_proxy is None:
            return None
        from podward.server.aggregation.serving import Aggregation
        from podward.server.controllers.calling import SERVER, Caller

        caller = Caller(chain.chained_inside(self.filters, self._serve), "aggregator", SERVER)
        return Aggregation(self.parts, caller, self.front_proxy)

    def _of_openshift(self, settings: Settings, configured: Configured) -> OpenShift | None:
        if settings.namespace_ranges is None:
            return None
        from podward.server.openshift.start import OpenShift

        return OpenShift(settings.namespace_ranges, self.caches, self.authorizers.authorize, configured)

    async def _serve(self, request: Request) -> Answer:
        if self._aggregation is not None:
            backend = self._aggregation.backend_of(request.path)
            if backend is not None:
                return await self._aggregation.answer(backend, request)
        if request.info.resource_request:
            return await routes.serve(self.parts, request)
        return await table.serve(self.parts, request)
