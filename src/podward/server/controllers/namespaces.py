"""What every namespace has: the service account `default`, and the certificate of the server's authority.

Specification: Kubernetes, pkg/controller/serviceaccount serviceaccounts_controller.go and pkg/controller/certificates/
rootcacertpublisher: made in each namespace that is not ending, and made again where somebody removes or changes it.
What could not be written is tried again a little later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.server.catalog import key_of, prefix_of
from podward.server.controllers.worker import Worker
from podward.server.encoding import decoded
from podward.stages.admission.pod_accounts import DEFAULT, ROOT

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.server.cache import Caches
    from podward.server.controllers.calling import Caller
    from podward.store.interface import Event

ACCOUNTS, AUTHORITIES = "service-account-controller", "root-ca-cert-publisher"
"""The service accounts of the two controllers."""
_NAMESPACES, _ACCOUNTS, _MAPS = (BY_PLURAL["", "v1", name] for name in ("namespaces", "serviceaccounts", "configmaps"))
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the"
    " internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes"
    " clusters."
)


class Namespaces:
    """Both controllers, as far as they run."""

    def __init__(self, caches: Caches, accounts: Caller | None, authorities: Caller | None, certificate: str) -> None:
        """`accounts` and `authorities` write what each makes; None where it does not run. `certificate` is in PEM."""
        self._namespaces = caches.of(prefix_of(_NAMESPACES))
        self._accounts = accounts
        self._authorities = authorities
        self._cache_of_accounts = caches.of(prefix_of(_ACCOUNTS)) if accounts is not None else None
        self._cache_of_maps = caches.of(prefix_of(_MAPS)) if authorities is not None else None
        self._certificate = certificate
        self._worker = Worker(self._look, "what a namespace has")

    async def start(self) -> None:
        """Look at what is there, and at what comes."""
        for cache in (self._namespaces, self._cache_of_accounts, self._cache_of_maps):
            if cache is not None:
                await cache.start()
                cache.listeners.append(self._take)
        every = self._namespaces.items(self._namespaces.prefix)
        self._worker.note(item.stored.key.removeprefix(self._namespaces.prefix) for item in every)
        self._worker.start()

    async def close(self) -> None:
        """Look no more."""
        await self._worker.close()

    def _take(self, event: Event) -> None:
        """Note the namespace of a change that matters: of itself, or of what is made in it."""
        key = event.stored.key
        if key.startswith(self._namespaces.prefix):
            self._worker.note([key.removeprefix(self._namespaces.prefix)])
            return
        *_, namespace, name = key.split("/")
        if name in {DEFAULT, ROOT}:
            self._worker.note([namespace])

    async def _look(self, name: str) -> bool:
        """Whether the namespace has now what it is to have."""
        item = self._namespaces.get(self._namespaces.prefix + name)
        if item is None or member(decoded(item.stored), "status").get("phase") == "Terminating":
            return True
        account, authority = await self._account(name), await self._authority(name)
        return account and authority

    async def _account(self, namespace: str) -> bool:
        if self._accounts is None or self._cache_of_accounts is None:
            return True
        if self._cache_of_accounts.get(key_of(_ACCOUNTS, namespace, DEFAULT)) is not None:
            return True
        made: JsonObject = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": DEFAULT, "namespace": namespace},
        }
        return _is_done(await self._accounts.ask("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", made))

    async def _authority(self, namespace: str) -> bool:
        if self._authorities is None or self._cache_of_maps is None:
            return True
        item = self._cache_of_maps.get(key_of(_MAPS, namespace, ROOT))
        data: JsonObject = {"ca.crt": self._certificate}
        path = f"/api/v1/namespaces/{namespace}/configmaps"
        if item is None:
            metadata: JsonObject = {
                "name": ROOT,
                "namespace": namespace,
                "annotations": {"kubernetes.io/description": _DESCRIPTION},
            }
            made: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            return _is_done(await self._authorities.ask("POST", path, made))
        obj = decoded(item.stored)
        if obj.get("data") == data:
            return True
        return await self._authorities.ask("PUT", f"{path}/{ROOT}", {**obj, "data": data}) < _FAILED


def _is_done(code: int) -> bool:
    """Whether it is there, be it made by somebody else, or can't be, as the namespace ends or is gone."""
    return code < _FAILED or code in {403, 404, 409}


_FAILED = 300
