"""The Endpoints controller: follows Services and Pods, and keeps the Endpoints of Services that select Pods.

Specification: Kubernetes, pkg/controller/endpoint: the Endpoints of a Service that is gone are deleted, also those that
were left behind while nobody looked, but for those by which somebody elects a leader.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.endpoints import pods as of_pods
from podward.controllers.endpoints import subsets
from podward.controllers.endpoints.subsets import ENDPOINTS
from podward.controllers.endpoints.trigger_times import TriggerTimes
from podward.controllers.endpoints.writing import is_ending_namespace
from podward.controllers.written import Written
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

ACCOUNT = "endpoint-controller"
LEADER = "control-plane.alpha.kubernetes.io/leader"
_SERVICES, _PODS = (BY_PLURAL["", "v1", name] for name in ("services", "pods"))
_WORKERS = 5
_NOT_FOUND = 404


async def make(context: Context) -> EndpointsController:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return EndpointsController(context, client, context.recorder(client, ACCOUNT))


class EndpointsController:
    """The Endpoints of all Services."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        informers = context.informers
        self._client = client
        self._recorder = recorder
        self._services = informers.of(_SERVICES)
        self._pods = informers.of(_PODS)
        self._endpoints = informers.of(ENDPOINTS)
        self._written = Written(self._endpoints)
        self._times = TriggerTimes()
        self._queue = WorkQueue(ACCOUNT, self._reconcile, _WORKERS)
        self._services.listeners.append(lambda change: self._queue.add("/".join(key_of(change.object))))
        self._pods.listeners.append(self._pod_changed)
        self._endpoints.listeners.append(self._endpoints_changed)

    async def start(self) -> None:
        """Begin to work."""
        for each in self._endpoints.items():
            if LEADER not in member(member(each, "metadata"), "annotations"):
                self._queue.add("/".join(key_of(each)))
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _pod_changed(self, change: Change) -> None:
        namespace, _ = key_of(change.object)
        for service in of_pods.touched(change, self._services.items(namespace)):
            self._queue.add("/".join(key_of(service)))

    def _endpoints_changed(self, change: Change) -> None:
        if change.new is None:
            self._queue.add("/".join(key_of(change.object)))

    async def _reconcile(self, key: str) -> Retry | None:
        namespace, _, name = key.partition("/")
        service = self._services.get(namespace, name)
        if service is None:
            return await self._remove(key)
        if text(member(service, "spec"), "type") == "ExternalName" or not of_pods.has_selector(service):
            return None
        pods = of_pods.selected(service, self._pods.items(namespace))
        moment = self._times.moment(key, service, pods)
        current = self._written.get(namespace, name)
        wanted = subsets.changed(service, subsets.wanted(service, pods), current, moment)
        return None if wanted is None else await self._store(service, wanted, new=current is None)

    async def _remove(self, key: str) -> Retry | None:
        namespace, _, name = key.partition("/")
        there = self._written.get(namespace, name)
        self._times.forget(key)
        if there is None:
            return None
        answer = await self._client.delete(ENDPOINTS, namespace, name)
        if isinstance(answer, Status) and answer.code != _NOT_FOUND:
            return Retry.LATER
        self._written.gone(there)
        return None

    async def _store(self, service: JsonObject, wanted: JsonObject, *, new: bool) -> Retry | None:
        namespace, name = key_of(service)
        write = self._client.create if new else self._client.replace
        answer = await write(ENDPOINTS, namespace, wanted)
        if not isinstance(answer, Status):
            self._written.put(answer)
            return None
        if new and is_ending_namespace(answer):
            return None
        where = f"{namespace}/{name}"
        if new:
            said = ("FailedToCreateEndpoint", f"Failed to create endpoint for service {where}: {answer.message}")
        else:
            said = ("FailedToUpdateEndpoint", f"Failed to update endpoint {where}: {answer.message}")
        self._recorder.event(wanted, "Warning", *said)
        return Retry.LATER
