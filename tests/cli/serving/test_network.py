"""What a cluster must have for its nodes' network, with a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_server import running

from podward.cli.serving import first_objects, network


@pytest.mark.parametrize(
    ("services", "dns"), [("", "10.0.0.10"), ("10.96.0.0/12", "10.96.0.10"), ("192.0.2.0/29", "192.0.2.6")]
)
def test_the_address_for_names(services: str, dns: str) -> None:
    assert network.cluster_dns(services) == dns


def test_each_directory_has_a_range_of_its_own() -> None:
    ranges = {network.free_range(f"/d/{number}") for number in range(8)}

    assert all(each.startswith("10.") and each.endswith("/20") for each in ranges)
    assert len(ranges) > 6


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
