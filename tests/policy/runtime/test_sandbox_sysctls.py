"""What containerd and Docker set in a Pod's network namespace by themselves, and CRI-O does not."""

import pytest

from podward.decision import Origin, Source
from podward.policy.runtime.sandbox_sysctls import decide

TABLE = Source(Origin.DEFAULT, "table")
PORTS, PING = "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"


def added(runtime: str, *written: str, host_network: bool = False, user_namespace: bool = False) -> set[str]:
    decision = decide(runtime, TABLE, frozenset(written), host_network=host_network, user_namespace=user_namespace)
    return {str(assignment.path) for assignment in decision.assignments}


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_low_ports_and_ping_are_for_everybody(runtime: str) -> None:
    assert added(runtime) == {f"sysctls[{PORTS}]", f"sysctls[{PING}]"}


def test_crio_adds_nothing() -> None:
    assert added("cri-o") == set()


def test_the_hosts_network_is_left_alone() -> None:
    assert added("containerd", host_network=True) == set()


def test_what_the_pod_writes_counts() -> None:
    assert added("containerd", PORTS, PING) == set()


def test_a_user_namespace_has_no_such_groups() -> None:
    assert added("containerd", user_namespace=True) == {f"sysctls[{PORTS}]"}
