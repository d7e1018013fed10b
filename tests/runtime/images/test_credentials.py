"""Who we are to a registry, and that nobody else learns it."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import msgspec
import pytest

from podward.api.cri_status import AuthConfig
from podward.errors import ImageError, InputError
from podward.runtime.images.credentials import NOBODY, Credentials, Logins
from podward.runtime.images.endpoints import Endpoint

OWN = Endpoint("r.example.com", "team/app")
MIRROR = Endpoint("m.example.com", "team/app", mirror_of="r.example.com")
DOMAIN = "r.example.com"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture(autouse=True)
def _no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)


IDENTITY = Credentials("", "", "i")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"username": "u", "password": "p"}, Credentials("u", "p")),
        ({"auth": encoded("u:p:q")}, Credentials("u", "p:q")),
        ({"auth": encoded("u:p\0\0")}, Credentials("u", "p")),
        ({"username": "u", "password": "p", "identityToken": "i"}, IDENTITY),
        ({"identityToken": "i", "registryToken": "r"}, Credentials("", "", "", "r")),
        ({}, NOBODY),
        ({"username": "u", "serverAddress": "https://r.example.com/v1/"}, Credentials("u")),
        ({"username": "u", "serverAddress": "r.example.com"}, Credentials("u")),
        ({"username": "u", "serverAddress": "https://other.example.com"}, NOBODY),
    ],
)
def test_what_comes_with_the_call(given: dict[str, str], found: Credentials) -> None:
    assert Logins(msgspec.convert(given, AuthConfig), "", DOMAIN).at(OWN) == found


def test_a_mirror_learns_nothing_unless_it_is_named() -> None:
    assert Logins(AuthConfig(username="u"), "", DOMAIN).at(MIRROR) == NOBODY
    assert Logins(AuthConfig(username="u", server_address="m.example.com"), "", DOMAIN).at(MIRROR) == Credentials("u")
    assert Logins(AuthConfig(username="u", server_address="m.example.com"), "", DOMAIN).at(OWN) == NOBODY


def test_docker_io_goes_by_three_names() -> None:
    hub = Endpoint("registry-1.docker.io", "library/alpine")
    for address in ("https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"):
        assert Logins(AuthConfig(username="u", server_address=address), "", "docker.io").at(hub) == Credentials("u")


def test_no_text_of_ours_shows_a_secret() -> None:
    secret = encoded("5ecret")
    given = AuthConfig("u", secret, encoded(f"u:{secret}"), "", secret, secret)
    shown = f"{given} {given!r} {Logins(given, '', DOMAIN).at(OWN)!r} {Credentials('u', secret)}"
    assert secret not in shown
    assert encoded(f"u:{secret}") not in shown


@pytest.mark.parametrize("auth", ["%%%", encoded("no colon"), "//8="])
def test_credentials_that_are_none_are_said_so_without_quoting_them(auth: str) -> None:
    with pytest.raises(ImageError, match="not base64 of NAME:PASSWORD") as caught:
        Logins(AuthConfig(auth=auth), "", DOMAIN).at(OWN)
    assert auth not in str(caught.value)


def write(place: str, content: object) -> str:
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w") as file:
        json.dump(content, file)
    return place


def test_the_longest_beginning_of_the_name_counts(tmp_path: Path) -> None:
    keys = ("r.example.com", "r.example.com/team", "r.example.com/team/app", "r.example.com/te", "https://old.io/v1/")
    auths = {key: {"auth": encoded(f"{number}:p")} for number, key in enumerate(keys)}
    logins = Logins(None, write(f"{tmp_path}/auth.json", {"auths": auths}), DOMAIN)
    assert logins.at(OWN).username == "2"
    assert logins.at(Endpoint("r.example.com", "team/other")).username == "1"
    assert logins.at(Endpoint("r.example.com", "teams")).username == "0"
    assert logins.at(Endpoint("old.io", "x")).username == "4"
    assert logins.at(MIRROR) == NOBODY


def test_the_usual_files_are_looked_at_in_their_order(tmp_path: Path) -> None:
    def login(name: str) -> dict[str, object]:
        return {"auths": {"r.example.com": {"auth": encoded(f"{name}:p")}}}

    logins = Logins(None, "", DOMAIN)
    assert logins.at(OWN) == NOBODY
    for name in ("DOCKER_CONFIG/config.json", "XDG_CONFIG_HOME/containers/auth.json"):
        write(f"{tmp_path}/{name}", login(name))
        assert logins.at(OWN).username == name
    write(f"{tmp_path}/XDG_RUNTIME_DIR/containers/auth.json", {"auths": {"other.io": {"identitytoken": "i"}}})
    assert logins.at(OWN).username == "XDG_CONFIG_HOME/containers/auth.json"
    assert logins.at(Endpoint("other.io", "x")) == IDENTITY


def test_a_helper_is_asked_for_its_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker-credential-mine"
    program.write_text(
        """#!/bin/sh
read host
[ "$1 $host" = "get r.example.com" ] && echo '{"ServerURL": "x", "Username": "u", "Secret": "p"}' || exit 1
"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    file = write(f"{tmp_path}/auth.json", {"credHelpers": {"r.example.com": "mine", "x.io": "../mine", "y.io": "none"}})
    logins = Logins(None, file, DOMAIN)
    assert logins.at(OWN) == Credentials("u", "p")
    assert logins.at(MIRROR) == NOBODY
    assert Logins(None, write(f"{tmp_path}/store.json", {"credsStore": "mine"}), DOMAIN).at(MIRROR) == NOBODY
    for host in ("x.io", "y.io"):
        with pytest.raises(InputError, match=r"credential helper|is not installed"):
            logins.at(Endpoint(host, "a"))


def test_a_file_of_credentials_that_is_wrong_is_said_so_without_quoting_it(tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    with pytest.raises(InputError, match="no such file"):
        Logins(None, str(file), DOMAIN).at(OWN)
    file.write_text('{"auths": {"r.example.com": {"auth": 5, "x": "5ecret"}}}')
    with pytest.raises(InputError, match=r"auth\.json: the credentials can't be read") as caught:
        Logins(None, str(file), DOMAIN).at(OWN)
    assert "5ecret" not in str(caught.value)
