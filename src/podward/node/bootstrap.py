"""The node's own certificate: asked for by who may do that for it, written as its kubeconfig, and renewed in time.

Specification (kubelet, pkg/kubelet/certificate bootstrap.go and kubelet.go, in our words): where the kubeconfig is not
there, or its certificate has run out, the node makes a key and asks with the bootstrap kubeconfig for a certificate of
the user system:node:NAME in the group system:nodes, of the signer kubernetes.io/kube-apiserver-client-kubelet. When it
was approved and signed, the kubeconfig is written. When 80 % of the certificate's life are over the node asks for
another one, as itself.

The key never leaves the node: it is in the kubeconfig alone, which is its owner's (0600).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import os

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from podward.api.json_value import Json, JsonObject
from podward.client.api import Client
from podward.client.connection import load
from podward.documents.raw_fields import member, objects
from podward.documents.reader import decode_documents
from podward.errors import InputError, NodeError
from podward.node.asked_certificate import Unsigned, Wanted, ask, subject
from podward.node.log import Log
from podward.runtime.oci import write_private
from podward.schema.validation.raw import text

SIGNER = "kubernetes.io/kube-apiserver-client-kubelet"
_WANTED = Wanted("node-csr-", SIGNER, "client auth", patience=300.0)
_SPENT = 0.8
_AGAIN = 60.0


async def ensure(kubeconfig: str, bootstrap: str, name: str) -> None:
    """Have the node's kubeconfig there. Raises NodeError where nobody signs, InputError for what is no kubeconfig."""
    if _is_good(kubeconfig):
        return
    client = Client(load(bootstrap), f"podward-node/{name}")
    try:
        await _obtain(client, kubeconfig, bootstrap, name)
    finally:
        await client.close()


async def keep(client: Client, kubeconfig: str, name: str, log: Log) -> None:
    """Renew the certificate for ever."""
    while True:
        certificate = _certificate(kubeconfig)
        if certificate is None:  # a token or a file: somebody else's affair
            return
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        left = (begin + (end - begin) * _SPENT - dt.datetime.now(dt.UTC)).total_seconds()
        await asyncio.sleep(max(left, 0.0))
        try:
            await _obtain(client, kubeconfig, kubeconfig, name)
            client.reconnect(load(kubeconfig))
        except (NodeError, InputError) as error:
            log.failed(f"the node's certificate is not renewed: {error.what}")
            await asyncio.sleep(_AGAIN)


async def _obtain(client: Client, kubeconfig: str, like: str, name: str) -> None:
    """Ask for a certificate, wait for it, and write the kubeconfig, which else is `like` another one."""
    key = ec.generate_private_key(ec.SECP256R1())
    asked = x509.CertificateSigningRequestBuilder().subject_name(subject(name)).sign(key, hashes.SHA256())
    answer = await ask(client, _WANTED, asked, key)
    if isinstance(answer, Unsigned):
        if not answer.request:
            raise NodeError(f"the node cannot ask for a certificate: {answer.why}")
        advice = f"`kubectl certificate approve {answer.request}`" if answer.is_late else ""
        raise NodeError(f"certificate signing request {answer.request} {answer.why}", advice=advice)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(kubeconfig, _as_node(like, answer.pem, secret))


def _as_node(like: str, certificate: bytes, key: bytes) -> JsonObject:
    """The kubeconfig with the node as its user; files of authorities are named by their whole paths."""
    raw = _document(like)
    clusters: list[Json] = []
    for row in objects(raw, "clusters"):
        cluster = dict(member(row, "cluster"))
        if authority := text(cluster, "certificate-authority"):
            cluster["certificate-authority"] = os.path.join(os.path.dirname(os.path.abspath(like)), authority)
        clusters.append({**row, "cluster": cluster})
    user: JsonObject = {
        "client-certificate-data": base64.b64encode(certificate).decode(),
        "client-key-data": base64.b64encode(key).decode(),
    }
    contexts: list[Json] = [
        {**row, "context": {**member(row, "context"), "user": "node"}}
        for row in objects(raw, "contexts")
        if row.get("name") == raw.get("current-context")
    ]
    return {**raw, "clusters": clusters, "contexts": contexts, "users": [{"name": "node", "user": user}]}


def _write(kubeconfig: str, content: JsonObject) -> None:
    new = f"{kubeconfig}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    write_private(new, msgspec.json.encode(content))
    os.replace(new, kubeconfig)


def _document(file: str) -> JsonObject:
    with open(file, "rb") as opened:
        documents = decode_documents(opened.read(), file)
    if len(documents) != 1:
        raise InputError("this is no kubeconfig", where=file)
    return documents[0].raw


def _is_good(kubeconfig: str) -> bool:
    """Whether there is a kubeconfig, whose certificate has not run out."""
    if not os.path.exists(kubeconfig):
        return False
    certificate = _certificate(kubeconfig)
    return certificate is None or certificate.not_valid_after_utc > dt.datetime.now(dt.UTC)


def _certificate(kubeconfig: str) -> x509.Certificate | None:
    """The certificate in the kubeconfig; None where it is in no such place."""
    for row in objects(_document(kubeconfig), "users"):
        if written := text(member(row, "user"), "client-certificate-data"):
            with contextlib.suppress(ValueError):
                return x509.load_pem_x509_certificate(base64.b64decode(written))
    return None
