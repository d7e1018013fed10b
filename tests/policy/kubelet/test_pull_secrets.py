"""Which credentials of a Pod's pull secrets are tried for an image."""

from __future__ import annotations

import base64
import json

import pytest

from podward.api.json_value import JsonObject
from podward.policy.kubelet import pull_secrets


def secret(*keys: str, kind: str = "kubernetes.io/dockerconfigjson") -> JsonObject:
    logins = {key: {"username": key, "password": "p"} for key in keys}
    new = kind.endswith("json")
    text = base64.b64encode(json.dumps({"auths": logins} if new else logins).encode()).decode()
    return {"type": kind, "data": {".dockerconfigjson" if new else ".dockercfg": text}}


def tried(image: str, *secrets: JsonObject) -> list[str]:
    return [login.username for login in pull_secrets.credentials(image, secrets)]


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("quay.io/team/app:1", "quay.io"),
        ("quay.io/team/app:1", "https://quay.io/team"),
        ("quay.io:8443/app", "quay.io:8443"),
        ("app", "https://index.docker.io/v1/"),
        ("library/app", "docker.io"),
        ("a.gcr.io/app", "*.gcr.io"),
    ],
)
def test_a_registry_that_begins_the_name_is_meant(image: str, key: str) -> None:
    assert tried(image, secret(key)) == [key]


@pytest.mark.parametrize(
    ("image", "key"),
    [
        ("quay.io/team/app", "quay.io/other"),
        ("quay.io/app", "evil-quay.io"),
        ("a.b.gcr.io/app", "*.gcr.io"),
        ("quay.io/app", "docker.io"),
    ],
)
def test_another_registry_never_gets_them(image: str, key: str) -> None:
    assert tried(image, secret(key)) == []


def test_the_longest_is_tried_first() -> None:
    assert tried("quay.io/team/app", secret("quay.io"), secret("quay.io/team")) == ["quay.io/team", "quay.io"]


def test_both_kinds_of_secrets_are_read_and_bad_ones_passed_over() -> None:
    bad: JsonObject = {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "%%%"}}
    other: JsonObject = {"type": "Opaque", "data": {".dockerconfigjson": "e30="}}
    assert tried("quay.io/app", bad, other, secret("quay.io", kind="kubernetes.io/dockercfg")) == ["quay.io"]


def test_a_password_is_not_shown() -> None:
    (login,) = pull_secrets.credentials("quay.io/app", [secret("quay.io")])
    assert "'p'" not in repr(login)
