"""The names that a Service and its endpoints have in the cluster's domain.

Specification (Kubernetes DNS-Based Service Discovery 1.1, and what CoreDNS answers, in our words), with SVC for
NAME.NAMESPACE.svc.DOMAIN:
- a Service with an address: SVC has it, and the address points back at SVC; `_PORT._PROTOCOL.SVC` is a SRV record for
  each port with a name, which points at SVC.
- a headless Service: SVC has the address of each ready endpoint; HOST.SVC has the endpoint's own, which points back,
  where HOST is its hostname, or its address with dashes; `_PORT._PROTOCOL.SVC` is a SRV record for each endpoint, which
  points at HOST.SVC. Without a ready endpoint there is no such name.
- an ExternalName Service: SVC is an alias of the other name.

A port without a name is told by its protocol to nobody; all ports together are what SVC itself answers for SRV.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import AddressValueError, IPv4Address

from msgspec import Struct, field

from podward.api.service import Endpoint, EndpointSlice, Service


class Offered(Struct, frozen=True):
    """A port that somebody below a Service's name serves: `_NAME._PROTOCOL`, its number, and who (empty: all)."""

    name: str
    protocol: str
    port: int
    host: str = ""


class ServiceNames(Struct, frozen=True):
    """What is below a Service's name: addresses by host (empty: the Service itself), ports, and what it stands for."""

    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    offered: tuple[Offered, ...] = ()
    alias: str = ""

    @property
    def pointers(self) -> dict[str, str]:
        """The host of each address that points back."""
        hosts = {each: host for host, listed in self.addresses.items() if host for each in listed}
        return hosts or dict.fromkeys(self.addresses.get("", ()), "")


def names_of(service: Service, slices: Iterable[EndpointSlice]) -> ServiceNames:
    """The names of one Service, with the slices that are labelled with its name."""
    spec = service.spec
    if spec.type == "ExternalName":
        return ServiceNames(alias=spec.external_name.rstrip(".").lower())
    if service.has_address:
        if not _is_ipv4(spec.cluster_ip):
            return ServiceNames({"": ()})
        ports = tuple(Offered(port.name, port.protocol.lower(), port.port) for port in spec.ports or ())
        return ServiceNames({"": (spec.cluster_ip,)}, ports)
    return _headless([each for each in slices if each.address_type == "IPv4"])


def _headless(slices: Sequence[EndpointSlice]) -> ServiceNames:
    hosts: dict[str, list[str]] = {}
    offered: dict[Offered, None] = {}
    for each in slices:
        for endpoint in each.endpoints or ():
            addresses = [ip for ip in endpoint.addresses or () if _is_ipv4(ip)]
            if not endpoint.ready or not addresses:
                continue
            host = _host(endpoint, addresses[0])
            hosts.setdefault(host, []).extend(ip for ip in addresses if ip not in hosts[host])
            for port in each.ports or ():
                if port.port:
                    protocol = (port.protocol or "TCP").lower()
                    offered[Offered(port.name or "", protocol, port.port, host)] = None
    if not hosts:
        return ServiceNames()
    every = tuple(dict.fromkeys(ip for listed in hosts.values() for ip in listed))
    return ServiceNames({"": every, **{host: tuple(listed) for host, listed in hosts.items()}}, tuple(offered))


def _host(endpoint: Endpoint, ip: str) -> str:
    return (endpoint.hostname or ip.replace(".", "-")).lower()


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
