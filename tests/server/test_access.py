"""Nobody gets around the chain."""

from __future__ import annotations

import pytest
from api_server import Server

PATHS = ["/api/v1/secrets", "/api/v1/namespaces/default/configmaps", "/metrics", "/apis/none/v1/things", "/none"]


@pytest.mark.parametrize("path", PATHS)
def test_who_bears_a_wrong_token_is_nobody(server: Server, path: str) -> None:
    assert server.ask("GET", path, token="wrong")[0] == 401  # noqa: S106 - none


@pytest.mark.parametrize("path", PATHS)
def test_who_may_do_nothing_is_refused(server: Server, path: str) -> None:
    assert server.ask("GET", path, token="alice-token")[0] == 403  # noqa: S106 - of this test's server
    assert server.ask("GET", path, token="")[0] == 403


@pytest.mark.parametrize("path", ["//api/v1/secrets", "/api//v1/secrets", "/api/v1//secrets", "/API/v1/secrets"])
def test_odd_paths_lead_nowhere(server: Server, path: str) -> None:
    assert server.ask("GET", path)[0] == 404
    assert server.ask("GET", path, token="alice-token")[0] == 403  # noqa: S106 - as above


@pytest.mark.parametrize("path", ["namespaces/default/secrets", "namespaces/default/secrets/x", "secrets"])
def test_what_is_authorized_as_proxy_is_served_as_nothing_else(server: Server, path: str) -> None:
    assert server.ask("GET", f"/api/v1/proxy/{path}?timeoutSeconds=1")[0] == 404


def test_health_and_version_are_open(server: Server) -> None:
    assert server.ask("GET", "/readyz", token="")[:2] == (200, "ok")
    assert server.ask("GET", "/version", token="")[1]["major"] == "1"


def test_who_puts_two_blanks_before_a_token_is_told(server: Server) -> None:
    code, _, headers = server.ask("GET", "/version", token="", Authorization="Bearer  admin-token")
    assert code == 200
    assert "extra space before the bearer token" in headers["Warning"]
    assert "Warning" not in server.ask("GET", "/version", token="")[2]
