"""Endpoints that a node knows by itself: of the cluster's DNS that it serves, and of its own API server.

A Service that has endpoints of its own keeps them, as a DNS that runs in Pods; but for an API server that the node
reaches at a loopback address. Whatever it tells of itself, that is where it listens: so Pods are led there, by the
Service and by the addresses that it tells, which are in its Endpoints and in what it says of its tokens' keys.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.service import (
    SERVICE_NAME,
    Conditions,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    ObjectMeta,
    Service,
    ServicePort,
    ServiceSpec,
)

DNS_SERVICE = ("kube-system", "kube-dns")
API_SERVICE = ("default", "kubernetes")
DNS_PORT, API_PORT = 53, 443


NO_ENDPOINT: tuple[str, dict[str, int]] = ("", {})


class BuiltIn(Struct, frozen=True):
    """What this node knows: the address that Pods ask for names at and who answers there; who the API server is.

    Endpoints are an address with its ports by protocol; without an address there is none.
    """

    dns_service: str = ""
    dns: tuple[str, dict[str, int]] = NO_ENDPOINT
    server: tuple[str, dict[str, int]] = NO_ENDPOINT


def completed(
    services: Iterable[Service], slices: Iterable[EndpointSlice], known: BuiltIn
) -> tuple[list[Service], list[EndpointSlice]]:
    """The Services and slices, with those that this node knows by itself."""
    every, listed = list(services), list(slices)
    served = {each.service for each in listed if any(endpoint.addresses for endpoint in each.endpoints or ())}
    by_name = {(service.metadata.namespace, service.metadata.name): service for service in every}
    if known.dns[0]:
        dns = next((service for service in every if service.spec.cluster_ip == known.dns_service), None)
        if dns is None:
            dns = _dns_service(known.dns_service)
            every.append(dns)
        if (dns.metadata.namespace, dns.metadata.name) not in served:
            listed.append(_slice(dns, known.dns, DNS_PORT))
    server = by_name.get(API_SERVICE)
    if server is not None and known.server[0] and (API_SERVICE not in served or _is_loopback(known.server[0])):
        told = [each for each in listed if each.service == API_SERVICE]
        listed = [each for each in listed if each.service != API_SERVICE]
        listed.append(_slice(server, known.server, API_PORT))
        for service in _told(server, told, known.server):
            every.append(service)
            listed.append(_slice(service, known.server, service.spec.ports[0].port if service.spec.ports else 0))
    return every, listed


def _told(server: Service, slices: Iterable[EndpointSlice], known: tuple[str, dict[str, int]]) -> Iterable[Service]:
    """Services at the addresses and ports that a server tells of itself, but for where it is known to be."""
    for each in slices:
        for endpoint in each.endpoints or ():
            for address in endpoint.addresses or ():
                for port in each.ports or ():
                    if port.port and (address, port.port) != (known[0], known[1].get("TCP")):
                        name = f"{server.metadata.name}-{address}-{port.port}"
                        spec = ServiceSpec(
                            cluster_ip=server.spec.cluster_ip,
                            external_ips=(address,),
                            ports=(ServicePort("https", "TCP", port.port),),
                        )
                        yield Service(ObjectMeta(name, server.metadata.namespace), spec)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.")


def _dns_service(address: str) -> Service:
    namespace, name = DNS_SERVICE
    ports = (ServicePort("dns", "UDP", DNS_PORT), ServicePort("dns-tcp", "TCP", DNS_PORT))
    return Service(ObjectMeta(name, namespace), ServiceSpec(cluster_ip=address, ports=ports))


def _slice(service: Service, endpoint: tuple[str, dict[str, int]], number: int) -> EndpointSlice:
    """A slice of an endpoint for the Service's ports of this number."""
    address, numbers = endpoint
    ports = tuple(
        EndpointPort(port.name, port.protocol, numbers[port.protocol])
        for port in service.spec.ports or ()
        if port.protocol in numbers and port.port == number
    )
    of = ObjectMeta("built-in", service.metadata.namespace, labels={SERVICE_NAME: service.metadata.name})
    return EndpointSlice(of, "IPv4", (Endpoint((address,), Conditions(ready=True)),), ports)
