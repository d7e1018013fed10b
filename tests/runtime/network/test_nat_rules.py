"""The rules of our own bridge, in network namespaces of their own."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from network_lab import BRIDGE, Lab, inside

from podward.runtime.network import nat_rules

pytestmark = pytest.mark.needs("root", "cni")
_TO_LOOPBACK = """
sysctl -qw net.ipv4.conf.eth0.route_localnet=1
ip route del table local local 127.0.0.0/8 dev lo
ip route add 127.0.0.2 via 10.9.0.1
"""


def test_pods_do_not_reach_loopback_addresses_of_the_machine_by_a_bridge_that_routes_there() -> None:
    with ExitStack() as ended:
        lab = Lab(ended)
        lab.machine.listen("tcp", 80)
        lab.a.run(_TO_LOOPBACK)
        assert lab.a.ask("tcp", "127.0.0.2", 80) == "machine 10.9.0.2"

        with inside(lab.machine):
            nat_rules.let_out(BRIDGE, "10.9.0.0/24")
        assert lab.a.ask("tcp", "127.0.0.2", 80) == "TimeoutError"

        with inside(lab.machine):
            nat_rules.keep_in(BRIDGE, "10.9.0.0/24")
        assert lab.machine.run("iptables-save").count("podward") == 0


def test_pods_are_let_out_and_through_where_the_machine_passes_nothing_on() -> None:
    with ExitStack() as ended:
        lab = Lab(ended)
        lab.outside.listen("tcp", 80)
        lab.b.listen("tcp", 80)
        lab.machine.run("iptables -P FORWARD DROP")
        assert lab.a.ask("tcp", "192.0.2.2", 80) == "TimeoutError"

        with inside(lab.machine):
            nat_rules.let_out(BRIDGE, "10.9.0.0/24")

        assert lab.a.ask("tcp", "10.9.0.3", 80) == "b 10.9.0.2"
        lab.outside.run("ip route replace 10.9.0.0/24 via 192.0.2.1")
        assert lab.outside.ask("tcp", "10.9.0.3", 80) == "TimeoutError"
        assert lab.a.ask("tcp", "192.0.2.2", 80) == "out 192.0.2.1"
