"""What a kubelet tells the runtime about a Pod's name servers.

Specification (kubelet, pkg/kubelet/network/dns, in our words): what a Pod starts from depends on its `dnsPolicy`. None:
nothing. Default, and ClusterFirst on the host's network: the node's own file. ClusterFirst and ClusterFirstWithHostNet:
the cluster's servers alone; NAMESPACE.svc.DOMAIN, svc.DOMAIN and DOMAIN before the node's search domains; `ndots:5` in
place of the node's options. A kubelet that knows no cluster's servers treats these like Default, and says so.
`dnsConfig` is added: nameservers and search domains behind those that are there, each once; an option takes the place
of one of the same name. At most 3 nameservers and 32 search domains are kept, of these none longer than 253 characters,
and together no more than 2048; what that leaves out is told in an event.

Ours: without a cluster and `dnsConfig` nothing is told, so that the runtime takes the node's file as it is.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import Pod, PodSpec
from podward.api.cri import DNSConfig

MOST_NAMESERVERS, MOST_SEARCHES = 3, 32
_LONGEST_SEARCH, _LONGEST_LINE = 253, 2048
REASON, NO_CLUSTER = "DNSConfigForming", "MissingClusterDNS"
"""The reasons of the events."""
WITHOUT_CLUSTER = (
    'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. '
    'Falling back to "Default" policy.'
)
"""What is told of the node."""


class ClusterDNS(Struct, frozen=True):
    """The cluster's name servers, and its domain."""

    servers: tuple[str, ...] = ()
    domain: str = ""


class PodDNS(Struct, frozen=True):
    """The `dns_config` of the sandbox message, and the events about it: reasons and messages."""

    config: DNSConfig
    events: tuple[tuple[str, str], ...] = ()


def config_for(spec: PodSpec, of_node: str) -> DNSConfig | None:
    """The `dns_config` where there is no cluster; `of_node` is this machine's resolv.conf."""
    added = spec.dns_config
    if added is None:
        return DNSConfig() if spec.dns_policy == "None" else None
    return _with_limits(_added(spec, DNSConfig() if spec.dns_policy == "None" else parsed(of_node))).config


def in_cluster(pod: Pod, of_node: str, cluster: ClusterDNS) -> PodDNS:
    """The `dns_config` of a Pod of a cluster."""
    spec, base = pod.spec, parsed(of_node)
    events: tuple[tuple[str, str], ...] = ()
    policy = spec.dns_policy or "ClusterFirst"
    if policy == "ClusterFirst" and spec.host_network:
        policy = "Default"
    if policy == "None":
        base = DNSConfig()
    elif policy.startswith("ClusterFirst") and cluster.servers:
        base = DNSConfig(cluster.servers, _cluster_searches(pod, cluster, base.searches), ("ndots:5",))
    elif policy.startswith("ClusterFirst"):
        name = f"{pod.metadata.name}_{pod.metadata.namespace}({pod.metadata.uid})"
        events = ((NO_CLUSTER, f'pod: "{name}". {WITHOUT_CLUSTER}'),)
    formed = _with_limits(_added(spec, base))
    return PodDNS(formed.config, events + formed.events)


def _cluster_searches(pod: Pod, cluster: ClusterDNS, of_node: tuple[str, ...]) -> tuple[str, ...]:
    if not cluster.domain:
        return of_node
    domains = (f"{pod.metadata.namespace}.svc.{cluster.domain}", f"svc.{cluster.domain}", cluster.domain)
    return tuple(dict.fromkeys((*domains, *of_node)))


def _added(spec: PodSpec, base: DNSConfig) -> DNSConfig:
    """What the Pod's `dnsConfig` adds."""
    added = spec.dns_config
    if added is None:
        return base
    options = {name: value for name, _, value in (each.partition(":") for each in base.options)}
    options |= {option.name: option.value or "" for option in added.options or ()}
    return DNSConfig(
        tuple(dict.fromkeys((*base.servers, *(added.nameservers or ())))),
        tuple(dict.fromkeys((*base.searches, *(added.searches or ())))),
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _with_limits(config: DNSConfig) -> PodDNS:
    servers = config.servers[:MOST_NAMESERVERS]
    searches = [each for each in config.searches[:MOST_SEARCHES] if len(each) <= _LONGEST_SEARCH]
    while len(" ".join(searches)) > _LONGEST_LINE:
        searches.pop()
    events = []
    if servers != config.servers:
        events.append(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
            + " ".join(servers)
        )
    if len(searches) < len(config.searches):
        events.append(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
            + " ".join(searches)
        )
    return PodDNS(DNSConfig(servers, tuple(searches), config.options), tuple((REASON, text) for text in events))


def parsed(text: str) -> DNSConfig:
    """The nameservers, search domains and options of a resolv.conf(5); the last `search` counts."""
    servers: list[str] = []
    searches: list[str] = []
    options: dict[str, str] = {}
    for line in text.splitlines():
        word, *rest = line.split("#")[0].split(";")[0].split() or [""]
        if word == "nameserver" and rest:
            servers.append(rest[0])
        elif word == "search":
            searches = [each.removesuffix(".") for each in rest if each != "."]
        elif word == "options":
            options |= {each.partition(":")[0]: each for each in rest}
    return DNSConfig(tuple(servers), tuple(searches), tuple(options.values()))
