"""What goes stale while a server runs: certificates are renewed before they expire, files are read again."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import os
from pathlib import Path

import pytest
from cryptography import x509

from podward.errors import InputError
from podward.server.freshness import AdminKubeconfig, Followed, ServingCertificate, keep
from podward.server.own_authority import KeyPair, OwnAuthority, renewal_of


def _certificate(path: Path) -> x509.Certificate:
    text = path.read_bytes()
    return x509.load_pem_x509_certificate(text[text.index(b"-----BEGIN CERTIFICATE") :])


def test_a_certificate_is_due_when_three_quarters_of_its_life_are_over(tmp_path: Path) -> None:
    pair: KeyPair = OwnAuthority(str(tmp_path)).client("jane", ())
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    left = certificate.not_valid_after_utc - renewal_of(pair)
    assert dt.timedelta(days=90) < left < dt.timedelta(days=93)


def test_certificates_are_renewed_while_the_server_runs(tmp_path: Path) -> None:
    authority = OwnAuthority(str(tmp_path), dt.timedelta(minutes=-4))  # due as soon as it is made
    serving = ServingCertificate(str(tmp_path), authority, ["localhost"], ())
    config = tmp_path / "kubeconfig"
    admin = AdminKubeconfig(str(config), "https://localhost", authority)
    before, written = _certificate(tmp_path / "serving.pem"), config.read_text()

    async def run() -> None:
        task = asyncio.create_task(keep((serving, admin), (), 0.01))
        while config.read_text() == written:  # noqa: ASYNC110 - it is a file
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(run(), 20))
    after = _certificate(tmp_path / "serving.pem")
    assert after.serial_number != before.serial_number
    for name in ("serving.pem", "kubeconfig", "ca.key"):
        assert os.stat(tmp_path / name).st_mode & 0o777 == 0o600


def test_a_kubeconfig_that_is_somebody_elses_now_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "kubeconfig"
    admin = AdminKubeconfig(str(config), "https://localhost", OwnAuthority(str(tmp_path), dt.timedelta(minutes=-4)))
    config.write_text("mine\n")

    async def run() -> None:
        task = asyncio.create_task(keep((admin,), (), 0.01))
        while not caplog.records:  # noqa: ASYNC110 - it is a log
            await asyncio.sleep(0.01)
        task.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(asyncio.wait_for(run(), 20))
    assert config.read_text() == "mine\n"
    assert "a certificate cannot be renewed" in caplog.text


def test_a_file_is_read_again_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    file, read = tmp_path / "file", list[str]()
    file.write_text("one")
    followed = Followed(str(file), lambda: read.append(file.read_text()))
    followed.look()
    file.write_text("three")
    followed.look()
    followed.look()
    file.unlink()
    followed.look()
    assert read == ["three"]


def test_what_cannot_be_read_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse() -> None:
        raise InputError("nonsense")

    file = tmp_path / "file"
    file.write_text("one")
    followed = Followed(str(file), refuse)
    file.write_text("three")
    followed.look()
    followed.look()
    assert caplog.text.count("has changed and cannot be used: what was known still counts: nonsense") == 1
