"""`podward explain access`: the answer in every form, by files, by a server, and of a recorded request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from api_server import Server, running

from podward.cli.main import main

RBAC = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: watcher}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: watchers}
subjects: [{kind: Group, name: ops, apiGroup: rbac.authorization.k8s.io}]
roleRef: {kind: ClusterRole, name: watcher, apiGroup: rbac.authorization.k8s.io}
"""
EVENT = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "verb": "list",
    "user": {"username": "bob", "groups": ["ops"]},
    "objectRef": {"resource": "nodes", "apiVersion": "v1"},
    "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "it was so"},
}


@pytest.fixture
def rbac(tmp_path: Path) -> str:
    file = tmp_path / "rbac.yaml"
    file.write_text(RBAC)
    return str(file)


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(["explain", "access", *words])
    found = capsys.readouterr()
    return code, found.out + found.err


def test_by_files_with_file_and_line(rbac: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explain(capsys, "get", "no/n1", "--as", "bob", "--as-group", "ops", "-f", rbac)
    assert code == 0
    assert out.startswith("allowed by RBAC: bob wants to get nodes n1 in the whole cluster\n")
    assert f"{rbac}:10: ClusterRoleBinding watchers, subject Group ops" in out
    assert f"{rbac}:5: ClusterRole watcher, rule 1: get list watch on nodes of core" in out


def test_what_is_not_allowed_is_told_with_what_would_allow_it(rbac: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explain(capsys, "delete", "nodes", "--as", "bob", "--as-group", "ops", "-f", rbac)
    assert code == 1
    assert f"near: {rbac}:5: ClusterRole watcher, rule 1" in out
    assert "do:  kubectl create clusterrole NAME --verb=delete --resource=nodes" in out


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_for_programs(form: str, rbac: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = explain(capsys, "get", "nodes", "--as", "bob", "--as-group", "ops", "-f", rbac, "-o", form)
    found = json.loads(out) if form == "json" else yaml.safe_load(out)
    assert (found["allowed"], found["decidedBy"]) == (True, "RBAC")
    assert found["authorizers"][1]["cited"][1]["where"] == f"{rbac}:5"


def test_a_recorded_request(rbac: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "audit.log"
    log.write_text('{"kind": "Event"}\n' + json.dumps(EVENT) + "\n")
    code, out = explain(capsys, "--event", str(log), "-f", rbac)
    assert code == 0
    assert f"recorded: {log}: allow: it was so" in out
    log.write_text(json.dumps({**EVENT, "verb": "delete"}))
    code, out = explain(capsys, "--event", str(log), "-f", rbac)
    assert code == 1
    assert "this is not what follows from what is known here" in out


def test_nodes_and_their_pods(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pod = tmp_path / "pod.yaml"
    pod.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
        "spec: {nodeName: n1, volumes: [{name: v, secret: {secretName: tls}}]}\n"
    )
    node = ("--as", "system:node:n1", "--as-group", "system:nodes", "--authorization-mode", "Node,RBAC")
    code, out = explain(capsys, "get", "secrets/tls", *node, "-f", str(pod))
    assert code == 0
    assert "Node authorizer: node n1 <- pods default/web <- secrets default/tls" in out
    code, out = explain(capsys, "get", "secrets/other", *node, "-f", str(pod))
    assert code == 1
    assert "no relationship found between node 'n1' and this object" in out


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ((), "say what is asked"),
        (("get",), "get what?"),
        (("get", "pods"), "say who asks"),
        (("get", "pods", "--as", "a", "--authorization-mode", "Webhook"), "only asked by a server"),
        (("get", "pods", "--as", "a", "--authorization-mode", "ABAC"), "ABAC has no policies"),
        (("get", "pods", "--as", "a", "-f", "x", "--kubeconfig", "y"), "not both"),
        (("--event", __file__), "this is no"),
    ],
)
def test_what_cannot_be_explained(words: tuple[str, ...], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explain(capsys, *words)
    assert code == 2
    assert fault in out


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("explained")
    with running(directory, "--kubeconfig", str(directory / "kubeconfig")) as started:
        yield started


def test_by_the_roles_of_a_server(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    kubeconfig = str(server.data.parent / "kubeconfig")
    code, out = explain(capsys, "get", "/healthz", "--as", "alice", "--kubeconfig", kubeconfig)
    assert code == 0
    assert "rule 1: get on" in out
    assert "note: the server itself says: allowed: RBAC: allowed by ClusterRoleBinding" in out
    code, out = explain(capsys, "list", "secrets", "--as", "alice", "--kubeconfig", kubeconfig)
    assert code == 1
    assert "note: the server itself says: not allowed" in out
