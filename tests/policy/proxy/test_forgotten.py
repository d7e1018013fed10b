"""Which UDP connections are forgotten when Services and endpoints change."""

from __future__ import annotations

import pytest

from podward.policy.proxy.forgotten import Flow, forgotten
from podward.policy.proxy.routes import Route, Target


def route(*targets: str, protocol: str = "udp", node_port: int = 0) -> Route:
    listed = tuple(Target(ip, 5353) for ip in targets)
    return Route(("n", "dns"), "", protocol, "10.0.0.5", 53, node_port, cluster=listed, anywhere=bool(listed))


@pytest.mark.parametrize(
    ("old", "new", "flows"),
    [
        ([], [route()], []),
        (None, [route("a", node_port=30053)], [Flow("", 30053, ""), Flow("10.0.0.5", 53, "")]),
        ([], [route("a")], [Flow("10.0.0.5", 53, "10.0.0.5")]),
        ([route()], [route("a")], [Flow("10.0.0.5", 53, "10.0.0.5")]),
        ([route("a")], [route("a", "b")], []),
        ([route("a", "b")], [route("b")], [Flow("10.0.0.5", 53, "a")]),
        ([route("a")], [], [Flow("10.0.0.5", 53, "a")]),
        ([route("a", node_port=30053)], [], [Flow("", 30053, "a"), Flow("10.0.0.5", 53, "a")]),
        ([route("a", protocol="tcp")], [], []),
    ],
)
def test_what_is_forgotten(old: list[Route] | None, new: list[Route], flows: list[Flow]) -> None:
    assert forgotten(old, new) == tuple(flows)
