"""The rights that requests to a node need."""

from __future__ import annotations

import pytest

from podward.policy.kubelet.server_access import subresources_of


@pytest.mark.parametrize(
    ("path", "subresources"),
    [
        ("/pods", ["pods", "proxy"]),
        ("/pods/", ["pods", "proxy"]),
        ("/podsx", ["proxy"]),
        ("/runningpods/", ["pods", "proxy"]),
        ("/healthz/ping", ["healthz", "proxy"]),
        ("/configz", ["configz", "proxy"]),
        ("/stats/summary", ["stats"]),
        ("/metrics", ["metrics"]),
        ("/metrics/cadvisor", ["metrics"]),
        ("/logs/", ["log"]),
        ("/checkpoint/n/p/c", ["checkpoint"]),
        ("/exec/n/p/c", ["proxy"]),
        ("/containerLogs/n/p/c", ["proxy"]),
        ("/", ["proxy"]),
        ("/metrics/../exec/n/p/c", ["metrics"]),
    ],
)
def test_a_path_needs_one_of_these(path: str, subresources: list[str]) -> None:
    assert subresources_of(path) == subresources
