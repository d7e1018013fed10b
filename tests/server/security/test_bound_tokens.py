"""A token is worth nothing from the moment on in which what it is bound to is gone, also where another has its name."""

from __future__ import annotations

import pytest
from api_server import Server

CORE = "/api/v1/namespaces/default"
ACCOUNTS = f"{CORE}/serviceaccounts"
POD = {"spec": {"serviceAccountName": "bound", "containers": [{"name": "c", "image": "x"}]}}
BOUND = {
    "Pod": (f"{CORE}/pods", POD),
    "Secret": (f"{CORE}/secrets", {}),
    "Node": ("/api/v1/nodes", {}),
}


@pytest.fixture(scope="module", autouse=True)
def account(server: Server) -> None:
    server.ask("POST", ACCOUNTS, {"metadata": {"name": "bound"}})


def token(server: Server, account: str, **spec: object) -> str:
    code, told, _ = server.ask("POST", f"{ACCOUNTS}/{account}/token", {"spec": spec})
    assert code == 201, told
    return str(told["status"]["token"])


def good(server: Server, borne: str) -> bool:
    code = server.ask("GET", "/api", token=borne)[0]
    assert code in {200, 401}
    review = {"spec": {"token": borne}}
    told = server.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", review)[1]["status"]
    assert told.get("authenticated", False) == (code == 200)
    return code == 200


@pytest.mark.parametrize("kind", BOUND)
def test_it_ends_with_what_it_is_bound_to_for_good(server: Server, kind: str) -> None:
    collection, body = BOUND[kind]
    name = f"of-{kind.lower()}"
    code, made, _ = server.ask("POST", collection, {"metadata": {"name": name}, **body})
    assert code == 201, made
    borne = token(server, "bound", boundObjectRef={"kind": kind, "apiVersion": "v1", "name": name})
    assert good(server, borne)
    assert server.ask("DELETE", f"{collection}/{name}?gracePeriodSeconds=0")[0] == 200
    assert not good(server, borne)
    assert server.ask("POST", collection, {"metadata": {"name": name}, **body})[0] == 201
    assert not good(server, borne), "another of the same name is not it"


def test_it_ends_with_its_account_for_good(server: Server) -> None:
    server.ask("POST", ACCOUNTS, {"metadata": {"name": "once"}})
    borne = token(server, "once")
    assert good(server, borne)
    server.ask("DELETE", f"{ACCOUNTS}/once")
    assert not good(server, borne)
    server.ask("POST", ACCOUNTS, {"metadata": {"name": "once"}})
    assert not good(server, borne), "another of the same name is not it"


def test_it_is_not_given_for_what_is_not_there_or_another(server: Server) -> None:
    server.ask("POST", f"{CORE}/secrets", {"metadata": {"name": "there"}})
    for reference in (
        {"kind": "Secret", "apiVersion": "v1", "name": "not-there"},
        {"kind": "Secret", "apiVersion": "v1", "name": "there", "uid": "00000000-0000-0000-0000-000000000000"},
        {"kind": "ConfigMap", "apiVersion": "v1", "name": "there"},
        {"kind": "Secret", "apiVersion": "apps/v1", "name": "there"},
    ):
        code, told, _ = server.ask("POST", f"{ACCOUNTS}/bound/token", {"spec": {"boundObjectRef": reference}})
        assert code in {400, 404, 409, 422}, told


def test_it_is_not_given_for_a_pod_of_another_account(server: Server) -> None:
    server.ask("POST", ACCOUNTS, {"metadata": {"name": "other"}})
    server.ask("POST", f"{CORE}/pods", {"metadata": {"name": "mine"}, **POD})
    reference = {"kind": "Pod", "apiVersion": "v1", "name": "mine"}
    code, _, _ = server.ask("POST", f"{ACCOUNTS}/other/token", {"spec": {"boundObjectRef": reference}})
    assert code in {400, 403, 422}
