"""The persistent volume binder: binds claims and volumes, has volumes made, and reclaims those that nobody claims.

Specification: Kubernetes, pkg/controller/volume/persistentvolume: one claim or volume after the other, so that no two
claims are given the same volume; looked at again every 15 seconds while it waits. Volumes of local directories are made
here; every other provisioner is told by an annotation of the claim, as external ones are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from podward.api.json_value import JsonObject
from podward.api.scheduling import StorageClass
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, key_of
from podward.client.work import Retry, WorkQueue
from podward.controllers.context import Context
from podward.controllers.volumes import binding, local_directories
from podward.controllers.volumes.binding import Bind, Lose, NoChange, Provision, Reclaim, TakeClass, Unbind, Wait
from podward.controllers.volumes.uses import names_claim
from podward.documents.raw_fields import member
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text
from podward.schema.view import typed_view

CLAIMS, VOLUMES = BY_PLURAL["", "v1", "persistentvolumeclaims"], BY_PLURAL["", "v1", "persistentvolumes"]
CLASSES, PODS = BY_PLURAL["storage.k8s.io", "v1", "storageclasses"], BY_PLURAL["", "v1", "pods"]
_PROVISIONERS = ("volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner")
_WAITING = (
    "Waiting for a volume to be created either by the external provisioner '%s' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
_NO_DELETER = "error getting deleter volume plugin for volume %s: no deletable volume plugin matched"
_AGAIN, _CONFLICT, _NOT_FOUND = 15.0, 409, 404
_QUIETLY = "quietly"


async def make(context: Context) -> Binder:
    """The controller."""
    return Binder(context, await context.client_for("persistent-volume-binder"))


class Binder:
    """Binds until it is closed."""

    def __init__(self, context: Context, client: Client) -> None:
        self._client = client
        self._directory = context.options.volume_directory
        self._claims, self._volumes = context.informers.of(CLAIMS), context.informers.of(VOLUMES)
        self._classes, self._pods = context.informers.of(CLASSES), context.informers.of(PODS)
        self._recorder = context.recorder(client, "persistentvolume-controller")
        self._queue = WorkQueue("persistentvolume-binder-controller", self._reconcile, workers=1)
        self._newer: dict[str, JsonObject] = {}
        self._quiet = False
        self._claims.listeners.append(self._on_claim)
        self._volumes.listeners.append(self._on_volume)
        self._classes.listeners.append(lambda _change: self._retry())

    async def start(self) -> None:
        """Begin to bind."""
        self._queue.start()

    async def close(self) -> None:
        """Bind no more."""
        await self._queue.close()

    def _on_claim(self, change: Change) -> None:
        self._queue.add(f"claim/{'/'.join(key_of(change.object))}")
        if name := text(member(change.object, "spec"), "volumeName"):
            self._queue.add(f"volume/{name}")
        elif change.new is None:
            self._retry_volumes(change.object)

    def _on_volume(self, change: Change) -> None:
        name = key_of(change.object)[1]
        known = self._newer.get(name)
        if known is not None and (change.new is None or _version(change.new) >= _version(known)):
            del self._newer[name]
        self._queue.add(f"volume/{name}")
        kept = member(member(change.object, "spec"), "claimRef")
        if kept:
            self._queue.add(f"claim/{kept.get('namespace')}/{kept.get('name')}")
        else:
            self._retry()

    def _retry(self) -> None:
        """Claims that have no volume are looked at again; what they wait for is not told again for that."""
        for claim in self._claims.items():
            if not text(member(claim, "spec"), "volumeName"):
                self._queue.add(f"{_QUIETLY}/{'/'.join(key_of(claim))}")

    def _retry_volumes(self, claim: JsonObject) -> None:
        uid = member(claim, "metadata").get("uid")
        for volume in self._volumes.items():
            if member(member(volume, "spec"), "claimRef").get("uid") == uid:
                self._queue.add(f"volume/{key_of(volume)[1]}")

    async def _reconcile(self, key: str) -> float | Retry | None:
        kind, _, rest = key.partition("/")
        if kind == "volume":
            return await self._volume(rest)
        namespace, _, name = rest.partition("/")
        claim = self._claims.get(namespace, name)
        if claim is None:
            return None
        self._quiet = kind == _QUIETLY
        found = await self._claim(claim)
        return None if self._quiet and found == _AGAIN else found

    # --- claims ------------------------------------------------------------------------------------------------------

    async def _claim(self, claim: JsonObject) -> float | Retry | None:
        namespace, name = key_of(claim)
        pods = [
            key_of(pod)[1]
            for pod in self._pods.items(namespace)
            if not text(member(pod, "spec"), "nodeName") and names_claim(pod, name)
        ]
        found = binding.of_claim(claim, self._known(), self._known_classes(), pods)
        if isinstance(found, Bind):
            return await self._bind(claim, found.volume)
        if isinstance(found, Provision):
            return await self._provision(claim, found.of_class)
        if isinstance(found, TakeClass):
            changed: JsonObject = {**claim, "spec": {**member(claim, "spec"), "storageClassName": found.name}}
            return _again(await self._client.replace(CLAIMS, namespace, changed))
        if isinstance(found, Lose):
            return await self._phase(claim, "Lost", found.event)
        return await self._wait(claim, found)

    async def _wait(self, claim: JsonObject, found: Wait) -> float | Retry:
        going = member(claim, "metadata").get("deletionTimestamp") is not None
        if found.event is not None and not going and not self._quiet:
            self._recorder.event(claim, *found.event)
        return await self._phase(claim, "Pending", None) or _AGAIN

    async def _phase(self, claim: JsonObject, phase: str, event: binding.Event | None) -> Retry | None:
        if text(member(claim, "status"), "phase") == phase:
            return None
        old = member(claim, "status")
        status: JsonObject = {name: value for name, value in old.items() if name not in {"accessModes", "capacity"}}
        status["phase"] = phase
        answer = await self._client.replace(CLAIMS, key_of(claim)[0], {**claim, "status": status}, "status")
        if event is not None and not isinstance(answer, Status):
            self._recorder.event(claim, *event)
        return _again(answer)

    async def _bind(self, claim: JsonObject, name: str) -> Retry | None:
        """Volume and claim are each other's: both say so, and then their statuses."""
        volume = self._known()[name]
        kept = binding.bound_volume(volume, claim)
        if kept is not None:
            answer = await self._client.replace(VOLUMES, "", kept)
            if isinstance(answer, Status):
                return _again(answer)
            volume = self._newer[name] = answer
        if text(member(volume, "status"), "phase") != "Bound":
            answer = await self._client.replace(VOLUMES, "", _with_phase(volume, "Bound"), "status")
            if isinstance(answer, Status):
                return _again(answer)
            volume = self._newer[name] = answer
        namespace = key_of(claim)[0]
        changed = binding.bound_claim(claim, name)
        if changed is not None:
            answer = await self._client.replace(CLAIMS, namespace, changed)
            if isinstance(answer, Status):
                return _again(answer)
            claim = answer
        status = binding.bound_status(claim, volume)
        if status is None:
            return None
        return _again(await self._client.replace(CLAIMS, namespace, {**claim, "status": status}, "status"))

    async def _provision(self, claim: JsonObject, of_class: StorageClass) -> float | Retry | None:
        if of_class.provisioner != local_directories.PROVISIONER or not self._directory:
            return await self._ask_others(claim, of_class)
        name = local_directories.name_of(claim)
        if name in self._known():
            return await self._bind(claim, name)
        made = local_directories.volume_of(claim, of_class, self._directory)
        if isinstance(made, str):
            message = f"Failed to provision volume with StorageClass {of_class.metadata.name!r}: {made}"
            return await self._wait(claim, Wait(("Warning", "ProvisioningFailed", message.replace("'", '"'))))
        try:
            await asyncio.to_thread(local_directories.make, self._directory, name)
        except OSError as error:
            return await self._wait(claim, Wait(("Warning", "ProvisioningFailed", f"no directory: {error.strerror}")))
        answer = await self._client.create(VOLUMES, "", made)
        if isinstance(answer, Status):
            return None if answer.code == _CONFLICT else Retry.LATER
        self._newer[name] = answer
        self._recorder.event(
            claim, "Normal", "ProvisioningSucceeded",
            f"Successfully provisioned volume {name} using {local_directories.PROVISIONER}",
        )  # fmt: skip
        return await self._bind(claim, name)

    async def _ask_others(self, claim: JsonObject, of_class: StorageClass) -> float | Retry | None:
        """Say on the claim whose turn it is, and wait."""
        own = binding.annotations_of(claim)
        provisioner = binding.DRIVERS.get(of_class.provisioner, of_class.provisioner)
        if any(own.get(name) != provisioner for name in _PROVISIONERS):
            metadata = member(claim, "metadata")
            said: JsonObject = dict.fromkeys(_PROVISIONERS, provisioner)
            told: JsonObject = {**metadata, "annotations": {**member(metadata, "annotations"), **said}}
            answer = await self._client.replace(CLAIMS, key_of(claim)[0], {**claim, "metadata": told})
            if isinstance(answer, Status):
                return _again(answer)
        return await self._wait(claim, Wait(("Normal", "ExternalProvisioning", _WAITING % provisioner)))

    # --- volumes -----------------------------------------------------------------------------------------------------

    async def _volume(self, name: str) -> Retry | None:
        volume = self._known().get(name)
        if volume is None:
            return None
        kept = member(member(volume, "spec"), "claimRef")
        claim = await self._claim_of(kept)
        if isinstance(claim, Status):
            return Retry.LATER
        found = binding.of_volume(volume, claim or None)
        if isinstance(found, NoChange):
            return None
        if isinstance(found, Unbind):
            answer = await self._client.replace(VOLUMES, "", binding.unbound_volume(volume))
            return _again(answer)
        if isinstance(found, Reclaim):
            return await self._reclaim(volume)
        return _again(await self._client.replace(VOLUMES, "", _with_phase(volume, found.phase), "status"))

    async def _claim_of(self, kept: JsonObject) -> JsonObject | Status:
        """The claim that a volume is kept for; an empty object where there is none, which the server has confirmed."""
        if not kept.get("uid"):
            return {}
        namespace, name = text(kept, "namespace"), text(kept, "name")
        found = self._claims.get(namespace, name)
        if found is not None and member(found, "metadata").get("uid") == kept.get("uid"):
            return found
        answer = await self._client.get(CLAIMS, namespace, name)
        return {} if isinstance(answer, Status) and answer.code == _NOT_FOUND else answer

    async def _reclaim(self, volume: JsonObject) -> Retry | None:
        """Keep or delete a volume that nobody claims any more, as it says itself."""
        policy = member(volume, "spec").get("persistentVolumeReclaimPolicy") or "Retain"
        if policy == "Retain":
            return None
        if policy == "Recycle":
            return await self._fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!")
        name = key_of(volume)[1]
        if not local_directories.is_ours(volume):
            if binding.PROVISIONED_BY in binding.annotations_of(volume) or "csi" in member(volume, "spec"):
                return None  # whoever made it removes it
            return await self._fail(volume, "VolumeFailedDelete", _NO_DELETER % f'"{name}"')
        try:
            await asyncio.to_thread(local_directories.remove, self._directory, name)
        except OSError as error:
            message = f"the directory cannot be removed: {error.strerror}"
            return await self._fail(volume, "VolumeFailedDelete", message) or Retry.LATER
        options: JsonObject = {"preconditions": {"uid": member(volume, "metadata").get("uid")}}
        return _again(await self._client.delete(VOLUMES, "", name, options))

    async def _fail(self, volume: JsonObject, reason: str, message: str) -> Retry | None:
        if text(member(volume, "status"), "phase") == "Failed":
            return None
        failed = _with_phase(volume, "Failed", message)
        answer = await self._client.replace(VOLUMES, "", failed, "status")
        if not isinstance(answer, Status):
            self._recorder.event(volume, "Warning", reason, message)
        return _again(answer)

    def _known(self) -> Mapping[str, JsonObject]:
        """The volumes, with what was just written before the informer has heard of it."""
        return {key_of(volume)[1]: volume for volume in self._volumes.items()} | self._newer

    def _known_classes(self) -> Mapping[str, StorageClass]:
        return {key_of(raw)[1]: typed_view(raw, StorageClass, "StorageClass") for raw in self._classes.items()}


def _with_phase(volume: JsonObject, phase: str, message: str = "") -> JsonObject:
    status: JsonObject = {name: value for name, value in member(volume, "status").items() if name != "message"}
    status["phase"] = phase
    if message:
        status["message"] = message
    return {**volume, "status": status}


def _version(obj: JsonObject) -> int:
    written = text(member(obj, "metadata"), "resourceVersion")
    return int(written) if written.isdigit() else 0


def _again(answer: JsonObject | Status) -> Retry | None:
    return Retry.LATER if isinstance(answer, Status) and answer.code not in {_NOT_FOUND, 200} else None
