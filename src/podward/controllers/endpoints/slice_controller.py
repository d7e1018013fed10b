"""The EndpointSlice controller: follows Services, Pods and Nodes, and keeps the slices of Services that select Pods.

Specification: Kubernetes, pkg/controller/endpointslice: Services of type ExternalName and without a selector are left
alone; what somebody else changes is looked at again a second later; what fails, after 1, 2, 4 … seconds.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, Informer, key_of
from podward.client.work import WorkQueue
from podward.controllers.context import Context
from podward.controllers.endpoints import pods as of_pods
from podward.controllers.endpoints import slices as of_slices
from podward.controllers.endpoints.slice_documents import MANAGER, SLICES
from podward.controllers.endpoints.trigger_times import TriggerTimes
from podward.controllers.endpoints.writing import Slices
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

ACCOUNT = "endpointslice-controller"
_SERVICES, _PODS, _NODES = (BY_PLURAL["", "v1", name] for name in ("services", "pods", "nodes"))
_COMPONENT = "endpoint-slice-controller"
_OF_OTHERS, _FIRST, _MOST = 1.0, 1.0, 1000.0
_WORKERS = 5


async def make(context: Context) -> EndpointSliceController:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return EndpointSliceController(context, client, context.recorder(client, _COMPONENT))


class EndpointSliceController:
    """The EndpointSlices of all Services."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        informers = context.informers
        self._services: Informer = informers.of(_SERVICES)
        self._pods: Informer = informers.of(_PODS)
        self._nodes: Informer = informers.of(_NODES)
        self._slices = Slices(client, informers.of(SLICES), MANAGER, self._later)
        self._recorder = recorder
        self._times = TriggerTimes()
        self._failures: dict[str, int] = {}
        self._queue = WorkQueue(ACCOUNT, self._reconcile, _WORKERS)
        self._services.listeners.append(lambda change: self._queue.add("/".join(key_of(change.object))))
        self._pods.listeners.append(self._pod_changed)
        self._nodes.listeners.append(self._node_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _pod_changed(self, change: Change) -> None:
        namespace, _ = key_of(change.object)
        for service in of_pods.touched(change, self._services.items(namespace)):
            self._queue.add("/".join(key_of(service)))

    def _node_changed(self, change: Change) -> None:
        """A node is there: Pods may have waited for it."""
        if change.old is None:
            for key in self._failures:
                self._queue.add(key)

    def _later(self, key: str) -> None:
        self._queue.add_after(key, _OF_OTHERS)

    async def _reconcile(self, key: str) -> float | None:
        namespace, _, name = key.partition("/")
        service = self._services.get(namespace, name)
        if service is None:
            self._times.forget(key)
            self._failures.pop(key, None)
            return None
        if text(member(service, "spec"), "type") == "ExternalName" or not of_pods.has_selector(service):
            return None
        pods = of_pods.selected(service, self._pods.items(namespace))
        moment = self._times.moment(key, service, pods)
        plan = of_slices.planned(service, pods, self._slices.of(namespace, name), self._node, moment)
        fault = await self._slices.carry_out(plan, "Service", key)
        return self._again(key, service, [*plan.faults, *([fault] if fault else [])])

    def _node(self, name: str) -> JsonObject | None:
        return self._nodes.get("", name)

    def _again(self, key: str, service: JsonObject, faults: list[str]) -> float | None:
        """Tell what failed; in how many seconds to try again."""
        if not faults:
            self._failures.pop(key, None)
            return None
        said = faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"
        self._recorder.event(
            service,
            "Warning",
            "FailedToUpdateEndpointSlices",
            f"Error updating Endpoint Slices for Service {key}: {said}",
        )
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        return min(_FIRST * 2.0 ** min(failures, 10), _MOST)
