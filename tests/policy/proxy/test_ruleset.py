"""What the rules do under the kernel, in network namespaces of their own: from Pods, the machine and outside."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from msgspec import structs
from network_lab import MACHINE, Lab
from proxied_services import endpoint, endpoints, found, service

from podward.api.json_value import Json, JsonObject
from podward.policy.proxy.routes import Machine, routes
from podward.policy.proxy.ruleset import Ruleset, ruleset
from podward.policy.proxy.transaction import difference, emptied_by, whole

pytestmark = pytest.mark.needs("root", "nft")
WEB, TABLE = "10.0.0.5", "podward-test"
HERE = Machine(frozenset(("n1",)), "", ("10.9.0.0/24",), ("10.0.0.0/24",))
A, B = endpoint("10.9.0.2", "n1"), endpoint("10.9.0.3", "n1")
FAR = endpoint("10.9.0.2", "far")
NODE_PORT: JsonObject = {
    "type": "NodePort",
    "ports": [{"name": "http", "port": 80, "protocol": "TCP", "nodePort": 30080}],
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with ExitStack() as ended:
        made = Lab(ended)
        for pod in (made.a, made.b):
            pod.listen("tcp", 8080)
            pod.listen("udp", 8080)
        made.machine.listen("tcp", 6443)
        yield made


def rules(of: JsonObject, *slices: JsonObject, machine: Machine = HERE) -> Ruleset:
    return ruleset(found(of, *slices, machine=machine), machine)


def test_a_service_is_reached_from_pods_and_from_the_machine_but_not_from_outside(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(B))))

    assert lab.a.ask("tcp", WEB, 80) == "b 10.9.0.2"
    assert lab.machine.ask("tcp", WEB, 80).startswith("b ")
    lab.outside.run(f"ip route replace {WEB} via {MACHINE}")
    assert lab.outside.ask("tcp", WEB, 80) != "b 192.0.2.2"


def test_connections_are_spread_over_all_endpoints(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(A, B))))

    assert lab.machine.asked_often(30, "tcp", WEB, 80) == {"a", "b"}


@pytest.mark.parametrize("node", ["n1", ""])
def test_a_pod_reaches_itself_by_its_service(lab: Lab, node: str) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(endpoint("10.9.0.2", node)))))

    assert lab.a.ask("tcp", WEB, 80) == "a 10.9.0.1"


def test_answers_find_their_way_back_where_bridged_packets_pass_no_rules(lab: Lab) -> None:
    lab.machine.run("sysctl -qw net.bridge.bridge-nf-call-iptables=0")
    try:
        lab.load(whole(TABLE, rules(service(), endpoints(B), machine=Machine(pods=HERE.pods, bridged=False))))

        assert lab.a.ask("tcp", WEB, 80) == "b 10.9.0.1"
    finally:
        lab.machine.run("sysctl -qw net.bridge.bridge-nf-call-iptables=1")


def test_udp(lab: Lab) -> None:
    ports: Json = [{"name": "http", "port": 53, "protocol": "UDP"}]
    lab.load(whole(TABLE, rules(service(ports=ports), endpoints(B, protocol="UDP"))))

    assert lab.a.ask("udp", WEB, 53) == "b 10.9.0.2"


def test_without_endpoints_connections_are_refused(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(**NODE_PORT), endpoints())))

    assert lab.a.ask("tcp", WEB, 80) == "ConnectionRefusedError"
    assert lab.machine.ask("tcp", WEB, 80) == "ConnectionRefusedError"
    assert lab.outside.ask("tcp", MACHINE, 30080) == "ConnectionRefusedError"


def test_other_ports_of_a_service_are_refused_and_addresses_without_one_dropped(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(B))))

    assert lab.a.ask("tcp", WEB, 81) == "ConnectionRefusedError"
    assert lab.a.ask("tcp", "10.0.0.77", 80) == "TimeoutError"


def test_a_port_of_the_node_is_served_everywhere(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(**NODE_PORT), endpoints(B))))

    assert lab.outside.ask("tcp", MACHINE, 30080) == "b 10.9.0.1"
    assert lab.a.ask("tcp", MACHINE, 30080) == "b 10.9.0.1"
    assert lab.machine.ask("tcp", MACHINE, 30080) == "b 10.9.0.1"
    assert lab.machine.ask("tcp", "127.0.0.1", 30080) == "b 10.9.0.1"


def test_under_local_policy_the_address_outside_is_kept(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(**NODE_PORT, externalTrafficPolicy="Local"), endpoints(B))))

    assert lab.outside.ask("tcp", MACHINE, 30080) == "b 192.0.2.2"


def test_under_local_policy_packets_from_outside_are_dropped_without_endpoints_here(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(**NODE_PORT, externalTrafficPolicy="Local"), endpoints(FAR))))

    assert lab.outside.ask("tcp", MACHINE, 30080) == "TimeoutError"
    assert lab.b.ask("tcp", MACHINE, 30080) == "a 10.9.0.3"
    assert lab.machine.ask("tcp", "127.0.0.1", 30080) == "a 10.9.0.1"


def test_inside_local_without_endpoints_here_is_dropped(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(internalTrafficPolicy="Local"), endpoints(FAR))))

    assert lab.b.ask("tcp", WEB, 80) == "TimeoutError"


def test_external_addresses_and_load_balancers(lab: Lab) -> None:
    of = service(externalIPs=["192.0.2.50"], type="LoadBalancer", loadBalancerSourceRanges=["10.9.0.2/32"])
    of["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.51"}]}}
    lab.outside.run(f"ip route replace 192.0.2.50 via {MACHINE}; ip route replace 192.0.2.51 via {MACHINE}")
    lab.load(whole(TABLE, rules(of, endpoints(B))))

    assert lab.outside.ask("tcp", "192.0.2.50", 80) == "b 10.9.0.1"
    assert lab.a.ask("tcp", "192.0.2.51", 80) == "b 10.9.0.1"
    assert lab.outside.ask("tcp", "192.0.2.51", 80) == "TimeoutError"


def test_a_client_stays_with_its_endpoint_through_changes_until_its_endpoint_goes(lab: Lab) -> None:
    sticky = service(sessionAffinity="ClientIP")
    first, more, gone = (rules(sticky, endpoints(*listed)) for listed in ([A], [A, B], [B]))
    lab.load(whole(TABLE, first))
    assert lab.machine.asked_often(1, "tcp", WEB, 80) == {"a"}

    lab.load(difference(TABLE, first, more))
    assert lab.machine.asked_often(12, "tcp", WEB, 80) == {"a"}
    assert lab.b.asked_often(12, "tcp", WEB, 80) in ({"a"}, {"b"})

    lab.load(difference(TABLE, more, gone))
    assert lab.machine.asked_often(3, "tcp", WEB, 80) == {"b"}
    lab.load(difference(TABLE, gone, more, emptied_by(more, gone)))
    assert lab.machine.asked_often(12, "tcp", WEB, 80) == {"b"}


def test_a_client_that_was_away_for_long_is_free_again(lab: Lab) -> None:
    sticky = service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 1}})
    lab.load(whole(TABLE, rules(sticky, endpoints(A, B))))

    seen = set()
    for _ in range(8):
        seen |= lab.machine.asked_often(2, "tcp", WEB, 80)
        if len(seen) == 2:
            break
        lab.machine.run("sleep 1.1")
    assert seen == {"a", "b"}


def test_an_endpoint_on_the_machine_itself(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(endpoint(MACHINE), port=6443))))

    assert lab.a.ask("tcp", WEB, 80) == "machine 10.9.0.2"
    assert lab.machine.ask("tcp", WEB, 80).startswith("machine ")


def test_an_endpoint_on_loopback_is_reached_over_a_bridge_that_routes_there(lab: Lab) -> None:
    lab.load(whole(TABLE, rules(service(), endpoints(endpoint("127.0.0.1"), port=6443))))

    assert lab.a.ask("tcp", WEB, 80) == "machine 10.9.0.2"


def test_who_asks_for_more_names_than_anybody_needs_is_held_back(lab: Lab) -> None:
    ports: Json = [{"name": "http", "port": 53, "protocol": "UDP"}]
    here = structs.replace(HERE, names=WEB)
    lab.load(whole(TABLE, rules(service(ports=ports), endpoints(B, protocol="UDP"), machine=here)))
    assert lab.a.ask("udp", WEB, 53) == "b 10.9.0.2"
    assert dropped(lab) == 0

    flood = f"import socket; s = socket.socket(2, 2); [s.sendto(b'x', ('{WEB}', 53)) for _ in range(6000)]"
    lab.a.run(f'{sys.executable} -I -c "{flood}"')

    assert dropped(lab) > 1000
    assert lab.machine.ask("udp", WEB, 53).startswith("b ")


def dropped(lab: Lab) -> int:
    """The packets that were dropped because there were too many."""
    (line,) = (
        line
        for line in lab.machine.run(f"nft list table ip {TABLE}").splitlines()
        if "limit rate over" in line and "counter" in line
    )
    return int(line.partition("counter packets ")[2].split()[0])


def test_steps_lead_to_what_a_whole_ruleset_says(lab: Lab) -> None:
    steps = [
        rules(service(), endpoints(A)),
        rules(service(**NODE_PORT, sessionAffinity="ClientIP"), endpoints(A, B)),
        rules(service(), endpoints()),
        ruleset(routes([], [], HERE), HERE),
        rules(service(**NODE_PORT, externalTrafficPolicy="Local"), endpoints(B)),
    ]
    lab.load(whole(TABLE, steps[0]))
    emptied: frozenset[str] = frozenset()
    for old, new in itertools.pairwise(steps):
        lab.load(difference(TABLE, old, new, emptied))
        emptied = emptied_by(old, new)
    lab.load(difference(TABLE, steps[-1], steps[-1], emptied))
    stepwise = lab.machine.run(f"nft list table ip {TABLE}")
    lab.load(whole(TABLE, steps[-1]))

    assert sorted(stepwise.splitlines()) == sorted(lab.machine.run(f"nft list table ip {TABLE}").splitlines())
