"""The ephemeral volume controller: makes the claims of Pods' ephemeral volumes, which go with their Pods.

Specification: Kubernetes, pkg/controller/volume/ephemeral: a claim of the Pod's and the volume's name, owned by the
Pod; one of that name that is somebody else's is left alone, and told.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.volumes.binder import CLAIMS, PODS
from podward.controllers.volumes.uses import ephemeral_claim, is_for
from podward.documents.raw_fields import member, objects
from podward.policy.scheduling.claims import not_owner
from podward.schema.validation.raw import text

_CONFLICT = 409


def claim_of(pod: JsonObject, volume: JsonObject) -> JsonObject:
    """The claim of an ephemeral volume."""
    template = member(member(volume, "ephemeral"), "volumeClaimTemplate")
    owner: JsonObject = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": member(pod, "metadata").get("name"),
        "uid": member(pod, "metadata").get("uid"),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata: JsonObject = {"name": ephemeral_claim(pod, volume), "ownerReferences": [owner]}
    for name in ("labels", "annotations"):
        if given := member(member(template, "metadata"), name):
            metadata[name] = given
    return {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": member(template, "spec"),
    }  # fmt: skip


async def make(context: Context) -> EphemeralVolumes:
    """The controller."""
    return EphemeralVolumes(context, await context.client_for("ephemeral-volume-controller"))


class EphemeralVolumes:
    """Makes claims until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._pods, self._claims = context.informers.of(PODS), context.informers.of(CLAIMS)
        self._recorder = context.recorder(client, "ephemeral_volume")
        self._queue = WorkQueue("ephemeral-volume-controller", self._reconcile)
        self._pods.listeners.append(self._on_pod)
        self._claims.listeners.append(self._on_claim)

    async def start(self) -> None:
        """Begin to make."""
        self._queue.start()

    async def close(self) -> None:
        """Make no more."""
        await self._queue.close()

    def _on_pod(self, change: Change) -> None:
        pod = change.new
        if pod is not None and any("ephemeral" in each for each in objects(member(pod, "spec"), "volumes")):
            self._queue.add("/".join(key_of(pod)))

    def _on_claim(self, change: Change) -> None:
        if change.new is None:
            namespace, _ = key_of(change.object)
            for owner in objects(member(change.object, "metadata"), "ownerReferences"):
                if owner.get("kind") == "Pod":
                    self._queue.add(f"{namespace}/{owner.get('name')}")

    async def _reconcile(self, key: str) -> Retry | None:
        namespace, _, name = key.partition("/")
        pod = self._pods.get(namespace, name)
        if pod is None or "deletionTimestamp" in member(pod, "metadata"):
            return None
        for volume in objects(member(pod, "spec"), "volumes"):
            if "ephemeral" not in volume:
                continue
            wanted = ephemeral_claim(pod, volume)
            there = self._claims.get(namespace, wanted)
            if there is not None and not is_for(pod, there):
                self._tell(pod, volume, not_owner(f"{namespace}/{wanted}", f"{namespace}/{name}"))
                return Retry.LATER
            if there is None:
                made = await self._client.create(CLAIMS, namespace, claim_of(pod, volume))
                if isinstance(made, Status) and made.code != _CONFLICT:
                    self._tell(pod, volume, f"create PVC {wanted}: {made.message}")
                    return Retry.LATER
        return None

    def _tell(self, pod: JsonObject, volume: JsonObject, why: str) -> None:
        self._recorder.event(pod, "Warning", "FailedBinding", f"ephemeral volume {text(volume, 'name')}: {why}")
