"""A server with an authorization webhook asks it, remembers what it said, and allows nothing that it did not say."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running

ALICE = "alice-token"
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: gate, user: server}}}}]
clusters: [{{name: gate, cluster: {{server: "http://127.0.0.1:{port}/authorize"}}}}]
users: [{{name: server, user: {{token: secret-word}}}}]
"""


class Gate(http.server.ThreadingHTTPServer):
    """A webhook that allows what begins with `open`, denies what begins with `shut`, and fails over `broken`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.words: list[str | None] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Gate  # type: ignore[mutable-override]  # made by it alone

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(review)
        self.server.words.append(self.headers["Authorization"])
        namespace = review["spec"].get("resourceAttributes", {}).get("namespace", "")
        status = {"allowed": namespace.startswith("open"), "denied": namespace.startswith("shut"), "reason": namespace}
        answer = json.dumps({**review, "status": status}).encode()
        if namespace.startswith("broken"):
            answer = b"{"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    made = Gate()
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def guarded(gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("guarded")
    config = directory / "gate.kubeconfig"
    config.write_text(KUBECONFIG.format(port=gate.server_port))
    flags = ("--authorization-webhook-config-file", str(config), "--authorization-webhook-version", "v1")
    with running(directory, "--authorization-mode", "Webhook,RBAC", *flags) as started:
        yield started


def ask(server: Server, namespace: str, query: str = "") -> tuple[int, Any]:
    code, answer, _ = server.ask("GET", f"/api/v1/namespaces/{namespace}/pods{query}", token=ALICE)
    return code, answer


def test_it_allows_denies_and_has_no_opinion(guarded: Server) -> None:
    assert ask(guarded, "open")[0] == 200
    code, refused = ask(guarded, "shut")
    assert code == 403
    assert refused["message"].endswith('in API group "" in the namespace "shut": shut')
    code, refused = ask(guarded, "silent")
    assert code == 403
    assert refused["message"].endswith('in the namespace "silent": silent')


def test_it_is_told_of_selectors_and_by_whom_it_is_asked(guarded: Server, gate: Gate) -> None:
    ask(guarded, "open-selected", "?fieldSelector=spec.nodeName%3Dn1&labelSelector=a%20in%20(b,c)")
    spec = gate.asked[-1]["spec"]
    assert spec["user"] == "alice"
    assert spec["resourceAttributes"]["fieldSelector"] == {
        "requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]
    }
    assert spec["resourceAttributes"]["labelSelector"] == {
        "requirements": [{"key": "a", "operator": "In", "values": ["b", "c"]}]
    }
    assert set(gate.words) == {None}  # over HTTP no token is told


def test_it_is_asked_once(guarded: Server, gate: Gate) -> None:
    ask(guarded, "open-once")
    before = len(gate.asked)
    assert ask(guarded, "open-once")[0] == 200
    assert len(gate.asked) == before


def test_a_webhook_that_fails_allows_nothing(guarded: Server) -> None:
    code, answer = ask(guarded, "broken")
    assert code == 500
    assert answer.startswith('Internal Server Error: "/api/v1/namespaces/broken/pods": couldn\'t get')
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
    asked = {"namespace": "broken", "verb": "list", "resource": "pods"}
    spec = {"user": "alice", "resourceAttributes": asked}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    _, review, _ = guarded.ask("POST", path, {**body, "spec": spec})
    assert review["status"]["allowed"] is False
    assert "couldn't get version/kind" in review["status"]["evaluationError"]


def test_what_it_allows_cannot_be_listed(guarded: Server) -> None:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "x"}}
    _, review, _ = guarded.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)
    assert review["status"]["incomplete"] is True
    assert "webhook authorizer does not support user rule resolution" in review["status"]["evaluationError"]


def test_a_configuration_file_says_when_it_is_asked(gate: Gate, tmp_path: Path) -> None:
    kubeconfig, config = tmp_path / "gate.kubeconfig", tmp_path / "authz.yaml"
    kubeconfig.write_text(KUBECONFIG.format(port=gate.server_port))
    config.write_text(f"""apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: gate
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {{type: KubeConfigFile, kubeConfigFile: {kubeconfig}}}
    matchConditions:
    - expression: request.?resourceAttributes.namespace.orValue("") != "open-but-not-asked"
- {{type: RBAC, name: rbac}}
""")
    with running(tmp_path, "--authorization-config", str(config)) as server:
        assert ask(server, "open")[0] == 200
        assert ask(server, "open-but-not-asked")[0] == 403
        assert ask(server, "broken")[0] == 500
