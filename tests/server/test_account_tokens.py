"""Tokens of service accounts: issued, borne, and gone with what they are bound to."""

from __future__ import annotations

import stat

from api_server import Server

ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
REQUEST = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def _token(server: Server, name: str, **spec: object) -> str:
    server.ask("POST", ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})
    code, issued, _ = server.ask("POST", f"{ACCOUNTS}/{name}/token", {**REQUEST, "spec": spec})
    assert code == 201, issued
    return str(issued["status"]["token"])


def test_who_bears_a_token_is_the_account(server: Server) -> None:
    code, found, _ = server.ask("POST", WHOAMI, REVIEW, token=_token(server, "robot"))
    assert (code, found["status"]["userInfo"]["username"]) == (201, "system:serviceaccount:default:robot")


def test_a_token_ends_with_its_account(server: Server) -> None:
    token = _token(server, "gone")
    server.ask("DELETE", f"{ACCOUNTS}/gone")
    assert server.ask("GET", "/version", token=token)[0] == 401


def test_a_token_ends_with_the_secret_that_it_is_bound_to(server: Server) -> None:
    secrets = "/api/v1/namespaces/default/secrets"
    server.ask("POST", secrets, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bound"}})
    token = _token(server, "bound", boundObjectRef={"kind": "Secret", "apiVersion": "v1", "name": "bound"})
    assert server.ask("GET", "/version", token=token)[0] == 200
    server.ask("DELETE", f"{secrets}/bound")
    assert server.ask("GET", "/version", token=token)[0] == 401


def test_a_token_for_others_is_no_good_here(server: Server) -> None:
    assert server.ask("GET", "/version", token=_token(server, "vault", audiences=["vault"]))[0] == 401


def test_a_token_that_was_tampered_with_is_nobodys(server: Server) -> None:
    head, claims, signature = _token(server, "robot").split(".")
    assert server.ask("GET", "/version", token=f"{head}.{claims[:-2]}AA.{signature}")[0] == 401
    assert server.ask("GET", "/version", token=f"{head}.{claims}.")[0] == 401


def test_keys_are_for_their_owner_alone(server: Server) -> None:
    for name in ("ca.key", "service-account.key", "serving.pem"):
        assert stat.S_IMODE((server.data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
