"""Secrets for tokens of service accounts are filled in, and their tokens are good as long as the Secret has them."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api_server import Server, running

CORE = "/api/v1/namespaces/default"
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server"), "--controllers=serviceaccount-token-controller") as started:
        yield started


def _account(server: Server, name: str) -> None:
    server.ask("POST", f"{CORE}/serviceaccounts", {"metadata": {"name": name}})


def _secret(server: Server, name: str, account: str, **annotations: str) -> None:
    named = {"kubernetes.io/service-account.name": account, **annotations}
    body = {"metadata": {"name": name, "annotations": named}, "type": "kubernetes.io/service-account-token"}
    code, answer, _ = server.ask("POST", f"{CORE}/secrets", body)
    assert code == 201, answer


def _filled(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def holds() -> bool:
        _, answer, _ = server.ask("GET", f"{CORE}/secrets/{name}")
        found.update(answer)
        return bool(found.get("data", {}).get("token"))

    _wait(holds)
    return found


def _wait(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _who(server: Server, token: str) -> str | None:
    code, answer, _ = server.ask("POST", WHOAMI, REVIEW, token=token)
    return str(answer["status"]["userInfo"]["username"]) if code == 201 else None


def test_a_secret_is_given_the_token_of_its_account(server: Server) -> None:
    _account(server, "robot")
    _secret(server, "robot-token", "robot")
    found = _filled(server, "robot-token")
    assert base64.b64decode(found["data"]["namespace"]) == b"default"
    assert base64.b64decode(found["data"]["ca.crt"]).startswith(b"-----BEGIN CERTIFICATE-----")
    assert found["metadata"]["annotations"]["kubernetes.io/service-account.uid"]
    token = base64.b64decode(found["data"]["token"]).decode()
    assert _who(server, token) == "system:serviceaccount:default:robot"


def test_a_token_ends_with_its_secret(server: Server) -> None:
    _account(server, "robot")
    _secret(server, "short", "robot")
    token = base64.b64decode(_filled(server, "short")["data"]["token"]).decode()
    server.ask("DELETE", f"{CORE}/secrets/short")
    assert _who(server, token) is None
    _secret(server, "short", "robot")
    other = base64.b64decode(_filled(server, "short")["data"]["token"]).decode()
    assert _who(server, other) is not None


def test_a_token_that_the_secret_no_longer_holds_is_no_good(server: Server) -> None:
    _account(server, "robot")
    _secret(server, "changed", "robot")
    token = base64.b64decode(_filled(server, "changed")["data"]["token"]).decode()
    patch = {"data": {"token": base64.b64encode(b"other").decode()}}
    server.ask("PATCH", f"{CORE}/secrets/changed", patch, Content_Type="application/merge-patch+json")
    assert _who(server, token) is None


def test_a_secret_goes_with_its_account(server: Server) -> None:
    _account(server, "gone")
    _secret(server, "gone-token", "gone")
    token = base64.b64decode(_filled(server, "gone-token")["data"]["token"]).decode()
    server.ask("DELETE", f"{CORE}/serviceaccounts/gone")
    assert _who(server, token) is None
    _wait(lambda: server.ask("GET", f"{CORE}/secrets/gone-token")[0] == 404)


def test_a_secret_for_another_account_of_the_name_goes(server: Server) -> None:
    _account(server, "robot")
    _secret(server, "other", "robot", **{"kubernetes.io/service-account.uid": "another"})
    _wait(lambda: server.ask("GET", f"{CORE}/secrets/other")[0] == 404)


def test_the_day_on_which_a_token_was_last_used_is_noted(server: Server) -> None:
    """By this the cleaner of unused tokens knows them; also where a token is marked as invalid, and refused."""
    _account(server, "used")
    _secret(server, "used", "used")
    token = base64.b64decode(_filled(server, "used")["data"]["token"]).decode()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    tracking = "/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking"
    assert server.ask("GET", tracking)[1]["data"]["since"] <= today
    label = "kubernetes.io/legacy-token-last-used"
    for code, marks in ((200, {}), (401, {"kubernetes.io/legacy-token-invalid-since": today})):
        patch = {"metadata": {"labels": {label: None, **marks}}}
        server.ask("PATCH", f"{CORE}/secrets/used", patch, Content_Type="application/merge-patch+json")
        assert server.ask("GET", "/version", token=token)[0] == code
        assert server.ask("GET", f"{CORE}/secrets/used")[1]["metadata"]["labels"] == {label: today, **marks}
