"""kubectl reads our discovery and OpenAPI."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from pathlib import Path

import pytest
from api_server import ADMIN, Server

KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"
pytestmark = pytest.mark.skipif(not KUBECTL.exists(), reason="kubectl is not in the environment")


@pytest.fixture(name="kubectl")
def asked(server: Server, tmp_path: Path) -> list[str]:
    """The command with all that leads it to the server."""
    config = tmp_path / "config"
    cluster = {"server": server.url, "certificate-authority": str(server.data / "ca.crt")}
    config.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "me", "user": {"token": ADMIN}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
                "current-context": "it",
            }
        )
    )
    return [str(KUBECTL), "--kubeconfig", str(config), "--cache-dir", str(tmp_path / "cache")]


def said(kubectl: list[str], *words: str) -> str:
    return subprocess.run([*kubectl, *words], capture_output=True, check=True, text=True, timeout=60).stdout


def test_it_explains_a_field(kubectl: list[str]) -> None:
    told = said(kubectl, "explain", "deployments.spec.strategy.rollingUpdate")
    assert "KIND:       Deployment" in told
    assert "maxSurge\t<IntOrString>" in told
    assert "FIELD: averageUtilization <integer>" in said(
        kubectl, "explain", "hpa.spec.metrics.resource.target.averageUtilization"
    )


def test_it_lists_what_is_served(kubectl: list[str]) -> None:
    told = said(kubectl, "api-resources", "--categories", "all", "-o", "name").split()
    assert {"pods", "services", "deployments.apps", "jobs.batch", "horizontalpodautoscalers.autoscaling"} <= set(told)
    assert "apps/v1" in said(kubectl, "api-versions").split()
