"""The objects that the node's Pods refer to, as the node may read them.

Specification (kubelet, pkg/kubelet/util/manager watch_based_manager.go, and the populator of volumemanager; in our
words): each Secret and each ConfigMap is followed by a watch of its own for as long as a Pod of the node refers to it;
claims and their volumes, and trust bundles, are read when they are needed. One whose watch has not begun within a
second can't be had now.

Here whoever uses the objects is told when one has changed; a claim that can't be read now, as the server is away, is
what it was when it was last read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client
from podward.client.informer import Change, Informer, Informers
from podward.documents.raw_fields import member, objects
from podward.schema import pod_references
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

SECRETS, CONFIG_MAPS = BY_PLURAL["", "v1", "secrets"], BY_PLURAL["", "v1", "configmaps"]
_CLAIMS, _VOLUMES = BY_PLURAL["", "v1", "persistentvolumeclaims"], BY_PLURAL["", "v1", "persistentvolumes"]
_OF_BUNDLES = "certificates.k8s.io/v1beta1"
_BUNDLES = f"/apis/{_OF_BUNDLES}/clustertrustbundles"
_PATIENCE = 1.0
_NOT_FOUND, _AWAY = 404, 503

_Key = tuple[str, str, str]
"""Plural, namespace and name."""


class Referenced(Struct, frozen=True):
    """What a Pod refers to: the documents that there are; `unread` says what can't be had now, and why."""

    documents: tuple[JsonObject, ...] = ()
    unread: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Referenced({len(self.documents)} documents, unread={self.unread})"


class Followed(Struct):
    """An object that is followed, and the uids of the Pods that refer to it."""

    informer: Informer
    uids: set[str]


class Objects:
    """The objects of all Pods of a node; `changed` is told the uid of a Pod of whose objects one has changed."""

    def __init__(self, client: Client, changed: Callable[[str], None]) -> None:
        self._client = client
        self._informers = Informers(client)
        self._changed = changed
        self._followed: dict[_Key, Followed] = {}
        self._read: dict[_Key, JsonObject] = {}
        self._claimed: dict[str, set[_Key]] = {}

    async def of(self, pod: JsonObject) -> Referenced:
        """All that the Pod refers to, followed from now on until `forget`."""
        followed = [self._follow(pod, resource, name) for resource, name in dict.fromkeys(_contents(pod))]
        late = {each.resource.plural for each in await self._late([each.informer for each in followed])}
        unread = [f"failed to sync {plural.removesuffix('s')} cache: {_TIMED_OUT}" for plural in sorted(late)]
        found = [document for each in followed for document in each.informer.items()]
        for claim in dict.fromkeys(_claims(pod)):
            documents, fault = await self._claim(pod, claim)
            found += documents
            unread += [fault] if fault else []
        if _trusts(pod):
            bundles = await self._bundles()
            found += bundles if isinstance(bundles, list) else []
            unread += [bundles] if isinstance(bundles, str) else []
        return Referenced(tuple(found), tuple(unread))

    def secret(self, namespace: str, name: str) -> JsonObject | None:
        """A Secret that a Pod of the node refers to."""
        held = self._followed.get((SECRETS.plural, namespace, name))
        return held.informer.get(namespace, name) if held is not None else None

    async def forget(self, uid: str) -> None:
        """The Pod is gone: what nobody else refers to is not followed any more."""
        for held in self._followed.values():
            held.uids.discard(uid)
        for key in self._claimed.pop(uid, ()):
            if not any(key in keys for keys in self._claimed.values()):
                self._read.pop(key, None)
        while unused := [key for key, held in self._followed.items() if not held.uids]:
            await self._informers.forget(self._followed.pop(unused[0]).informer)

    async def close(self) -> None:
        """Follow nothing any more."""
        await self._informers.close()

    def _follow(self, pod: JsonObject, resource: Resource, name: str) -> Followed:
        metadata = member(pod, "metadata")
        namespace, uid = text(metadata, "namespace"), text(metadata, "uid")
        key = (resource.plural, namespace, name)
        if key not in self._followed:
            informer = self._informers.of(resource, namespace, fields=f"metadata.name={name}")
            held = self._followed[key] = Followed(informer, set())
            informer.listeners.append(lambda change: self._tell(held, change))
            informer.start()
        self._followed[key].uids.add(uid)
        return self._followed[key]

    def _tell(self, held: Followed, _: Change) -> None:
        for uid in list(held.uids):
            self._changed(uid)

    async def _late(self, informers: list[Informer]) -> list[Informer]:
        """Those that have not begun after a while."""
        waiting = {asyncio.create_task(informer.synced()): informer for informer in informers}
        if not waiting:
            return []
        _, pending = await asyncio.wait(waiting, timeout=_PATIENCE)
        for task in pending:
            task.cancel()
        return [waiting[task] for task in pending]

    async def _claim(self, pod: JsonObject, name: str) -> tuple[list[JsonObject], str]:
        """The claim with its volume, as far as there are such; or why they can't be had."""
        metadata = member(pod, "metadata")
        namespace, uid = text(metadata, "namespace"), text(metadata, "uid")
        claim = await self._get(uid, _CLAIMS, namespace, name)
        if claim is None or isinstance(claim, str):
            return [], f"error processing PVC {namespace}/{name}: {claim}" if claim else ""
        bound = text(member(claim, "spec"), "volumeName")
        volume = await self._get(uid, _VOLUMES, "", bound) if bound else None
        if isinstance(volume, str):
            return [claim], f"error processing PVC {namespace}/{name}: {volume}"
        return [claim, volume] if volume is not None else [claim], ""

    async def _bundles(self) -> list[JsonObject] | str:
        """All trust bundles, or why they can't be had: few servers have them."""
        answer = await self._client.ask("GET", _BUNDLES)
        if isinstance(answer, Status):
            return f"while getting ClusterTrustBundle: {answer.message}"
        return [{**each, "kind": "ClusterTrustBundle", "apiVersion": _OF_BUNDLES} for each in objects(answer, "items")]

    async def _get(self, uid: str, resource: Resource, namespace: str, name: str) -> JsonObject | str | None:
        """The object, None where there is none, or why it can't be had."""
        key = (resource.plural, namespace, name)
        answer = await self._client.get(resource, namespace, name)
        if not isinstance(answer, Status):
            self._read[key] = answer
            self._claimed.setdefault(uid, set()).add(key)
            return answer
        if answer.code == _NOT_FOUND:
            self._read.pop(key, None)
            return None
        if answer.code == _AWAY and key in self._read:
            return self._read[key]
        return f"failed to fetch {'PVC' if namespace else f'PV {name}'} from API server: {answer.message}"


def _trusts(pod: JsonObject) -> bool:
    """Whether the Pod has certificates of trust bundles mounted."""
    volumes = objects(member(pod, "spec"), "volumes")
    sources = (source for volume in volumes for source in objects(member(volume, "projected"), "sources"))
    return any(source.get("clusterTrustBundle") is not None for source in sources)


_TIMED_OUT = "timed out waiting for the condition"


def _contents(pod: JsonObject) -> Iterator[tuple[Resource, str]]:
    for name in pod_references.secrets(pod):
        if name:
            yield SECRETS, name
    for name in pod_references.config_maps(pod):
        if name:
            yield CONFIG_MAPS, name


def _claims(pod: JsonObject) -> Iterator[str]:
    for volume in objects(member(pod, "spec"), "volumes"):
        name = pod_references.claim_of(pod, volume)
        if name:
            yield name
