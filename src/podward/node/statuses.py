"""Tells the API server how Pods are: the newest status of each, once, and deletes those that are gone from the node.

Specification (kubelet, pkg/kubelet/status, in our words): a status is patched where it differs from what the server
has, with the Pod's uid, so that a Pod of the same name is not meant. Conditions that are not the kubelet's stay. A Pod
that is being deleted, and of which nothing is left here, is deleted without grace, if it is the one of this uid.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.client.informer import Informer
from podward.client.work import WorkQueue
from podward.documents.raw_fields import member
from podward.node.log import Log
from podward.policy.kubelet import pod_status_telling, static_pods
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

PODS = BY_PLURAL["", "v1", "pods"]
_WORKERS = 8
_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_AGAIN = 1.0
"""Seconds until what was not told is told again: a server that is back hears of everything soon."""


class Statuses:
    """The statuses of the node's Pods."""

    def __init__(self, client: Client, pods: Informer, log: Log) -> None:
        self._client = client
        self._pods = pods
        self._log = log
        self._wanted: dict[str, JsonObject] = {}
        self._names: dict[str, tuple[str, str]] = {}
        self._told: dict[str, JsonObject] = {}
        self._stopped: set[str] = set()
        self._finished: set[str] = set()
        self._said = ""
        self._queue = WorkQueue("statuses", self._tell, workers=_WORKERS)

    def start(self) -> None:
        """Begin to tell."""
        self._queue.start()

    async def close(self) -> None:
        """Tell nothing more."""
        await self._queue.close()

    def put(self, pod: JsonObject, status: JsonObject) -> None:
        """Have it told how the Pod is now."""
        metadata = member(pod, "metadata")
        uid = text(metadata, "uid")
        self._names[uid] = text(metadata, "namespace"), text(metadata, "name")
        if self._wanted.get(uid) != status:
            self._wanted[uid] = status
            self._queue.add(uid)

    def of(self, uid: str) -> JsonObject | None:
        """The status that was put last."""
        return self._wanted.get(uid)

    def stopped(self, uid: str) -> None:
        """No container of the Pod runs, and none will: its phase may be terminal."""
        self._stopped.add(uid)
        self._queue.add(uid)

    def finish(self, uid: str) -> None:
        """Nothing of the Pod is left on this node: where it is being deleted, it may go."""
        self._finished.add(uid)
        self._queue.add(uid)

    def look_again(self, uid: str) -> None:
        """The Pod has changed on the server."""
        if uid in self._wanted:
            self._queue.add(uid)

    def forget(self, uid: str) -> None:
        """The Pod is gone from the server."""
        for known in (self._wanted, self._names, self._told):
            known.pop(uid, None)
        self._stopped.discard(uid)
        self._finished.discard(uid)

    async def _tell(self, uid: str) -> float | None:
        status, where = self._wanted.get(uid), self._names.get(uid)
        pod = self._pods.get(*where) if where is not None else None
        if status is None or where is None or pod is None:
            return None
        own = text(member(pod, "metadata"), "uid")
        if uid not in {own, static_pods.shown_by(pod)}:
            return None
        known = self._newest(uid, pod)
        api = member(known, "status")
        wanted = pod_status_telling.merged(status, api, could_run=uid not in self._stopped)
        patch = pod_status_telling.patch(wanted, api, own)
        if patch is not None:
            answer = await self._client.patch(PODS, *where, patch, PatchKind.STRATEGIC, "status")
            if isinstance(answer, Status):
                return await self._failed(answer, where, own)
            self._told[uid] = known = answer
            self._said = ""
        deleted = own == uid and "deletionTimestamp" in member(known, "metadata")
        if deleted and uid in self._finished and self._wanted.get(uid) is status:
            options: JsonObject = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
            gone = await self._client.delete(PODS, *where, options)
            if isinstance(gone, Status) and not gone.success:
                return await self._failed(gone, where, own)
        return None

    def _newest(self, uid: str, cached: JsonObject) -> JsonObject:
        """The Pod as the server has it: our cache may not have heard yet of what we have told."""
        told = self._told.get(uid)
        if told is None or _revision(told) < _revision(cached):
            self._told.pop(uid, None)
            return cached
        return told

    async def _failed(self, refused: Status, where: tuple[str, str], uid: str) -> float | None:
        """When it is to be tried again; never for a Pod that is another one by now, or none."""
        if refused.code in {_NOT_FOUND, _CONFLICT}:
            return None
        if refused.code == _FORBIDDEN:  # nobody may change the status of another node's Pod, or of nobody's
            found = await self._client.get(PODS, *where)
            if isinstance(found, Status) or text(member(found, "metadata"), "uid") != uid:
                return None
        if refused.message != self._said:  # a server that is away is told of once
            self._said = refused.message
            self._log.failed(f"the status of Pod {'/'.join(where)} cannot be told: {refused.message}")
        return _AGAIN


def _revision(pod: JsonObject) -> int:
    word = text(member(pod, "metadata"), "resourceVersion")
    return int(word) if word.isdigit() else 0
