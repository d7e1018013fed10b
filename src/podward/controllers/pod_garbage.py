"""Pods that nobody will end any more, and those that have ended and are too many.

Specification: Kubernetes, pkg/controller/podgc: every 20 s; a node must have been missing for 40 s, and the server must
say so, before its Pods go. A Pod goes at once, as failed if it has not ended; evicted ones first, then the oldest.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from msgspec import Struct

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.work import Regularly
from podward.controllers.apps.acting import NOT_FOUND, PODS
from podward.controllers.apps.ownership import is_going, name_of, namespace_of, uid_of
from podward.controllers.apps.pods import condition_of, created_at, has_ended, node_of
from podward.controllers.context import Context
from podward.controllers.jobs.conditions import stamp
from podward.documents.raw_fields import member, objects
from podward.schema.resources import BY_PLURAL

ACCOUNT = "pod-garbage-collector"
_NODES = BY_PLURAL["", "v1", "nodes"]
_EVERY, _QUARANTINE = 20.0, 40.0
_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

_log = logging.getLogger("podward.controllers")


async def make(context: Context) -> PodGarbageController:
    """The controller."""
    return PodGarbageController(context, await context.client_for(ACCOUNT))


class Condemned(Struct, frozen=True):
    """A Pod that goes; `orphaned`: as its node is gone."""

    pod: JsonObject
    orphaned: bool = False


def missing_nodes(pods: Iterable[JsonObject], nodes: Mapping[str, JsonObject]) -> set[str]:
    """The nodes that Pods name and that are not there."""
    return {name for pod in pods if (name := node_of(pod)) and name not in nodes}


def condemned(
    pods: Iterable[JsonObject], nodes: Mapping[str, JsonObject], gone: Iterable[str], threshold: int
) -> list[Condemned]:
    """The Pods that go. `gone` are the nodes that are known not to be there; `threshold`: 0 is no limit."""
    every, lost = list(pods), set(gone)
    found: dict[str, Condemned] = {}
    ended = sorted(filter(has_ended, every), key=_order)
    if threshold > 0:
        found |= {uid_of(pod): Condemned(pod) for pod in ended[: max(len(ended) - threshold, 0)]}
    for pod in every:
        node = node_of(pod)
        if node in lost:
            found[uid_of(pod)] = Condemned(pod, orphaned=True)
        elif is_going(pod) and (not node or _is_out_of_service(nodes.get(node))):
            found[uid_of(pod)] = Condemned(pod)
    return list(found.values())


def _order(pod: JsonObject) -> tuple[bool, float, str]:
    return member(pod, "status").get("reason") != "Evicted", created_at(pod), name_of(pod)


def _is_out_of_service(node: JsonObject | None) -> bool:
    if node is None:
        return False
    ready = condition_of(node, "Ready")
    is_ready = ready is not None and ready.get("status") == "True"
    taints = objects(member(node, "spec"), "taints")
    return not is_ready and any(taint.get("key") == _OUT_OF_SERVICE for taint in taints)


def failed(each: Condemned, now: float) -> JsonObject | None:
    """The patch of the status of a Pod that has not ended; None where it has."""
    pod = each.pod
    if has_ended(pod):
        return None
    status: JsonObject = {"phase": "Failed"}
    generation = member(pod, "metadata").get("generation")
    if generation:
        status["observedGeneration"] = generation
    if each.orphaned:
        condition: JsonObject = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": stamp(now),
        }
        if generation:
            condition["observedGeneration"] = generation
        listed: list[Json] = [condition]
        status["conditions"] = listed
    return {"metadata": {"uid": uid_of(pod)}, "status": status}


class PodGarbageController:
    """Looks at all Pods regularly."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._pods = context.informers.of(PODS)
        self._nodes = context.informers.of(_NODES)
        self._threshold = context.options.terminated_pod_gc_threshold
        self._missing: dict[str, float] = {}
        self._regularly = Regularly("collecting Pods", self._collect, _EVERY)

    async def start(self) -> None:
        """Begin to work."""
        await self._regularly.start()

    async def close(self) -> None:
        """Work no more."""
        await self._regularly.close()

    async def _collect(self) -> None:
        pods = self._pods.items()
        nodes = {name_of(node): node for node in self._nodes.items()}
        for each in condemned(pods, nodes, await self._gone(missing_nodes(pods, nodes)), self._threshold):
            await self._remove(each)

    async def _gone(self, missing: set[str]) -> list[str]:
        """The nodes that have been missing for long enough, and that the server does not have."""
        now = time.monotonic()
        self._missing = {name: self._missing.get(name, now) for name in missing}
        found = []
        for name in [name for name, since in self._missing.items() if now - since >= _QUARANTINE]:
            answer = await self._client.get(_NODES, "", name)
            if isinstance(answer, Status) and answer.code == NOT_FOUND:
                found.append(name)
        return found

    async def _remove(self, each: Condemned) -> None:
        namespace, name, patch = namespace_of(each.pod), name_of(each.pod), failed(each, time.time())
        if patch is not None:
            answer = await self._client.patch(PODS, namespace, name, patch, PatchKind.STRATEGIC, "status")
            if isinstance(answer, Status):
                if answer.code != NOT_FOUND:
                    _log.warning("the Pod %s/%s cannot be marked as failed: %s", namespace, name, answer.message)
                return
        options: JsonObject = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid_of(each.pod)}}
        answer = await self._client.delete(PODS, namespace, name, options)
        if isinstance(answer, Status) and answer.code != NOT_FOUND:
            _log.warning("the Pod %s/%s cannot be deleted: %s", namespace, name, answer.message)
