"""What a load balancer is told of a Service that is to keep its clients' addresses: whether this machine has endpoints.

Specification (kube-proxy, pkg/proxy healthcheck/service_health.go and endpointschangetracker.go, in our words): a
Service of the type LoadBalancer with `externalTrafficPolicy: Local` is answered for at its healthCheckNodePort, for any
request. The endpoints here that are ready are counted, each address once; those that end do not count. Without any, or
while the proxy's rules are not what they should be, the answer is 503, else 200; the count is in a header too.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.service import EndpointSlice, Service
from podward.policy.proxy.routes import Machine, is_served

Name = tuple[str, str]


class HealthCheck(Struct, frozen=True):
    """What there is to answer at a port."""

    port: int
    endpoints: int = 0


class Answer(Struct, frozen=True):
    """An answer by HTTP."""

    code: int
    headers: dict[str, str]
    body: str


def health_checks(
    services: Iterable[Service], slices: Iterable[EndpointSlice], machine: Machine
) -> dict[Name, HealthCheck]:
    """What there is to answer, by the namespaces and names of Services."""
    wanted = {
        (service.metadata.namespace, service.metadata.name): service.spec.health_check_node_port
        for service in services
        if service.spec.type == "LoadBalancer" and service.spec.external_traffic_policy == "Local"
        if service.spec.health_check_node_port and is_served(service)
    }
    here: dict[Name, set[str]] = {name: set() for name in wanted}
    for each in slices:
        if each.service in here and each.address_type == "IPv4" and each.ports:
            here[each.service] |= {
                endpoint.addresses[0]
                for endpoint in each.endpoints or ()
                if endpoint.addresses and endpoint.ready and endpoint.node_name in machine.nodes
            }
    return {name: HealthCheck(port, len(here[name])) for name, port in wanted.items()}


def answer(name: Name, endpoints: int, *, healthy: bool) -> Answer:
    """What is said of a Service; `healthy` says that the proxy's rules are what they should be."""
    headers = {
        "Content-Type": "application/json",
        "X-Content-Type-Options": "nosniff",
        "X-Load-Balancing-Endpoint-Weight": str(endpoints),
    }
    lines = (
        "{",
        '\t"service": {',
        f'\t\t"namespace": "{name[0]}",',
        f'\t\t"name": "{name[1]}"',
        "\t},",
        f'\t"localEndpoints": {endpoints},',
        f'\t"serviceProxyHealthy": {str(healthy).lower()}',
        "}",
    )
    return Answer(200 if endpoints and healthy else 503, headers, "\n".join(lines))
