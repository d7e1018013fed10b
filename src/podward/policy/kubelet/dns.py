"""What a kubelet tells the runtime about a Pod's name servers.

Specification (kubelet, pkg/kubelet/network/dns, in our words): under `dnsPolicy: None` the Pod starts from nothing,
else from the node's own file: this node has no cluster DNS, and a kubelet without one treats ClusterFirst like Default.
`dnsConfig` is added: nameservers and search domains behind those that are there, each once; an option takes the place
of one of the same name. At most 3 nameservers and 32 search domains are kept.

Ours: without `dnsConfig` nothing is told, so that the runtime takes the node's file as it is.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import DnsConfig, PodSpec
from podward.api.cri import DNSConfig

MOST_NAMESERVERS, MOST_SEARCHES = 3, 32


def config_for(spec: PodSpec, of_node: str) -> DNSConfig | None:
    """The `dns_config` of the sandbox message; `of_node` is this machine's resolv.conf."""
    added = spec.dns_config
    alone = spec.dns_policy == "None"
    if added is None:
        return DNSConfig() if alone else None
    servers, searches, options = ([], [], {}) if alone else _parsed(of_node)
    return _added(spec, servers, searches, options)


class Cluster(Struct, frozen=True):
    """The cluster's own name servers, and its domain."""

    servers: tuple[str, ...]
    domain: str


def in_cluster(spec: PodSpec, namespace: str, cluster: Cluster, of_node: str) -> DNSConfig:
    """The same where the cluster has name servers: under ClusterFirst a Pod asks those, and searches its namespace.

    A Pod on the node's network asks them under ClusterFirstWithHostNet alone.
    """
    policy = spec.dns_policy or "ClusterFirst"
    of_cluster = policy == "ClusterFirstWithHostNet" or (policy == "ClusterFirst" and not spec.host_network)
    servers, searches, options = ([], [], {}) if policy == "None" else _parsed(of_node)
    if of_cluster:
        own = [f"{namespace}.svc.{cluster.domain}", f"svc.{cluster.domain}", cluster.domain]
        servers, searches, options = [*cluster.servers], [*own, *searches], {"ndots": "5"}
    return _added(spec, servers, searches, options)


def _added(spec: PodSpec, servers: list[str], searches: list[str], options: dict[str, str]) -> DNSConfig:
    """With what the Pod's own dnsConfig adds."""
    added = spec.dns_config or DnsConfig()
    servers = [*servers, *(added.nameservers or ())]
    searches = [*searches, *(added.searches or ())]
    options = {**options, **{option.name: option.value or "" for option in added.options or ()}}
    return DNSConfig(
        tuple(dict.fromkeys(servers))[:MOST_NAMESERVERS],
        tuple(dict.fromkeys(searches))[:MOST_SEARCHES],
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _parsed(text: str) -> tuple[list[str], list[str], dict[str, str]]:
    """The nameservers, search domains and options of a resolv.conf(5); the last `search` counts."""
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for line in text.splitlines():
        word, *rest = line.split("#")[0].split(";")[0].split() or [""]
        if word == "nameserver" and rest:
            servers.append(rest[0])
        elif word == "search":
            searches = rest
        elif word == "options":
            options |= {name: value for name, _, value in (each.partition(":") for each in rest)}
    return servers, searches, options
