"""Several issuers from an AuthenticationConfiguration, which is read again when it changes."""

from __future__ import annotations

import base64
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from api_server import Server
from token_issuer import TokenIssuer, issuing
from webhook_server import Authority

from podward.cli import main

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def _entry(issuer: TokenIssuer, authority: Authority, prefix: str) -> str:
    pem = textwrap.indent(base64.b64decode(authority.bundle).decode(), " " * 6)
    return (
        f"- issuer:\n    url: {issuer.url}\n    audiences: [cluster]\n    certificateAuthority: |\n{pem}"
        f"  claimMappings:\n    username: {{expression: \"'{prefix}:' + claims.sub\"}}\n"
    )


def _configuration(*entries: str) -> str:
    head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
    return f"{head}anonymous: {{enabled: true, conditions: [{{path: /livez}}]}}\njwt:\n{''.join(entries)}"


def test_each_issuer_names_its_own_and_a_changed_file_is_used(tmp_path: Path) -> None:
    authority, file = Authority(), tmp_path / "authentication.yaml"
    with issuing(tmp_path, authority) as one, issuing(tmp_path, authority) as two:
        file.write_text(_configuration(_entry(one, authority, "one")))
        server = Server(tmp_path, f"--authentication-config={file}")
        try:

            def name(token: str) -> str | None:
                code, answer, _ = server.ask("POST", WHOAMI, REVIEW, token=token)
                return str(answer["status"]["userInfo"]["username"]) if code == 201 else None

            _wait(lambda: name(one.token()) == "one:jane")
            assert name(two.token()) is None
            assert [server.ask("GET", path, token="")[0] for path in ("/livez", "/readyz", "/livez/ping")] == [
                200,
                401,
                401,
            ]
            file.write_text(_configuration(_entry(one, authority, "one"), _entry(two, authority, "two")))
            _wait(lambda: name(two.token()) == "two:jane")
            assert name(one.token()) == "one:jane"
            file.write_text("nonsense")
            time.sleep(6)
            assert name(two.token()) == "two:jane"
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
    assert "has changed and was read again" in errors
    assert "has changed and cannot be used: what was known still counts" in errors


def _wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--oidc-issuer-url=https://a.example"], "oidc-issuer-url and oidc-client-id must be specified together"),
        (["--oidc-issuer-url=http://a.example", "--oidc-client-id=x"], "URL scheme must be https"),
        (
            ["--oidc-issuer-url=https://kubernetes.default.svc", "--oidc-client-id=x"],
            "must not overlap with disallowed",
        ),
        (
            ["--oidc-issuer-url=https://a.example", "--oidc-client-id=x", "--oidc-signing-algs=HS256"],
            "unsupported signing",
        ),
        (
            ["--oidc-issuer-url=https://a.example", "--oidc-client-id=x", "--oidc-signing-algs=none"],
            "unsupported signing",
        ),
        (["--oidc-issuer-url=https://a.example", "--oidc-client-id=x", "--oidc-ca-file=/none"], "No such file"),
        (["--oidc-required-claim=hd"], "is no claim and its value"),
        (["--authentication-config=/none"], "/none: cannot be read"),
        (["--authentication-config=FILE", "--oidc-client-id=x"], "are mutually exclusive"),
        (
            ["--authentication-config=FILE", "--anonymous-auth=true"],
            "--anonymous-auth flag cannot be set when anonymous",
        ),
        (["--authentication-token-webhook-config-file=/none"], "/none: cannot be read"),
        (["--authentication-token-webhook-config-file=FILE"], "not a kubeconfig"),
        (["--authentication-token-webhook-version=v2"], "invalid choice"),
        (["--basic-auth-file=FILE"], "others may read it"),
        (["--service-account-key-file=FILE"], "there is no key in it"),
        (["--service-account-signing-key-file=/none"], "/none: cannot be read"),
        (["--service-account-max-token-expiration=10m"], "between 1 hour and 2^32 seconds"),
        (["--requestheader-client-ca-file=FILE"], "there is no certificate in it"),
    ],
)
def test_flags_that_mean_nothing_end_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    file = tmp_path / "authentication.yaml"
    head = "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n"
    file.write_text(f"{head}anonymous: {{enabled: false}}\n")
    file.chmod(0o644)
    words = ["apiserver", "--data-dir", str(tmp_path / "data"), "--secure-port", "0"]
    assert main.main([*words, *(flag.replace("FILE", str(file)) for flag in flags)]) == 2
    assert said in capsys.readouterr().err
