"""Services and EndpointSlices, as far as the node's proxy, its DNS and containers' variables read them."""

from __future__ import annotations

import msgspec
from msgspec import field

from podward.api.json_value import JsonObject
from podward.api.structure import View

SERVICE_NAME = "kubernetes.io/service-name"
"""The label of an EndpointSlice that names its Service."""
HEADLESS_LABEL = "service.kubernetes.io/headless"
"""The label of a slice, or Service, that no proxy is to read."""
PROXY_NAME = "service.kubernetes.io/service-proxy-name"
"""The label of a Service that is another proxy's affair."""


class ObjectMeta(View, frozen=True):
    """What of an object's metadata is read."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None


class ServicePort(View, frozen=True):
    """A port of a Service."""

    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    node_port: int = 0


class ClientIPConfig(View, frozen=True):
    """How long a client stays with its endpoint."""

    timeout_seconds: int | None = None


class SessionAffinityConfig(View, frozen=True):
    """How session affinity is kept."""

    client_ip: ClientIPConfig | None = field(default=None, name="clientIP")


class ServiceSpec(View, frozen=True):
    """What of a Service's spec is read."""

    type: str = "ClusterIP"
    cluster_ip: str = field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] | None = field(default=None, name="clusterIPs")
    ports: tuple[ServicePort, ...] | None = None
    external_name: str = ""
    external_ips: tuple[str, ...] | None = field(default=None, name="externalIPs")
    external_traffic_policy: str = ""
    internal_traffic_policy: str = ""
    health_check_node_port: int = 0
    session_affinity: str = "None"
    session_affinity_config: SessionAffinityConfig | None = None
    load_balancer_source_ranges: tuple[str, ...] | None = None
    publish_not_ready_addresses: bool = False


class LoadBalancerIngress(View, frozen=True):
    """An address of a load balancer; `Proxy` in `ip_mode` means that it is not one of the nodes' to serve."""

    ip: str = ""
    ip_mode: str | None = None


class LoadBalancerStatus(View, frozen=True):
    """Where a load balancer listens."""

    ingress: tuple[LoadBalancerIngress, ...] | None = None


class ServiceStatus(View, frozen=True):
    """What of a Service's status is read."""

    load_balancer: LoadBalancerStatus | None = None


class Service(View, frozen=True):
    """A Service."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()
    status: ServiceStatus = ServiceStatus()

    @property
    def has_address(self) -> bool:
        """Whether it has an address of its own: no headless Service, and no other name alone."""
        return self.spec.type != "ExternalName" and self.spec.cluster_ip not in ("", "None")


class Conditions(View, frozen=True):
    """An endpoint's conditions; what is not said is None."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Hint(View, frozen=True):
    """A zone or a node that an endpoint is meant for."""

    name: str = ""


class Hints(View, frozen=True):
    """The zones and nodes that an endpoint is meant for."""

    for_zones: tuple[Hint, ...] | None = None
    for_nodes: tuple[Hint, ...] | None = None


class Endpoint(View, frozen=True):
    """One endpoint of a slice: its first address counts."""

    addresses: tuple[str, ...] | None = None
    conditions: Conditions = Conditions()
    hostname: str | None = None
    node_name: str | None = None
    hints: Hints | None = None

    @property
    def ready(self) -> bool:
        """Whether it takes new connections; one of which nobody says anything does."""
        return self.conditions.ready is not False


class EndpointPort(View, frozen=True):
    """A port of all endpoints of a slice; None is any."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(View, frozen=True):
    """Endpoints that have the same ports."""

    metadata: ObjectMeta = ObjectMeta()
    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None

    @property
    def service(self) -> tuple[str, str]:
        """The namespace and the name of the Service that it is of."""
        return self.metadata.namespace, (self.metadata.labels or {}).get(SERVICE_NAME, "")


def service_of(raw: JsonObject) -> Service | None:
    """The view of a Service; None for what is none."""
    try:
        return msgspec.convert(raw, Service)
    except msgspec.ValidationError:
        return None


def slice_of(raw: JsonObject) -> EndpointSlice | None:
    """The view of an EndpointSlice; None for what is none."""
    try:
        return msgspec.convert(raw, EndpointSlice)
    except msgspec.ValidationError:
        return None
