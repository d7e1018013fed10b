"""What a kubelet says of a Pod's name servers, and what the runtime makes of it."""

from __future__ import annotations

import pytest

from podward.api.core import DnsConfig, DnsOption, ObjectMeta, Pod, PodSpec
from podward.policy.kubelet.dns import ClusterDNS, PodDNS, config_for, in_cluster
from podward.policy.runtime import resolv_conf as file

NODE = "# of the node\nnameserver 10.0.0.1\nsearch a.example\nsearch corp.example\noptions ndots:1 rotate\n"
CONFIG = DnsConfig(("192.0.2.1", "10.0.0.1"), ("shop.example",), (DnsOption("ndots", "5"), DnsOption("edns0")))


def resolv_conf(spec: PodSpec, of_node: str) -> str:
    return file.text(config_for(spec, of_node), of_node)


def test_without_a_configuration_the_file_is_the_nodes() -> None:
    assert resolv_conf(PodSpec(dns_policy="ClusterFirst"), NODE) == NODE


def test_under_none_the_pod_starts_from_nothing() -> None:
    assert resolv_conf(PodSpec(dns_policy="None"), NODE) == ""
    assert resolv_conf(PodSpec(dns_policy="None", dns_config=CONFIG), NODE) == (
        "search shop.example\nnameserver 192.0.2.1\nnameserver 10.0.0.1\noptions ndots:5 edns0\n"
    )


def test_what_is_asked_for_is_added_to_the_nodes() -> None:
    assert resolv_conf(PodSpec(dns_policy="Default", dns_config=CONFIG), NODE) == (
        "search corp.example shop.example\nnameserver 10.0.0.1\nnameserver 192.0.2.1\noptions ndots:5 rotate edns0\n"
    )


def test_no_more_is_kept_than_resolvers_read() -> None:
    many = DnsConfig(tuple(f"10.0.0.{n}" for n in range(9)), tuple(f"{n}.example" for n in range(40)))
    lines = resolv_conf(PodSpec(dns_policy="None", dns_config=many), "").splitlines()
    assert (len(lines), len(lines[0].split())) == (4, 33)


CLUSTER = ClusterDNS(("10.96.0.10",), "cluster.local")
DOMAINS = "shop.svc.cluster.local svc.cluster.local cluster.local"


def of_pod(spec: PodSpec, cluster: ClusterDNS = CLUSTER, of_node: str = NODE) -> PodDNS:
    return in_cluster(Pod(metadata=ObjectMeta(name="p", namespace="shop", uid="u"), spec=spec), of_node, cluster)


CLUSTER_FILE = f"search {DOMAINS} corp.example\nnameserver 10.96.0.10\noptions ndots:5\n"
NODE_FILE = "search corp.example\nnameserver 10.0.0.1\noptions ndots:1 rotate\n"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (PodSpec(), CLUSTER_FILE),
        (PodSpec(dns_policy="ClusterFirst"), CLUSTER_FILE),
        (PodSpec(dns_policy="ClusterFirst", host_network=True), NODE_FILE),
        (PodSpec(dns_policy="ClusterFirstWithHostNet", host_network=True), CLUSTER_FILE),
        (PodSpec(dns_policy="Default"), NODE_FILE),
        (
            PodSpec(dns_policy="None", dns_config=CONFIG),
            resolv_conf(PodSpec(dns_policy="None", dns_config=CONFIG), NODE),
        ),
        (
            PodSpec(dns_config=DnsConfig(("192.0.2.1",), ("cluster.local", "x.example"), (DnsOption("ndots", "2"),))),
            f"search {DOMAINS} corp.example x.example\nnameserver 10.96.0.10\nnameserver 192.0.2.1\noptions ndots:2\n",
        ),
    ],
)
def test_each_policy_in_a_cluster(spec: PodSpec, expected: str) -> None:
    found = of_pod(spec)

    assert file.text(found.config, "") == expected
    assert found.events == ()


def test_without_a_clusters_servers_the_node_says_so() -> None:
    found = of_pod(PodSpec(dns_policy="ClusterFirst"), ClusterDNS())

    assert file.text(found.config, "") == NODE_FILE
    ((reason, message),) = found.events
    assert reason == "MissingClusterDNS"
    assert message.startswith('pod: "p_shop(u)". kubelet does not have ClusterDNS IP configured')


def test_what_is_too_much_is_left_out_and_told() -> None:
    searches = tuple(f"{number}.{'x' * 60}.example" for number in range(40))
    found = of_pod(PodSpec(dns_config=DnsConfig(("1.1.1.1", "2.2.2.2", "3.3.3.3"), ("y" * 254, *searches))))

    assert found.config.servers == ("10.96.0.10", "1.1.1.1", "2.2.2.2")
    assert "y" * 254 not in found.config.searches
    assert len(" ".join(found.config.searches)) <= 2048
    assert len(found.config.searches) < 32
    assert [reason for reason, _ in found.events] == ["DNSConfigForming", "DNSConfigForming"]
    assert found.events[0][1].endswith("the applied nameserver line is: 10.96.0.10 1.1.1.1 2.2.2.2")
