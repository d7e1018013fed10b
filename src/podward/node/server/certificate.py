"""The certificate that a node shows: one that it has signed itself, and as soon as it can, one of the cluster.

Specification: Kubernetes, pkg/kubelet/certificate (serverTLSBootstrap) and k8s.io/client-go, util/certificate: the node
asks for a certificate with its own names by a CertificateSigningRequest of the signer kubernetes.io/kubelet-serving,
and for the next one when three quarters of its life are over. Where it gets none it asks anew, after two seconds, then
later each time, and then all 32 seconds (certificate_manager.go), and shows its own certificate until then, as a
kubelet does that is not told to ask. Key and certificate are kept in one file (0600).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from podward.api.caller import NODE_PREFIX, NODES
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member, objects
from podward.node.log import Log
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

_REQUESTS = BY_PLURAL["certificates.k8s.io", "v1", "certificatesigningrequests"]
_SIGNER = "kubernetes.io/kubelet-serving"
_YEAR, _EARLIER = dt.timedelta(days=365), dt.timedelta(minutes=5)
_FIRST_LOOK, _LONGEST_LOOK = 0.1, 1.0
_PATIENCE = 900.0
_SOON, _LATER = 2.0, 32.0
_CHECKED = 60.0


class ServingCertificate:
    """The certificate of a node of this name and these addresses; `context` shows it to who connects."""

    def __init__(
        self, directory: str, name: str, addresses: Sequence[str], authorities: Sequence[x509.Certificate]
    ) -> None:
        """`authorities` are those of clients: who shows a certificate, shows one of theirs."""
        self._file = os.path.join(directory, "serving.pem")
        self._name = name
        self._addresses = tuple(addresses)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        for authority in authorities:
            self.context.load_verify_locations(cadata=authority.public_bytes(serialization.Encoding.DER))
        if authorities:
            self.context.verify_mode = ssl.CERT_OPTIONAL
        kept = self._kept()
        if kept is None:
            key = ec.generate_private_key(ec.SECP256R1())
            kept = self._own(key)
            self._keep(key, kept.public_bytes(serialization.Encoding.PEM))
        self._use(kept)

    async def keep(self, client: Client, log: Log) -> None:
        """Ask for a certificate of the cluster's when it is time, until cancelled."""
        pause = _SOON
        while True:
            if dt.datetime.now(dt.UTC) < self._due:
                pause = _SOON
                await asyncio.sleep(_CHECKED)
                continue
            why = await self._renew(client)
            if why:
                log.note(f"the node shows the certificate that it has: {why}")
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LATER)

    async def _renew(self, client: Client) -> str:
        """Get a new certificate; why there is none."""
        key = ec.generate_private_key(ec.SECP256R1())
        spec: JsonObject = {
            "request": base64.b64encode(self._request(key)).decode(),
            "signerName": _SIGNER,
            "usages": ["digital signature", "server auth"],
        }
        made = await client.create(_REQUESTS, "", {
            "apiVersion": _REQUESTS.api_version, "kind": _REQUESTS.kind, "metadata": {"generateName": "csr-"},
            "spec": spec,
        })  # fmt: skip
        if isinstance(made, Status):
            return f"it cannot be asked for another: {made.message}"
        name, pause = text(member(made, "metadata"), "name"), _FIRST_LOOK
        try:
            async with asyncio.timeout(_PATIENCE):
                while True:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_LOOK)
                    found = await client.get(_REQUESTS, "", name)
                    answer = found if isinstance(found, Status) else self._answered(key, found)
                    if isinstance(answer, str):
                        return answer
        except TimeoutError:
            return "nobody has approved that it gets another"

    def _answered(self, key: ec.EllipticCurvePrivateKey, request: JsonObject) -> str | None:
        """Use the certificate that was issued: then "", or why there will be none; None while that is not known."""
        status = member(request, "status")
        ended = {text(each, "type") for each in objects(status, "conditions")} & {"Denied", "Failed"}
        if ended:
            return f"the request was {'denied' if 'Denied' in ended else 'refused by the signer'}"
        issued = text(status, "certificate")
        if not issued:
            return None
        try:
            pem = base64.b64decode(issued, validate=True)
            certificate = x509.load_pem_x509_certificate(pem)
        except (binascii.Error, ValueError):
            return "what was issued is no certificate"
        if certificate.public_key() != key.public_key():
            return "what was issued is another's certificate"
        self._keep(key, pem)
        self._use(certificate)
        return ""

    def _use(self, certificate: x509.Certificate) -> None:
        """Show the certificate that was kept; of the cluster's it is known when the next one is due."""
        self.context.load_cert_chain(self._file)
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        own = certificate.issuer == certificate.subject
        self._due = begin if own else end - (end - begin) / 4

    def _kept(self) -> x509.Certificate | None:
        """The certificate of an earlier node, if it counts still and has all our names."""
        try:
            with open(self._file, "rb") as file:
                content = file.read()
            certificate = x509.load_pem_x509_certificate(content)
            serialization.load_pem_private_key(content, None)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, x509.ExtensionNotFound):
            return None
        in_time = dt.datetime.now(dt.UTC) < certificate.not_valid_after_utc
        return certificate if in_time and set(names) == set(self._names()) else None

    def _keep(self, key: ec.EllipticCurvePrivateKey, certificate: bytes) -> None:
        """Write both, at once."""
        content = certificate + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        beside = f"{self._file}.new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(beside, self._file)

    def _subject(self) -> x509.Name:
        return x509.Name([
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, NODES),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{NODE_PREFIX}{self._name}"),
        ])  # fmt: skip

    def _names(self) -> list[x509.GeneralName]:
        addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in self._addresses]
        return [x509.DNSName(self._name), *addresses]

    def _request(self, key: ec.EllipticCurvePrivateKey) -> bytes:
        builder = x509.CertificateSigningRequestBuilder().subject_name(self._subject())
        builder = builder.add_extension(x509.SubjectAlternativeName(self._names()), critical=False)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _own(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        now, name = dt.datetime.now(dt.UTC), self._subject()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _EARLIER)
            .not_valid_after(now + _YEAR)
            .add_extension(x509.SubjectAlternativeName(self._names()), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
