"""The certificate that a node shows: one that it has signed itself, and as soon as it can, one of the cluster.

Specification: Kubernetes, pkg/kubelet/certificate (serverTLSBootstrap) and k8s.io/client-go, util/certificate: the node
asks for a certificate with its own names by a CertificateSigningRequest of the signer kubernetes.io/kubelet-serving,
and for the next one when three quarters of its life are over. Where it gets none it asks anew, after two seconds, then
later each time, and then all 32 seconds (certificate_manager.go), and shows its own certificate until then, as a
kubelet does that is not told to ask. Key and certificate are kept in one file (0600).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from podward.client.api import Client
from podward.node.asked_certificate import Issued, Wanted, ask, subject
from podward.node.log import Log

_WANTED = Wanted("csr-", "kubernetes.io/kubelet-serving", "server auth", patience=900.0)
_YEAR, _EARLIER = dt.timedelta(days=365), dt.timedelta(minutes=5)
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
        answer = await ask(client, _WANTED, self._request(key), key)
        if isinstance(answer, Issued):
            self._keep(key, answer.pem)
            self._use(answer.certificate)
            return ""
        return f"its request {answer.request} {answer.why}" if answer.request else f"it cannot ask: {answer.why}"

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

    def _names(self) -> list[x509.GeneralName]:
        addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in self._addresses]
        return [x509.DNSName(self._name), *addresses]

    def _request(self, key: ec.EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject(self._name))
        builder = builder.add_extension(x509.SubjectAlternativeName(self._names()), critical=False)
        return builder.sign(key, hashes.SHA256())

    def _own(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        now, name = dt.datetime.now(dt.UTC), subject(self._name)
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
