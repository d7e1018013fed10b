"""Services with their EndpointSlices, and the Nodes of this machine, as they are now."""

from __future__ import annotations

from collections.abc import Callable

from podward.api.service import EndpointSlice, Service, service_of, slice_of
from podward.client.informer import Change, Informer, Informers, Key, key_of
from podward.documents.raw_fields import member, objects
from podward.policy.proxy.routes import Machine, is_range
from podward.schema.resources import BY_PLURAL

SERVICES = BY_PLURAL["", "v1", "services"]
SLICES = BY_PLURAL["discovery.k8s.io", "v1", "endpointslices"]
SERVICE_CIDRS = BY_PLURAL["networking.k8s.io", "v1", "servicecidrs"]
NODES = BY_PLURAL["", "v1", "nodes"]
_ZONE = "topology.kubernetes.io/zone"


class ServiceBook:
    """Follows Services and EndpointSlices; a listener is told which Service has changed, or has other endpoints."""

    def __init__(self, services: Informer, slices: Informer) -> None:
        self.services: dict[Key, Service] = {}
        self.slices: dict[Key, dict[str, EndpointSlice]] = {}
        self.listeners: list[Callable[[Key], None]] = []
        services.listeners.append(self._service)
        slices.listeners.append(self._slice)
        for informer, take in ((services, self._service), (slices, self._slice)):
            for obj in informer.items():
                take(Change(None, obj))

    def of(self, key: Key) -> list[EndpointSlice]:
        """The slices of a Service."""
        return list(self.slices.get(key, {}).values())

    def every_slice(self) -> list[EndpointSlice]:
        """All slices."""
        return [each for listed in self.slices.values() for each in listed.values()]

    def _service(self, change: Change) -> None:
        key = key_of(change.object)
        found = service_of(change.new) if change.new is not None else None
        if found is not None:
            self.services[key] = found
        else:
            self.services.pop(key, None)
        self._tell(key)

    def _slice(self, change: Change) -> None:
        views = [slice_of(obj) if obj is not None else None for obj in (change.old, change.new)]
        old, new = views
        name = key_of(change.object)[1]
        if old is not None and old.service in self.slices:
            self.slices[old.service].pop(name, None)
            if not self.slices[old.service]:
                del self.slices[old.service]
        if new is not None:
            self.slices.setdefault(new.service, {})[name] = new
        for key in dict.fromkeys(view.service for view in views if view is not None):
            self._tell(key)

    def _tell(self, key: Key) -> None:
        for listener in self.listeners:
            listener(key)


class MachineNodes:
    """The Nodes that share this machine: those with our address."""

    def __init__(self, informers: Informers, name: str, address: str) -> None:
        self._nodes = informers.of(NODES)
        self._name = name
        self._address = address
        self.listeners: list[Callable[[], None]] = []
        self._nodes.listeners.append(self._heard)
        self._before: Machine | None = None

    def machine(self, *, pods: tuple[str, ...], services: tuple[str, ...], bridged: bool) -> Machine:
        """The machine as the proxy sees it; `pods` are ranges that are known beside the Nodes'."""
        here = [node for node in self._nodes.items() if self._is_here(node)]
        ranges = dict.fromkeys(pods)
        for node in here:
            spec = member(node, "spec")
            listed = spec.get("podCIDRs")
            words = listed if isinstance(listed, list) and listed else [spec.get("podCIDR")]
            ranges |= dict.fromkeys(word for word in words if isinstance(word, str) and is_range(word))
        own = next((node for node in here if key_of(node)[1] == self._name), {})
        zone = member(member(own, "metadata"), "labels").get(_ZONE)
        names = frozenset(key_of(node)[1] for node in here) | {self._name}
        return Machine(names, zone if isinstance(zone, str) else "", tuple(ranges), services, bridged)

    def pod_cidr(self) -> str:
        """The range of addresses that our own Node was given for its Pods; empty before."""
        node = self._nodes.get("", self._name)
        told = member(node, "spec").get("podCIDR") if node is not None else ""
        return told if isinstance(told, str) else ""

    def _is_here(self, node: object) -> bool:
        if not isinstance(node, dict):
            return False
        addresses = objects(member(node, "status"), "addresses")
        return key_of(node)[1] == self._name or any(
            each.get("type") == "InternalIP" and each.get("address") == self._address for each in addresses
        )

    def _heard(self, change: Change) -> None:
        del change
        now = self.machine(pods=(), services=(), bridged=True)
        if now != self._before:
            self._before = now
            for listener in self.listeners:
                listener()
