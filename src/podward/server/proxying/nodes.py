"""How the server reaches nodes: their address and port, whom it trusts there, and as whom it comes.

Specification: Kubernetes, pkg/kubelet/client: the first address of the most preferred kind, the port that the node
says, HTTPS with a client certificate. The real server verifies the node's certificate only where it is told an
authority; this one trusts the one that signs nodes' certificates here, unless it is told another, or not to verify.
"""

from __future__ import annotations

import datetime as dt
import os
import ssl

from msgspec import Struct

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.errors import InputError
from podward.schema.validation.raw import text
from podward.server.own_authority import OwnAuthority, renewal_of
from podward.server.proxying.options import NodeOptions

USER = "kube-apiserver-kubelet-client"
"""As whom the server comes to nodes; a default binding gives it the role system:kubelet-api-admin."""
PORT = 10250
_DECLARED = "ExtendWebSocketsToKubelet"


class NodeAddress(Struct, frozen=True):
    """Where a node is; `translates`: it speaks all that clients speak over WebSockets."""

    host: str
    port: int
    translates: bool = False


class NodeAccess:
    """How nodes are reached."""

    def __init__(self, options: NodeOptions, directory: str, authority: OwnAuthority, trusted: str) -> None:
        """`trusted` is a file of who is trusted at nodes by default. Raises InputError where a file cannot be used."""
        self._options = options
        self._authority = authority
        self._file = os.path.join(directory, "kubelet-client.pem")
        self.tls = unverifying() if options.insecure else _verifying(options.authority or trusted)
        self.unverified = unverifying()
        """For who asks not to verify, of logs alone."""
        self.is_bound = False
        """Whether the binding is there that lets the server do at nodes what it is asked for."""
        self.due = self.renew()

    @property
    def user(self) -> str:
        """As whom the server comes to nodes; empty where a certificate of somebody else's says so."""
        return "" if self._options.certificate else USER

    def renew(self) -> dt.datetime:
        """Make the certificate anew; when it is to be made anew again."""
        certificate, key = self._options.certificate, self._options.key or None
        if not certificate:
            pair = self._authority.client(USER, ())
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(pair.key + pair.certificate)
            certificate, key = self._file, None
            self.due = renewal_of(pair)
        else:
            self.due = dt.datetime.max.replace(tzinfo=dt.UTC)
        for context in (self.tls, self.unverified):
            _load(context, certificate, key)
        return self.due

    def address_of(self, node: JsonObject) -> NodeAddress | Status:
        """Where a Node is reached."""
        said = member(node, "status")
        addresses = [(text(each, "type"), text(each, "address")) for each in objects(said, "addresses")]
        host = next(
            (address for kind in self._options.address_types for type_, address in addresses if type_ == kind), ""
        )
        if not host:
            known = " ".join(f"{{{kind} {address}}}" for kind, address in addresses)
            return status.unexplained(f"no preferred addresses found; known addresses: [{known}]")
        port = member(member(said, "daemonEndpoints"), "kubeletEndpoint").get("Port")
        declared = said.get("declaredFeatures")
        translates = isinstance(declared, list) and _DECLARED in declared
        return NodeAddress(host, port if isinstance(port, int) and port > 0 else PORT, translates)


def unverifying() -> ssl.SSLContext:
    """A context that trusts whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _verifying(authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_verify_locations(authority)
    except (OSError, ssl.SSLError):
        raise InputError(
            "this holds no certificates of an authority", where=authority,
            advice="name a PEM file with --kubelet-certificate-authority",
        ) from None  # fmt: skip
    return context


def _load(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError):
        raise InputError(
            "this is no certificate with its key", where=certificate,
            advice="name PEM files with --kubelet-client-certificate and --kubelet-client-key",
        ) from None  # fmt: skip
