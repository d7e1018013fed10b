"""The controller of PodDisruptionBudgets at work: it counts Pods and asks their controllers for their size.

Specification: Kubernetes, pkg/controller/disruption/disruption.go: a Pod's controller is a ReplicationController, a
ReplicaSet or its Deployment, a StatefulSet, or anything that has a subresource scale.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import NOT_FOUND, PODS
from podward.controllers.apps.ownership import controller_of, key_of, name_of, namespace_of, uid_of
from podward.controllers.disruption import budgets
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL
from podward.schema.strategies.equality import same
from podward.schema.validation.raw import number, text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.client.api import Client
    from podward.client.events import Recorder
    from podward.client.informer import Change
    from podward.controllers.context import Context

BUDGETS = BY_PLURAL["policy", "v1", "poddisruptionbudgets"]
_FOLLOWED = {
    resource.kind: resource
    for resource in (
        BY_PLURAL["", "v1", "replicationcontrollers"],
        BY_PLURAL["apps", "v1", "replicasets"],
        BY_PLURAL["apps", "v1", "statefulsets"],
        BY_PLURAL["apps", "v1", "deployments"],
    )
}
_ACCOUNT, _COMPONENT = "disruption-controller", "controllermanager"
_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of"
    " the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please"
    ' set ".spec.minAvailable" field of the PDB to an integer value.'
)


async def make(context: Context) -> DisruptionController:
    """The controller of PodDisruptionBudgets."""
    client = await context.client_for(_ACCOUNT)
    return DisruptionController(context, client, context.recorder(client, _COMPONENT))


class DisruptionController:
    """Tells how many disruptions each budget allows."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._budgets = context.informers.of(BUDGETS)
        self._pods = context.informers.of(PODS)
        self._owners = {kind: context.informers.of(resource) for kind, resource in _FOLLOWED.items()}
        self._queue = WorkQueue(_ACCOUNT, self._reconcile, workers=1)
        self._targets = WorkQueue("stale disruption targets", self._clear, workers=1)

    async def start(self) -> None:
        """Look at all budgets, and at what changes."""
        self._budgets.listeners.append(lambda change: self._queue.add(key_of(change.object)))
        self._pods.listeners.append(self._take_pod)
        for budget in self._budgets.items():
            self._queue.add(key_of(budget))
        for pod in self._pods.items():
            self._note_target(pod)
        self._queue.start()
        self._targets.start()

    async def close(self) -> None:
        """Look no more."""
        await self._queue.close()
        await self._targets.close()

    def _take_pod(self, change: Change) -> None:
        pod = change.object
        covering: list[str] = []
        for budget in self._budgets.items(namespace_of(pod)):
            if any(each is not None and budgets.covers(budget, each) for each in (change.old, change.new)):
                self._queue.add(key_of(budget))
            if budgets.covers(budget, pod):
                covering.append(name_of(budget))
        if len(covering) > 1:
            self._recorder.event(pod, "Warning", "MultiplePodDisruptionBudgets", _several(pod, covering))
        if change.new is not None:
            self._note_target(pod)

    def _note_target(self, pod: JsonObject) -> None:
        wait = budgets.stale_target(pod, time.time())
        if wait is not None:
            self._targets.add_after(key_of(pod), wait)

    async def _clear(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        pod, now = self._pods.get(namespace, name), time.time()
        wait = budgets.stale_target(pod, now) if pod is not None else None
        if pod is None or wait is None or wait > 0:
            return wait
        answer = await self._client.replace(PODS, namespace, budgets.without_target(pod, now), "status")
        return Retry.LATER if isinstance(answer, Status) and answer.code != NOT_FOUND else None

    async def _reconcile(self, key: str) -> float | Retry | None:
        namespace, _, name = key.partition("/")
        budget = self._budgets.get(namespace, name)
        if budget is None:
            return None
        pods = [pod for pod in self._pods.items(namespace) if budgets.covers(budget, pod)]
        if not pods:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        replicas = await self._replicas(budget, pods) if budgets.counts_replicas(budget) else 0
        now = time.time()
        if isinstance(replicas, str):
            sentence = f"Failed to calculate the number of expected pods: {replicas}"
            self._recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", sentence)
            return await self._write(budget, budgets.uncounted(budget, replicas, now), None)
        found = budgets.decide(budget, pods, budgets.expected(budget, replicas, len(pods)), now)
        for pod in found.stayed:
            sentence = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            self._recorder.event(pod, "Warning", "NotDeleted", sentence)
        return await self._write(budget, found.status, found.again)

    async def _write(self, budget: JsonObject, status: JsonObject, again: float | None) -> float | Retry | None:
        if not same(status, member(budget, "status")):
            answer = await self._client.replace(BUDGETS, namespace_of(budget), {**budget, "status": status}, "status")
            if isinstance(answer, Status) and answer.code != NOT_FOUND:
                return Retry.LATER
        return again

    async def _replicas(self, budget: JsonObject, pods: list[JsonObject]) -> int | str:
        """The replicas that the Pods' controllers wish for, or why nobody knows."""
        sizes: dict[str, int] = {}
        seen: set[str] = set()
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
                continue
            if text(reference, "uid") in seen:
                continue
            seen.add(text(reference, "uid"))
            found = await self._scale(namespace_of(pod), reference)
            if isinstance(found, str):
                return found or f'found no controllers for pod "{name_of(pod)}"'
            sizes[found[0]] = found[1]
        if unmanaged:
            selector = member(member(budget, "spec"), "selector")
            self._recorder.event(budget, "Warning", "UnmanagedPods", _UNMANAGED.format(_shown(selector)))
        return sum(sizes.values())

    async def _scale(self, namespace: str, reference: JsonObject) -> tuple[str, int] | str:
        """The uid of what decides a Pod's replicas and their number; or why there is none."""
        kind, name = text(reference, "kind"), text(reference, "name")
        resource = _FOLLOWED.get(kind)
        if resource is None or resource.api_version != text(reference, "apiVersion"):
            return await self._scale_of_other(namespace, reference)
        owner = self._owners[kind].get(namespace, name)
        if owner is None or uid_of(owner) != text(reference, "uid"):
            return ""
        above = controller_of(owner) if kind == "ReplicaSet" else None
        if above is not None and text(above, "kind") == "Deployment":
            owner = self._owners["Deployment"].get(namespace, text(above, "name"))
            if owner is None or uid_of(owner) != text(above, "uid"):
                return ""
        return uid_of(owner), number(member(owner, "spec"), "replicas")

    async def _scale_of_other(self, namespace: str, reference: JsonObject) -> tuple[str, int] | str:
        version = GroupVersion.parse(text(reference, "apiVersion"))
        root = f"/apis/{version}" if version.group else f"/api/{version}"
        listed = await self._client.ask("GET", root)
        unknown = f"no matches for kind {quote(text(reference, 'kind'))} in version {quote(str(version))}"
        if isinstance(listed, Status):
            return unknown if listed.code == NOT_FOUND else listed.message
        names = [
            text(each, "name") for each in objects(listed, "resources") if each.get("kind") == reference.get("kind")
        ]
        plural = next((each for each in names if "/" not in each), "")
        if not plural:
            return unknown
        qualified = f"{plural}.{version.group}" if version.group else plural
        if f"{plural}/scale" not in [text(each, "name") for each in objects(listed, "resources")]:
            return f"{qualified} does not implement the scale subresource"
        path = f"{root}/namespaces/{namespace}/{plural}/{text(reference, 'name')}/scale"
        scale = await self._client.ask("GET", path)
        if isinstance(scale, Status):
            return "" if scale.code == NOT_FOUND else scale.message
        if uid_of(scale) != text(reference, "uid"):
            return ""
        return uid_of(scale), number(member(scale, "spec"), "replicas")


def _several(pod: JsonObject, names: list[str]) -> str:
    """What is told of a Pod that several budgets are about. All of them count it, whichever is named."""
    which = f"Pod {quote(namespace_of(pod))}/{quote(name_of(pod))}"
    return f"{which} matches multiple PodDisruptionBudgets.  Chose {quote(min(names))} arbitrarily."


def _shown(selector: JsonObject) -> str:
    """A selector as Go prints its pointer's value."""
    labels = "".join(f"{name}: {value}," for name, value in sorted(member(selector, "matchLabels").items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{text(each, 'key')},Operator:{text(each, 'operator')},"
        f"Values:[{' '.join(map(str, texts(each, 'values')))}],}},"
        for each in objects(selector, "matchExpressions")
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )
