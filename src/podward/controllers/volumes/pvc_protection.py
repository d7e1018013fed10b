"""The PVC protection controller: a claim stays as long as Pods use it (see `protection`)."""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.informer import Change, key_of
from podward.controllers.context import Context
from podward.controllers.volumes.binder import CLAIMS, PODS
from podward.controllers.volumes.protection import Protection
from podward.controllers.volumes.uses import ephemeral_claim, keeps
from podward.documents.raw_fields import member, objects
from podward.schema.validation.raw import text


async def make(context: Context) -> Protection:
    """The controller."""
    client = await context.client_for("pvc-protection-controller")
    claims, pods = context.informers.of(CLAIMS), context.informers.of(PODS)

    async def is_used(claim: JsonObject) -> bool:
        namespace, _ = key_of(claim)
        if any(keeps(pod, claim) for pod in pods.items(namespace)):
            return True
        listed = await client.list(PODS, namespace)  # a Pod that was just bound may not be here yet
        return isinstance(listed, Status) or any(keeps(pod, claim) for pod in objects(listed, "items"))

    protection = Protection("pvc-protection-controller", client, claims, "kubernetes.io/pvc-protection", is_used)

    def on_pod(change: Change) -> None:
        namespace, _ = key_of(change.object)
        for volume in objects(member(change.object, "spec"), "volumes"):
            name = text(member(volume, "persistentVolumeClaim"), "claimName")
            if "ephemeral" in volume:
                name = ephemeral_claim(change.object, volume)
            if name:
                protection.look_at(namespace, name)

    pods.listeners.append(on_pod)
    return protection
