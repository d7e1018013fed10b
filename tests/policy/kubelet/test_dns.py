"""What a kubelet says of a Pod's name servers, and what the runtime makes of it."""

from __future__ import annotations

from podward.api.core import DnsConfig, DnsOption, PodSpec
from podward.policy.kubelet.dns import config_for
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
