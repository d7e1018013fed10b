"""Where a Service leads that is in front of a webhook: to an address that is ready behind it.

Specification: Kubernetes, k8s.io/apiserver, pkg/util/proxy ResolveEndpoint, whose words these are. The real server's
usual way is to the Service's own address; without a kube-proxy nothing is there. EndpointSlices are looked at first,
then the Endpoints of the same name, which nobody has mirrored here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_KIND
from podward.schema.validation.raw import text, texts
from podward.server.cache import Caches
from podward.server.catalog import key_of, prefix_of
from podward.server.encoding import decoded

_SERVICES, _ENDPOINTS = BY_KIND["v1", "Service"], BY_KIND["v1", "Endpoints"]
_SLICES = BY_KIND["discovery.k8s.io/v1", "EndpointSlice"]
_OF_SERVICE = "kubernetes.io/service-name"
_TYPES = frozenset(("ClusterIP", "NodePort", "LoadBalancer"))

Address = tuple[str, int]


class Services:
    """The Services of a server, and what is behind them."""

    def __init__(self, caches: Caches) -> None:
        self._services = caches.of(prefix_of(_SERVICES))
        self._slices = caches.of(prefix_of(_SLICES))
        self._endpoints = caches.of(prefix_of(_ENDPOINTS))

    async def address(self, host: str, port: int) -> Address | str:
        """An address behind the Service of this host name, or why there is none."""
        name, namespace = host.split(".")[:2]
        for cache in (self._services, self._slices, self._endpoints):
            await cache.fresh()
        found = self._services.get(key_of(_SERVICES, namespace, name))
        if found is None:
            return f'service "{name}" not found'
        spec = member(decoded(found.stored), "spec")
        of_type = text(spec, "type")
        if of_type == "ExternalName":
            return text(spec, "externalName"), port
        if of_type not in _TYPES:
            return f'unsupported service type "{of_type}"'
        named = next((text(each, "name") for each in objects(spec, "ports") if each.get("port") == port), None)
        if named is None:
            return f'no service port {port} found for service "{name}"'
        ready = in_slices(self._slices_of(namespace, name), named, texts(spec, "ipFamilies"))
        ready = ready or list(self._in_endpoints(namespace, name, named))
        return random.choice(ready) if ready else f'no endpoints available for service "{name}"'  # noqa: S311 - any

    def _slices_of(self, namespace: str, name: str) -> list[JsonObject]:
        items = self._slices.items(prefix_of(_SLICES, namespace))
        return [decoded(item.stored) for item in items if item.labels.get(_OF_SERVICE) == name]

    def _in_endpoints(self, namespace: str, name: str, port: str) -> Iterator[Address]:
        found = self._endpoints.get(key_of(_ENDPOINTS, namespace, name))
        for subset in objects(decoded(found.stored), "subsets") if found is not None else ():
            for each in objects(subset, "ports"):
                target = each.get("port")
                if text(each, "name") == port and isinstance(target, int):
                    yield from ((text(address, "ip"), target) for address in objects(subset, "addresses"))


def in_slices(slices: Sequence[JsonObject], port: str, families: Sequence[str]) -> list[Address]:
    """The addresses that are ready; of several families those of the Service's first one that has any."""
    found: dict[str, list[Address]] = {}
    for each in slices:
        for target in objects(each, "ports"):
            number = target.get("port")
            if text(target, "name") != port or not isinstance(number, int):
                continue
            for endpoint in objects(each, "endpoints"):
                addresses = texts(endpoint, "addresses")
                if addresses and member(endpoint, "conditions").get("ready") is not False:
                    found.setdefault(text(each, "addressType"), []).append((addresses[0], number))
    preferred = [*families, *found]
    return next((found[family] for family in preferred if found.get(family)), [])
