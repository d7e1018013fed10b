"""A kubeconfig that leads to a webhook: whom it trusts, as whom it calls, and what of it is refused, by line."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from podward.client.connection import load
from podward.errors import InputError
from podward.server.own_authority import OwnAuthority

TEXT = """apiVersion: v1
kind: Config
current-context: it
contexts: [{name: it, context: {cluster: gate, user: server}}]
clusters:
- name: gate
  cluster: {server: "https://gate.example.com/authorize", certificate-authority: ca.crt}
users:
- name: server
  user: {token: secret-word}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    OwnAuthority(str(tmp_path))
    made = tmp_path / "gate.kubeconfig"
    made.write_text(TEXT)
    return made


def test_it_says_where_and_as_whom(file: Path) -> None:
    found = load(str(file))
    assert found.server == "https://gate.example.com/authorize"
    assert found.headers == (("Authorization", "Bearer secret-word"),)
    assert found.tls.verify_mode is ssl.CERT_REQUIRED
    assert found.tls.check_hostname
    assert len(found.tls.get_ca_certs()) == 1


def test_a_token_goes_over_https_alone(file: Path) -> None:
    file.write_text(TEXT.replace("https://", "http://"))
    assert load(str(file)).headers == ()


def test_a_certificate_may_say_who_calls(file: Path) -> None:
    pair = OwnAuthority(str(file.parent)).client("server", ())
    (file.parent / "me.crt").write_bytes(pair.certificate)
    (file.parent / "me.key").write_bytes(pair.key)
    file.write_text(TEXT.replace("token: secret-word", "client-certificate: me.crt, client-key: me.key"))
    assert load(str(file)).headers == ()
    file.write_text(TEXT.replace("token: secret-word", "client-certificate: me.crt"))
    with pytest.raises(InputError, match="a client certificate needs its key"):
        load(str(file))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("current-context: it", "current-context: other", ":3: current-context: Required value"),
        ("cluster: gate,", "cluster: lost,", "there is no cluster 'lost'"),
        ("user: server}", "user: nobody}", "there is no user 'nobody'"),
        ("https://gate", "gate", ":7: clusters[0].cluster.server: Required value"),
        ("ca.crt", "lost.crt", "lost.crt: cannot be read"),
        ("certificate-authority: ca.crt", "insecure-skip-tls-verify: true", ":7: "),
        ("token: secret-word", "exec: {command: x}", ":10: "),
        ("token: secret-word", "tokenFile: lost", "lost: cannot be read"),
        ("kind: Config", "kind: Pod", "this is Pod of v1, not a kubeconfig"),
    ],
)
def test_what_is_wrong_is_told_by_line(file: Path, old: str, new: str, fault: str) -> None:
    file.write_text(TEXT.replace(old, new))
    with pytest.raises(InputError) as raised:
        load(str(file))
    assert fault in str(raised.value)
    assert "secret-word" not in str(raised.value)
