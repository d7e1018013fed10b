"""An issuer's keys and metadata are read from what it answers, however odd that is."""

from __future__ import annotations

import json

import pytest

from podward.access import jwt
from podward.access.oidc.key_set import key_set_url, keys_of

URL = "https://issuer.example"
EC = {
    "kty": "EC", "crv": "P-256", "kid": "e",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}  # fmt: skip
"""The key of RFC 7515, appendix A.3, and its token."""
SIGNED = (
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
)


def test_a_token_of_the_rfc_fits_its_key_and_no_other() -> None:
    keys = keys_of(json.dumps({"keys": [EC]}).encode())
    assert not isinstance(keys, str)
    token = jwt.parsed(SIGNED)
    assert token is not None
    assert [(key.id, jwt.fits(token, key.key)) for key in keys] == [("e", True)]
    tampered = jwt.parsed(SIGNED[:-2] + "AA")
    assert tampered is not None
    assert not jwt.fits(tampered, keys[0].key)


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {**EC, "x": "AAAA"},
        {**EC, "crv": "secp256k1"},
        {**EC, "x": "!"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "", "e": ""},
        {"kty": 5},
        "x",
        None,
    ],
)
def test_a_key_that_no_algorithm_uses_is_passed_over(key: object) -> None:
    found = keys_of(json.dumps({"keys": [key, EC]}).encode())
    assert not isinstance(found, str)
    assert [each.id for each in found] == ["e"]


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b'{"keys": 3}', b"[" * 100_000])
def test_what_is_no_key_set_is_told(document: bytes) -> None:
    found = keys_of(document)
    assert isinstance(found, str)
    assert found.startswith("oidc: failed to decode keys: ")


@pytest.mark.parametrize(
    ("metadata", "fault"),
    [
        ({"issuer": URL}, "provider did not return JWKS URL"),
        (
            {"issuer": f"{URL}/", "jwks_uri": URL},
            f'oidc: issuer did not match the issuer returned by provider, expected "{URL}" got "{URL}/"',
        ),
        ({"issuer": URL, "jwks_uri": "http://x"}, 'the issuer\'s keys are at no https URL: "http://x"'),
    ],
)
def test_metadata_that_are_not_to_be_used(metadata: dict[str, str], fault: str) -> None:
    assert key_set_url(json.dumps(metadata).encode(), URL) == fault


def test_metadata_tell_where_the_keys_are() -> None:
    document = json.dumps({"issuer": URL, "jwks_uri": f"{URL}/keys", "scopes_supported": []}).encode()
    assert key_set_url(document, URL) == (f"{URL}/keys",)
