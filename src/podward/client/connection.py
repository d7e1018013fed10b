"""A kubeconfig: where a server is, whom to trust there, and as whom it is called.

Specification: Kubernetes, k8s.io/client-go, tools/clientcmd; for webhooks of a server's own flags, k8s.io/apiserver,
pkg/util/webhook LoadKubeconfig: the cluster is the service, the user is the server. The current context names them.
What would have to run a program, or not to verify, is refused.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile

import msgspec
from msgspec import Struct

from podward.documents.document import Document
from podward.errors import InputError
from podward.path import Path, path
from podward.schema.configuration import Expected, the_document, typed

_ADVICE = "it is a kubeconfig with the server in clusters, and a current-context that names cluster and user"


class Connection(Struct, frozen=True):
    """A way to a server: its URL, with `tls` the certificate of a caller, and headers that say who calls.

    `nobody` trusts the same authorities and presents no certificate: for callers who have a token.
    """

    server: str
    tls: ssl.SSLContext
    nobody: ssl.SSLContext
    headers: tuple[tuple[str, str], ...] = ()

    def as_bearer(self, token: str) -> Connection:
        """The same way for whoever has this token."""
        return Connection(self.server, self.nobody, self.nobody, (("Authorization", f"Bearer {token}"),))


class _Cluster(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    disable_compression: bool = False
    extensions: list[object] = []


class _User(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    extensions: list[object] = []


class _Context(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    extensions: list[object] = []


class _NamedCluster(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    cluster: _Cluster = _Cluster()


class _NamedUser(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    user: _User = _User()


class _NamedContext(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    context: _Context = _Context()


class _Config(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    api_version: str = msgspec.field(default="", name="apiVersion")
    kind: str = ""
    clusters: tuple[_NamedCluster, ...] | None = ()
    users: tuple[_NamedUser, ...] | None = ()
    contexts: tuple[_NamedContext, ...] | None = ()
    current_context: str = ""
    preferences: dict[str, object] | None = None
    extensions: list[object] | None = None


def load(file: str) -> Connection:
    """The server that the kubeconfig of this name leads to. Raises InputError with the line of what is wrong."""
    document = the_document(_content(file), file, Expected("a kubeconfig", "Config", ("v1",), _ADVICE))
    config = typed(document, _Config, _ADVICE)
    context = next((each.context for each in config.contexts or () if each.name == config.current_context), None)
    if context is None:
        raise _wrong(document, path("current-context"), "Required value: it names none of the contexts")
    clusters = [(i, each.cluster) for i, each in enumerate(config.clusters or ()) if each.name == context.cluster]
    if not clusters:
        raise _wrong(document, path("contexts"), f"there is no cluster {context.cluster!r}, which the context names")
    users = [each.user for each in config.users or () if each.name == context.user]
    if context.user and not users:
        raise _wrong(document, path("contexts"), f"there is no user {context.user!r}, whom the context names")
    index, cluster = clusters[0]
    if not cluster.server.startswith(("https://", "http://")):
        raise _wrong(document, path("clusters", index, "cluster", "server"), "Required value: the URL of the server")
    where = os.path.dirname(os.path.abspath(file))
    user = users[0] if users else _User()
    nobody, tls = _trusting(document, cluster, where), _trusting(document, cluster, where)
    _identify(document, tls, user, where)
    secure = cluster.server.startswith("https://")  # nobody is told who calls where everybody can listen
    return Connection(cluster.server, tls, nobody, _headers(user, where) if secure else ())


def authorities(file: str) -> bytes:
    """The authorities (PEM) that the kubeconfig of this name trusts; none where it trusts the machine's."""
    document = the_document(_content(file), file, Expected("a kubeconfig", "Config", ("v1",), _ADVICE))
    config = typed(document, _Config, _ADVICE)
    context = next((each.context for each in config.contexts or () if each.name == config.current_context), _Context())
    cluster = next((each.cluster for each in config.clusters or () if each.name == context.cluster), _Cluster())
    where = os.path.dirname(os.path.abspath(file))
    return _either(document, cluster.certificate_authority_data, cluster.certificate_authority, where)


def _trusting(document: Document, cluster: _Cluster, where: str) -> ssl.SSLContext:
    authorities = _either(document, cluster.certificate_authority_data, cluster.certificate_authority, where)
    try:
        context = ssl.create_default_context(cadata=authorities.decode("ascii") if authorities else None)
    except (ssl.SSLError, UnicodeDecodeError):
        raise _wrong(document, path("clusters"), "the certificate authority cannot be read: it is no PEM") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _identify(document: Document, context: ssl.SSLContext, user: _User, where: str) -> None:
    certificate = _either(document, user.client_certificate_data, user.client_certificate, where)
    key = _either(document, user.client_key_data, user.client_key, where)
    if bool(certificate) != bool(key):
        raise _wrong(document, path("users"), "a client certificate needs its key, and a key its certificate")
    if certificate:
        _present(document, context, certificate + b"\n" + key)


def _present(document: Document, context: ssl.SSLContext, pair: bytes) -> None:
    """Let the context present a certificate; the library takes it from files alone."""
    with tempfile.NamedTemporaryFile(prefix="podward-", suffix=".pem") as file:  # 0600, and gone at once
        file.write(pair)
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except ssl.SSLError:
            raise _wrong(document, path("users"), "the client certificate and its key do not fit") from None


def _headers(user: _User, where: str) -> tuple[tuple[str, str], ...]:
    token = user.token
    if user.token_file:
        token = _content(os.path.join(where, user.token_file)).decode("utf-8", "replace").strip()
    if token:
        return (("Authorization", f"Bearer {token}"),)
    if user.username:
        words = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
        return (("Authorization", f"Basic {words}"),)
    return ()


def _either(document: Document, data: str, file: str, where: str) -> bytes:
    """What is written in the kubeconfig itself, or in the file that it names."""
    if data:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error:
            raise _wrong(document, path("clusters"), "a field that ends in -data is no base64") from None
    return _content(os.path.join(where, file)) if file else b""


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=file, advice="name a file that is there") from None


def _wrong(document: Document, at: Path, why: str) -> InputError:
    return InputError(f"{at}: {why}", where=document.where(at), advice=_ADVICE)
