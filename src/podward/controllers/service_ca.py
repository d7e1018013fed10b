"""The service CA publisher of OpenShift: `openshift-service-ca.crt`, which every Pod mounts, in every namespace.

Specification: OpenShift's kube-controller-manager, pkg/controller/certificates (service-ca-cert-publisher), and the
service-ca operator, which fills in the authority that signs Services' certificates. Ours: nobody signs any here, and
what is published is the cluster's own authority, as `kube-root-ca.crt` of kube-system has it.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL

_MAPS, _NAMESPACES = BY_PLURAL["", "v1", "configmaps"], BY_PLURAL["", "v1", "namespaces"]
NAME, KEY = "openshift-service-ca.crt", "service-ca.crt"
_ROOT, _SYSTEM = "kube-root-ca.crt", "kube-system"
_ANNOTATIONS: JsonObject = {"service.beta.openshift.io/inject-cabundle": "true"}
_FINE = frozenset((403, 404, 409))


async def make(context: Context) -> ServiceAuthority:
    """The controller."""
    return ServiceAuthority(context, await context.client_for("service-ca-cert-publisher"))


class ServiceAuthority:
    """Publishes until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._namespaces = context.informers.of(_NAMESPACES)
        self._published = context.informers.of(_MAPS, fields=f"metadata.name={NAME}")
        self._root = context.informers.of(_MAPS, _SYSTEM, fields=f"metadata.name={_ROOT}")
        self._queue = WorkQueue("service-ca-cert-publisher", self._reconcile)
        self._namespaces.listeners.append(lambda change: self._queue.add(key_of(change.object)[1]))
        self._published.listeners.append(lambda change: self._queue.add(key_of(change.object)[0]))
        self._root.listeners.append(self._on_root)

    async def start(self) -> None:
        """Begin to publish."""
        self._queue.start()

    async def close(self) -> None:
        """Publish no more."""
        await self._queue.close()

    def _on_root(self, _change: Change) -> None:
        for namespace in self._namespaces.items():
            self._queue.add(key_of(namespace)[1])

    async def _reconcile(self, name: str) -> Retry | None:
        """Have the authority in a namespace that does not end."""
        namespace, root = self._namespaces.get("", name), self._root.get(_SYSTEM, _ROOT)
        if namespace is None or root is None or member(namespace, "status").get("phase") == "Terminating":
            return None
        data: JsonObject = {KEY: member(root, "data").get("ca.crt")}
        there = self._published.get(name, NAME)
        if there is not None and there.get("data") == data:
            return None
        if there is not None:
            answer = await self._client.replace(_MAPS, name, {**there, "data": data})
        else:
            metadata: JsonObject = {"name": NAME, "annotations": {**_ANNOTATIONS}}
            made: JsonObject = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            answer = await self._client.create(_MAPS, name, made)
        return Retry.LATER if isinstance(answer, Status) and answer.code not in _FINE else None
