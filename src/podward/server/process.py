"""The server as a process: listen, say so, serve until a signal, end gracefully."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvloop
from aiohttp import web
from msgspec import Struct, structs

from podward.access.abac import Abac
from podward.access.authorizer_entries import AuthorizerEntry
from podward.errors import InputError, NodeError
from podward.server import freshness, http, kubeconfig, own_authority
from podward.server.aggregation.front_proxy import FrontProxyPair
from podward.server.application import Application, Settings
from podward.server.audit.opening import Options as AuditOptions
from podward.server.audit.opening import open_auditor
from podward.server.authentication.opening import opened
from podward.server.authentication.options import AuthenticationOptions
from podward.server.fairness import Limits
from podward.server.freshness import AdminKubeconfig, ServingCertificate
from podward.server.own_authority import OwnAuthority
from podward.server.proxying.nodes import NodeAccess
from podward.server.proxying.options import NodeOptions
from podward.stages.admission.configuration import NOT_CONFIGURED, Configured
from podward.stages.admission.settings import OFF_BY_DEFAULT
from podward.store.opening import open_store
from podward.store.options import SQLITE
from podward.store.options import Options as StoreOptions

if TYPE_CHECKING:
    from podward.policy.scc.allocation import Ranges

_GRACE = 5.0
_FAREWELL = 2.0
"""For how many seconds a client may go on sending that was told that the connection ends."""
_ELSEWHERE = "192.0.2.1"
"""An address of nobody (RFC 5737), to ask which way leads out of this machine."""


class Options(Struct, frozen=True):
    """How a server is started."""

    data_dir: str
    bind_address: str
    port: int
    authorizers: Sequence[AuthorizerEntry]
    kubeconfig: str
    store: StoreOptions
    authentication: AuthenticationOptions = AuthenticationOptions()
    service_range: str = "10.0.0.0/24"
    disabled_plugins: frozenset[str] = OFF_BY_DEFAULT
    abac_policies: str = ""
    namespace_ranges: Ranges | None = None
    """What namespaces get in OpenShift; None for a server that is none of OpenShift's."""
    audit: AuditOptions = AuditOptions()
    limits: Limits = Limits()
    event_ttl: float = 3600.0
    controllers: frozenset[str] = frozenset()
    admission: Configured = NOT_CONFIGURED
    nodes: NodeOptions = NodeOptions()


def run(options: Options, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises PodwardError."""
    uvloop.run(_main(options, say))


async def _main(options: Options, say: Callable[[str], None]) -> None:
    try:
        os.makedirs(options.data_dir, mode=0o700, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"no directory can be made here: {error.strerror}", where=options.data_dir,
            advice="choose another --data-dir",
        ) from None  # fmt: skip
    if options.kubeconfig:
        kubeconfig.require_ours(options.kubeconfig)
    authority = OwnAuthority(options.data_dir)
    settings = _settings(options, authority, OwnAuthority(options.data_dir, name=own_authority.NODES))
    auditor = open_auditor(options.audit)
    store = await open_store(options.store)
    try:
        application = Application(store, settings, auditor)
        await application.start()
        await application.publish_trust(authority.pem)
        await _serve(options, authority, application, say)
        await application.close()
    finally:
        await store.close()
        if auditor is not None:
            await auditor.log.close()


async def _serve(
    options: Options, authority: OwnAuthority, application: Application, say: Callable[[str], None]
) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    protocol, service = http.server(application.handle), application.parts.services.first_address
    names = _names(options.bind_address, service)
    serving = ServingCertificate(options.data_dir, authority, names, application.authority_files)
    try:
        listener = await loop.create_server(
            protocol, options.bind_address, options.port, ssl=serving.context, reuse_address=True,
            ssl_shutdown_timeout=_FAREWELL,
        )  # fmt: skip
    except OSError as error:
        where = f"{options.bind_address}:{options.port}"
        raise NodeError(
            f"cannot listen: {error.strerror}", where=where, advice="choose another --bind-address or --secure-port"
        ) from None
    port: int = listener.sockets[0].getsockname()[1]
    address = address_of(options.bind_address, port)
    reached = advertised(options.bind_address)
    await application.announce(reached, port)
    application.parts.tokens.reached_at(address_of(reached or options.bind_address, port))
    renewed: list[freshness.Renewed] = [serving]
    if application.parts.reaching.nodes is not None:
        renewed.append(application.parts.reaching.nodes)
    if application.front_proxy is not None:
        renewed.append(application.front_proxy)
    if options.kubeconfig:
        renewed.append(AdminKubeconfig(options.kubeconfig, address, authority))
    fresh = asyncio.create_task(freshness.keep(renewed, application.followed(serving.context)))
    say(address)
    await ended.wait()
    fresh.cancel()
    listener.close()
    await _end(application, protocol)


async def _end(application: Application, protocol: web.Server) -> None:
    """Let watches end and requests finish."""
    application.end_watches()
    await protocol.shutdown(_GRACE)


def advertised(bind: str) -> str:
    """The address that others reach the server at: what it listens on, else that of the way out of this machine.

    Empty where there is none: no Endpoints may have an address of the loopback device.
    """
    address = ip_address(bind)
    if not address.is_loopback and not address.is_unspecified:
        return bind
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))  # of UDP: nothing is sent
        except OSError:
            return ""
        found: str = probe.getsockname()[0]
    return "" if ip_address(found).is_loopback else found


def address_of(bind: str, port: int) -> str:
    """How clients on this machine reach the server."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104 - told apart, not bound
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _settings(options: Options, authority: OwnAuthority, of_nodes: OwnAuthority) -> Settings:
    everything = any(entry.type == "AlwaysAllow" for entry in options.authorizers)
    authentication = structs.replace(options.authentication, everything_allowed=everything)
    return Settings(
        opened(authentication, options.data_dir, authority.certificate),
        options.authorizers,
        options.disabled_plugins,
        options.service_range,
        Abac(_text(options.abac_policies), options.abac_policies) if options.abac_policies else None,
        namespace_ranges=options.namespace_ranges,
        limits=options.limits,
        event_ttl=options.event_ttl,
        shared=options.store.store != SQLITE,
        issuer=authority.issuer,
        node_issuer=of_nodes.issuer,
        controllers=options.controllers,
        admission=options.admission,
        nodes=NodeAccess(options.nodes, options.data_dir, authority, of_nodes.certificate_file),
        node_metrics=options.nodes.metrics,
        front_proxy=FrontProxyPair(options.data_dir),
    )


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InputError(f"cannot be read: {reason}", where=path, advice="name a file that is there") from None


def _names(bind: str, service: str) -> list[str]:
    """The names and addresses of the server: this machine's, where it says it is reached, and its own Service's."""
    names = {"localhost", "127.0.0.1", "::1", socket.gethostname(), "kubernetes", "kubernetes.default"}
    names |= {"kubernetes.default.svc", "kubernetes.default.svc.cluster.local", service}
    return sorted(names | ({bind, advertised(bind)} - {"", "0.0.0.0", "::"}))  # noqa: S104 - as above
