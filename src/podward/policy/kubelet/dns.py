"""What is in a Pod's /etc/resolv.conf.

Specification (kubelet, pkg/kubelet/network/dns, and containerd's `parseDNSOptions`, in our words): under `dnsPolicy:
None` the Pod starts from nothing, else from the node's own file: this node has no cluster DNS, and a kubelet without
one treats ClusterFirst like Default. `dnsConfig` is added: nameservers and search domains behind those that are there,
each once; an option takes the place of one of the same name. At most 3 nameservers and 32 search domains are kept. The
file has the search domains, then the nameservers, then the options.

Ours: without `dnsConfig` the node's file is taken as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podward.api.core import PodSpec

MOST_NAMESERVERS, MOST_SEARCHES = 3, 32


def resolv_conf(spec: PodSpec, of_node: str) -> str:
    """The file's content; `of_node` is that of this machine."""
    added = spec.dns_config
    alone = spec.dns_policy == "None"
    if added is None:
        return "" if alone else of_node
    servers, searches, options = ([], [], {}) if alone else _parsed(of_node)
    servers += added.nameservers or ()
    searches += added.searches or ()
    options |= {option.name: option.value or "" for option in added.options or ()}
    lines = [f"nameserver {server}" for server in tuple(dict.fromkeys(servers))[:MOST_NAMESERVERS]]
    if searches:
        lines.insert(0, " ".join(("search", *tuple(dict.fromkeys(searches))[:MOST_SEARCHES])))
    if options:
        lines.append(" ".join(("options", *(f"{name}:{value}" if value else name for name, value in options.items()))))
    return "".join(f"{line}\n" for line in lines)


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
