"""How a node comes to the certificate that it shows."""

from __future__ import annotations

import asyncio
import datetime as dt
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from podward.api.json_value import JsonObject
from podward.api.status import Status, service_unavailable
from podward.node.log import Log
from podward.node.server import certificate
from podward.node.server.certificate import ServingCertificate


class Cluster:
    """It cannot take the first request, refuses the second one, and signs the third."""

    def __init__(self) -> None:
        self.asked: list[JsonObject] = []
        self.signed = asyncio.Event()
        self.authority = ec.generate_private_key(ec.SECP256R1())

    async def create(self, _resource: object, _namespace: str, obj: JsonObject) -> JsonObject | Status:
        self.asked.append(obj)
        if len(self.asked) == 1:
            return service_unavailable("not yet")
        return {**obj, "metadata": {"name": f"csr-{len(self.asked)}"}}

    async def get(self, _resource: object, _namespace: str, name: str) -> JsonObject | Status:
        if name == "csr-2":
            return {"status": {"conditions": [{"type": "Denied"}]}}
        self.signed.set()
        spec = self.asked[-1]["spec"]
        assert isinstance(spec, dict)
        return {"status": {"certificate": b64encode(self._signed(b64decode(str(spec["request"])))).decode()}}

    def _signed(self, request: bytes) -> bytes:
        asked, now = x509.load_pem_x509_csr(request), dt.datetime.now(dt.UTC)
        names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = x509.CertificateBuilder().subject_name(asked.subject).public_key(asked.public_key())
        builder = builder.issuer_name(x509.Name([])).serial_number(1).add_extension(names, critical=False)
        made = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
        return made.sign(self.authority, hashes.SHA256()).public_bytes(Encoding.PEM)


def shown(directory: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / "serving.pem").read_bytes())


def test_a_node_asks_again_soon_where_it_got_no_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "_SOON", 0.01)
    own = ServingCertificate(str(tmp_path), "n1", ["192.0.2.7"], ())
    assert shown(tmp_path).issuer == shown(tmp_path).subject

    async def until_it_has_one() -> Cluster:
        cluster = Cluster()
        keeping = asyncio.create_task(own.keep(cluster, Log()))  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            await cluster.signed.wait()
            while shown(tmp_path).issuer == shown(tmp_path).subject:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.01)
        keeping.cancel()
        return cluster

    cluster = asyncio.run(until_it_has_one())
    assert len(cluster.asked) == 3
    names = shown(tmp_path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["n1", "192.0.2.7"]
