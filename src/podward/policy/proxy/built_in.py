"""Endpoints that a node knows by itself: of the cluster's DNS that it serves, and of its own API server.

A Service that has endpoints of its own keeps them, as a DNS that runs in Pods; but for an API server that the node
reaches at a loopback address. Whatever it tells of itself, that is where it listens: so Pods are led there, too.
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
DNS_PORT = 53


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
            listed.append(_slice(dns, known.dns))
    server = by_name.get(API_SERVICE)
    if server is not None and known.server[0] and (API_SERVICE not in served or _is_loopback(known.server[0])):
        listed = [each for each in listed if each.service != API_SERVICE]
        listed.append(_slice(server, known.server))
    return every, listed


def _is_loopback(address: str) -> bool:
    return address.startswith("127.")


def _dns_service(address: str) -> Service:
    namespace, name = DNS_SERVICE
    ports = (ServicePort("dns", "UDP", DNS_PORT), ServicePort("dns-tcp", "TCP", DNS_PORT))
    return Service(ObjectMeta(name, namespace), ServiceSpec(cluster_ip=address, ports=ports))


def _slice(service: Service, endpoint: tuple[str, dict[str, int]]) -> EndpointSlice:
    address, numbers = endpoint
    ports = tuple(
        EndpointPort(port.name, port.protocol, numbers[port.protocol])
        for port in service.spec.ports or ()
        if port.protocol in numbers and port.port in (DNS_PORT, 443)
    )
    of = ObjectMeta("built-in", service.metadata.namespace, labels={SERVICE_NAME: service.metadata.name})
    return EndpointSlice(of, "IPv4", (Endpoint((address,), Conditions(ready=True)),), ports)
