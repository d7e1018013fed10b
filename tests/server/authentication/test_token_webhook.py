"""A token webhook at a running server: who is asked, what it may answer, and that nothing else lets anybody in."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from api_server import Server
from webhook_server import Authority, Webhook, listening

WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
OWN = "https://kubernetes.default.svc"
JANE = {"username": "jane", "uid": "7", "groups": ["dev"], "extra": {"example.org/team": ["t"]}}
STATUSES: dict[str, dict[str, Any]] = {
    "good": {"authenticated": True, "user": JANE},
    "for-us": {"authenticated": True, "user": JANE, "audiences": [OWN, "x"]},
    "for-others": {"authenticated": True, "user": JANE, "audiences": ["x"]},
    "nameless": {"authenticated": True, "user": {}},
    "no": {"authenticated": False, "user": JANE},
    "unlucky": {"authenticated": False, "error": "bad luck"},
}
BROKEN: dict[str, Any] = {
    "code-403": 403,
    "no-json": b"{",
    "other-kind": {"apiVersion": "v1", "kind": "Pod", "status": STATUSES["good"]},
    "other-version": {"apiVersion": "authentication.k8s.io/v2", "kind": "TokenReview", "status": STATUSES["good"]},
    "odd-user": {"status": {"authenticated": True, "user": {"username": 3}}},
}


class World(NamedTuple):
    """A server, and a webhook that it asks."""

    server: Server
    webhook: Webhook

    def who(self, token: str) -> dict[str, Any] | None:
        """The user who bears the token; None for nobody."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        code, answer, _ = self.server.ask("POST", WHOAMI, review, token=token)
        return dict(answer["status"]["userInfo"]) if code == 201 else None

    def review(self, token: str, *audiences: str) -> dict[str, Any]:
        """What a TokenReview says."""
        spec = {"token": token, "audiences": list(audiences)}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        _, answer, _ = self.server.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body)
        return dict(answer["status"])

    def asked(self, token: str) -> list[dict[str, Any]]:
        """What the webhook was sent about the token."""
        return [review for _, review in self.webhook.asked if review["spec"]["token"] == token]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory, authority = tmp_path_factory.mktemp("webhook"), Authority()
    with listening(authority.issue(directory, "127.0.0.1")) as webhook:
        webhook.answers["/ask"] = _answer
        kubeconfig = _kubeconfig(directory, webhook, authority)
        flag = "--authentication-token-webhook-"
        flags = (f"{flag}config-file={kubeconfig}", f"{flag}version=v1", f"{flag}cache-ttl=30s")
        server = Server(directory, *flags)
        try:
            yield World(server, webhook)
        finally:
            server.process.terminate()
            _, errors = server.process.communicate(timeout=30)
    assert "code-403" not in errors


def _answer(review: dict[str, Any]) -> Any:  # noqa: ANN401 - what a webhook answers
    token = review["spec"]["token"]
    if token in BROKEN:
        return BROKEN[token]
    return {"apiVersion": review["apiVersion"], "kind": review["kind"], "status": STATUSES.get(token, {})}


def _kubeconfig(directory: Path, webhook: Webhook, authority: Authority) -> Path:
    bundle = directory / "webhook-ca.pem"
    bundle.write_bytes(base64.b64decode(authority.bundle))
    made = directory / "webhook.kubeconfig"
    made.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n"
        "contexts: [{name: it, context: {cluster: it, user: us}}]\nusers: [{name: us, user: {}}]\n"
        f"clusters: [{{name: it, cluster: {{server: '{webhook.url('/ask')}', certificate-authority: {bundle}}}}}]\n"
    )
    return made


@pytest.mark.parametrize("token", ["good", "for-us"])
def test_whom_the_webhook_names_is_the_user(world: World, token: str) -> None:
    assert world.who(token) == {**JANE, "groups": ["dev", "system:authenticated"]}


def test_the_webhook_is_sent_a_review_with_the_audiences_and_asked_once(world: World) -> None:
    world.who("once")
    world.who("once")
    assert world.asked("once") == [
        {
            "kind": "TokenReview",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {},
            "spec": {"token": "once", "audiences": [OWN]},
            "status": {"user": {}},
        }
    ]


@pytest.mark.parametrize("token", ["for-others", "nameless", "no", "unlucky", "unknown", *BROKEN])
def test_nothing_else_names_anybody(world: World, token: str) -> None:
    assert world.who(token) is None


def test_why_a_token_is_nobodys_is_told_and_a_failure_is_not_remembered(world: World) -> None:
    assert world.review("unlucky") == {"user": {}, "error": "[invalid bearer token, bad luck]"}
    before = len(world.asked("code-403"))
    assert "error" in world.review("code-403")
    assert len(world.asked("code-403")) == before + 1


def test_a_token_is_good_for_the_audiences_that_the_webhook_names(world: World) -> None:
    assert world.review("for-others", "x", "y")["audiences"] == ["x"]
    assert world.review("for-us")["audiences"] == [OWN]
    assert "authenticated" not in world.review("good", "x")


def test_those_whom_the_server_knows_are_no_affair_of_the_webhook(world: World) -> None:
    assert world.who("admin-token") is not None
    assert world.asked("admin-token") == []


def test_a_webhook_that_is_gone_names_nobody(tmp_path: Path) -> None:
    authority = Authority()
    with listening(authority.issue(tmp_path, "127.0.0.1")) as webhook:
        kubeconfig = _kubeconfig(tmp_path, webhook, authority)
    server = Server(tmp_path, f"--authentication-token-webhook-config-file={kubeconfig}")
    try:
        begun = time.monotonic()
        world = World(server, webhook)
        assert world.who("good") is None
        assert world.who("admin-token") is not None
        assert time.monotonic() - begun < 20
    finally:
        server.process.terminate()
        _, errors = server.process.communicate(timeout=30)
    assert "token webhook: it cannot be asked: " in errors
