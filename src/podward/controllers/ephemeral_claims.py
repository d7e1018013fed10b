"""The PersistentVolumeClaims of Pods' ephemeral volumes.

Specification: Kubernetes, pkg/controller/volume/ephemeral: a claim is made of the volume's template, and the Pod is its
owner; a claim of that name which is not the Pod's is told. One that somebody deletes is made again.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject, copied_object
from podward.api.status import Status
from podward.client.api import Client
from podward.client.events import Recorder
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.apps.acting import PODS, is_ending
from podward.controllers.apps.ownership import controller_reference, controller_uid, is_going, name_of, uid_of
from podward.controllers.context import Context
from podward.controllers.written import Written
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import claim_of
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

ACCOUNT = "ephemeral-volume-controller"
_COMPONENT = "ephemeral_volume"
_CLAIMS = BY_PLURAL["", "v1", "persistentvolumeclaims"]


async def make(context: Context) -> EphemeralClaims:
    """The controller."""
    client = await context.client_for(ACCOUNT)
    return EphemeralClaims(context, client, context.recorder(client, _COMPONENT))


def volumes_of(pod: JsonObject) -> list[JsonObject]:
    """The volumes of a Pod that have a claim of their own; none once it is being deleted."""
    if is_going(pod):
        return []
    return [each for each in objects(member(pod, "spec"), "volumes") if isinstance(each.get("ephemeral"), dict)]


def claim(pod: JsonObject, volume: JsonObject) -> JsonObject:
    """The claim of such a volume."""
    template = member(member(volume, "ephemeral"), "volumeClaimTemplate")
    owners: list[Json] = [controller_reference({**pod, "apiVersion": "v1", "kind": "Pod"})]
    metadata: JsonObject = {"name": claim_of(pod, volume), "ownerReferences": owners}
    of = member(template, "metadata")
    metadata |= {name: of[name] for name in ("labels", "annotations") if of.get(name)}
    spec = member(template, "spec")
    return copied_object({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})


class EphemeralClaims:
    """All Pods with ephemeral volumes."""

    def __init__(self, context: Context, client: Client, recorder: Recorder) -> None:
        self._client = client
        self._recorder = recorder
        self._pods = context.informers.of(PODS)
        claims = context.informers.of(_CLAIMS)
        self._claims = Written(claims)
        self._queue = WorkQueue(ACCOUNT, self._reconcile)
        self._pods.listeners.append(self._pod_changed)
        claims.listeners.append(self._claim_changed)

    async def start(self) -> None:
        """Begin to work."""
        self._queue.start()

    async def close(self) -> None:
        """Work no more."""
        await self._queue.close()

    def _pod_changed(self, change: Change) -> None:
        if change.old is None and change.new is not None and volumes_of(change.new):
            self._queue.add("/".join(key_of(change.new)))

    def _claim_changed(self, change: Change) -> None:
        if change.new is not None:
            return
        namespace, name = key_of(change.object)
        for pod in self._pods.items(namespace):
            if any(claim_of(pod, volume) == name for volume in volumes_of(pod)):
                self._queue.add("/".join(key_of(pod)))

    async def _reconcile(self, key: str) -> Retry | None:
        namespace, _, name = key.partition("/")
        pod = self._pods.get(namespace, name)
        for volume in volumes_of(pod) if pod is not None else ():
            fault = await self._provide(namespace, pod or {}, volume)
            if fault:
                said = f"ephemeral volume {text(volume, 'name')}: {fault}"
                self._recorder.event(pod or {}, "Warning", "FailedBinding", said)
                return Retry.LATER
        return None

    async def _provide(self, namespace: str, pod: JsonObject, volume: JsonObject) -> str:
        """Have the claim of a volume be there; why it is not."""
        wanted = claim(pod, volume)
        name = name_of(wanted)
        there = self._claims.get(namespace, name)
        if there is not None:
            if controller_uid(there) == uid_of(pod):
                return ""
            place = f"{namespace}/{name}"
            return f"PVC {place} was not created for pod {namespace}/{name_of(pod)} (pod is not owner)"
        answer = await self._client.create(_CLAIMS, namespace, wanted)
        if not isinstance(answer, Status):
            self._claims.put(answer)
            return ""
        return "" if is_ending(answer) else f"create PVC {name}: {answer.message}"
