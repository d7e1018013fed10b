"""The service CIDR controller: ranges of Services' addresses say that they are ready, and stay while they are needed.

Specification: Kubernetes, pkg/controller/servicecidrs: a ServiceCIDR has a finalizer. One that is deleted goes, after
10 s in which servers hear of that, if others contain it, or if no address of a Service is in it alone; else it says why
not. Ours: the Services themselves are looked at, as our API server makes no IPAddresses of theirs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.volumes.protection import finalizers
from podward.documents.raw_fields import member, objects
from podward.schema.moments import seconds
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text, texts

RANGES, SERVICES = BY_PLURAL["networking.k8s.io", "v1", "servicecidrs"], BY_PLURAL["", "v1", "services"]
FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_NAME, _ACCOUNT = "service-cidr-controller", "service-cidrs-controller"
_READY = ("True", "", "Kubernetes Service CIDR is ready")
_NEEDED = (
    "False",
    "Terminating",
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
)
_GRACE, _NOT_FOUND = 10.0, 404
Network = IPv4Network | IPv6Network


def is_needed(obj: JsonObject, every: Iterable[JsonObject], services: Iterable[JsonObject]) -> bool:
    """Whether addresses of Services would be in no range any more without this one."""
    others = [each for each in every if key_of(each) != key_of(obj)]
    elsewhere = [network for each in others for network in _networks(each)]
    own = _networks(obj)
    if all(any(_contains(other, network) for other in elsewhere) for network in own):
        return False
    taken = [
        ip_network(ip_address(written))
        for each in services
        for written in texts(member(each, "spec"), "clusterIPs")
        if written != "None"
    ]
    return any(
        any(_contains(network, address) for network in own)
        and not any(_contains(network, address) for network in elsewhere)
        for address in taken
    )


def _networks(obj: JsonObject) -> list[Network]:
    return [ip_network(each, strict=False) for each in texts(member(obj, "spec"), "cidrs")]


def _contains(outer: Network, inner: Network) -> bool:
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


async def make(context: Context) -> ServiceRanges:
    """The controller."""
    return ServiceRanges(context, await context.client_for(_ACCOUNT))


class ServiceRanges:
    """Looks after the ranges until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._ranges, self._services = context.informers.of(RANGES), context.informers.of(SERVICES)
        self._queue = WorkQueue(_NAME, self._reconcile)
        self._ranges.listeners.append(self._on_change)
        self._services.listeners.append(lambda _change: self._look_at_deleted())

    async def start(self) -> None:
        """Begin to look."""
        self._queue.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()

    def _on_change(self, change: Change) -> None:
        self._queue.add(key_of(change.object)[1])
        if change.old is None or change.new is None:
            self._look_at_deleted()

    def _look_at_deleted(self) -> None:
        for each in self._ranges.items():
            if "deletionTimestamp" in member(each, "metadata"):
                self._queue.add(key_of(each)[1])

    async def _reconcile(self, name: str) -> float | Retry | None:
        obj = self._ranges.get("", name)
        if obj is None:
            return None
        gone = text(member(obj, "metadata"), "deletionTimestamp")
        if gone and is_needed(obj, self._ranges.items(), self._services.items()):
            return await self._tell(obj, _NEEDED)
        if gone and (left := seconds(gone) + _GRACE - time.time()) > 0:
            return left
        wanted = finalizers(obj, FINALIZER, used=False)
        if wanted is not None:
            changed: JsonObject = {**obj, "metadata": {**member(obj, "metadata"), "finalizers": wanted}}
            return _again(await self._client.replace(RANGES, "", changed))
        return None if gone else await self._tell(obj, _READY)

    async def _tell(self, obj: JsonObject, said: tuple[str, str, str]) -> Retry | None:
        """Have its condition Ready say this."""
        state, reason, message = said
        for each in objects(member(obj, "status"), "conditions"):
            if each.get("type") == "Ready" and (each.get("status"), each.get("reason"), each.get("message")) == said:
                return None
        condition: JsonObject = {
            "type": "Ready",
            "status": state,
            "reason": reason,
            "message": message,
            "lastTransitionTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        patch: JsonObject = {"status": {"conditions": [condition]}}
        return _again(await self._client.patch(RANGES, "", key_of(obj)[1], patch, PatchKind.STRATEGIC, "status"))


def _again(answer: JsonObject | Status) -> Retry | None:
    return Retry.LATER if isinstance(answer, Status) and answer.code != _NOT_FOUND else None
