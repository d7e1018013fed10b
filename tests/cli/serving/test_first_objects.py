"""What a cluster must have for its nodes' network, with a real API server."""

from __future__ import annotations

from pathlib import Path

from api_server import running

from podward.cli.serving import first_objects


def test_the_objects_are_made_once_and_let_nodes_read(tmp_path: Path) -> None:
    kubeconfig = str(tmp_path / "kubeconfig")
    with running(tmp_path, "--kubeconfig", kubeconfig) as server:
        first_objects.make(kubeconfig, "")
        first_objects.make(kubeconfig, "")
        _, service, _ = server.ask("GET", "/api/v1/namespaces/kube-system/services/kube-dns")
        assert service["spec"]["clusterIP"] == "10.0.0.10"
        as_node = {"Impersonate_User": "system:node:n1", "Impersonate_Group": "system:nodes"}
        for path in ("discovery.k8s.io/v1/endpointslices", "networking.k8s.io/v1/networkpolicies"):
            assert server.ask("GET", f"/apis/{path}", **as_node)[0] == 200
        assert server.ask("GET", "/apis/networking.k8s.io/v1/ingresses", **as_node)[0] == 403
