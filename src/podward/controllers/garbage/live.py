"""The objects themselves, as the server has them now: what the garbage collector reads and writes.

Specification: Kubernetes, pkg/controller/garbagecollector operations.go and patch.go: deletions are bound to the
version that was judged; patches are strategic merge patches, and merge patches where an object knows no others.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.resource import Resource
from podward.api.status import Status
from podward.client.api import Client, PatchKind
from podward.controllers.discovery import Discovery
from podward.controllers.garbage import verdicts
from podward.controllers.garbage.graph import Identity, Node
from podward.documents.raw_fields import member

_TRIES = 5
_NOT_FOUND, _CONFLICT, _UNSUPPORTED = 404, 409, 415


class Unmapped(Exception):  # noqa: N818 - caught by the collector
    """The server has no such kind, as far as anybody knows."""


class Unresolvable(Exception):  # noqa: N818 - caught by the collector
    """An object of the cluster names an owner that lives in namespaces: nobody can say which."""


class Failed(Exception):  # noqa: N818 - caught by the collector
    """The server did not do what it was asked for."""


class Live:
    """Objects by identity."""

    def __init__(self, client: Client, discovery: Discovery) -> None:
        self._client = client
        self._discovery = discovery

    async def delete(self, identity: Identity, latest: JsonObject, policy: str) -> bool:
        """Delete what nobody owns; whether it was there."""
        resource, of = await self.resource(identity), member(latest, "metadata")
        wanted: JsonObject = {"uid": identity.uid, "resourceVersion": of.get("resourceVersion")}
        for _ in range(2):
            options: JsonObject = {
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": wanted,
                "propagationPolicy": policy,
            }
            answer = await self._client.delete(resource, identity.namespace, identity.name, options)
            if not isinstance(answer, Status):
                return True
            if answer.code == _NOT_FOUND:
                return False
            if answer.code != _CONFLICT or "resourceVersion" not in wanted:
                break
            live = await self.get(identity)
            if live is None:
                return False
            now = member(live, "metadata")
            if now.get("uid") != identity.uid or now.get("ownerReferences") != of.get("ownerReferences"):
                break
            wanted = {"uid": identity.uid}  # what else changes about it must not keep it for ever
        raise Failed(identity)

    async def strike(self, identity: Identity, owners: tuple[str, ...]) -> None:
        """Take the references to these UIDs out of an object."""
        wanted = verdicts.strategic_without(identity.uid, owners)
        if await self._patched(identity, wanted, PatchKind.STRATEGIC):
            return
        latest = await self.get(identity)
        if latest is not None:
            await self._patched(identity, verdicts.merged_without(latest, owners), PatchKind.MERGE)

    async def unblock(self, node: Node) -> None:
        """Have no owner of an object wait for it."""
        wanted = verdicts.strategic_unblocked(node.identity.uid, node.owners)
        if await self._patched(node.identity, wanted, PatchKind.STRATEGIC):
            return
        latest = await self.get(node.identity)
        if latest is not None:
            await self._patched(node.identity, verdicts.merged_unblocked(latest), PatchKind.MERGE)

    async def remove_finalizer(self, identity: Identity, finalizer: str) -> None:
        """Take a finalizer off an object, which goes then if it was the last."""
        for _ in range(_TRIES):
            latest = await self.get(identity)
            patch = None if latest is None else verdicts.without_finalizer(latest, finalizer)
            if patch is None:
                return
            resource = await self.resource(identity)
            answer = await self._client.patch(resource, identity.namespace, identity.name, patch)
            if not isinstance(answer, Status) or answer.code == _NOT_FOUND:
                return
            if answer.code != _CONFLICT:
                break
        raise Failed(identity)

    async def _patched(self, identity: Identity, patch: JsonObject, kind: PatchKind) -> bool:
        """Whether the object was patched, or is gone; not where it knows no such patches."""
        resource = await self.resource(identity)
        answer = await self._client.patch(resource, identity.namespace, identity.name, patch, kind)
        if not isinstance(answer, Status) or answer.code == _NOT_FOUND:
            return True
        if answer.code == _UNSUPPORTED and kind is PatchKind.STRATEGIC:
            return False
        raise Failed(identity)

    async def get(self, identity: Identity) -> JsonObject | None:
        """The object of this identity, whatever its UID is; None where there is none."""
        resource = await self.resource(identity)
        if resource.namespaced and not identity.namespace:
            raise Unresolvable(identity)
        answer = await self._client.get(resource, identity.namespace, identity.name)
        if not isinstance(answer, Status):
            return answer
        if answer.code == _NOT_FOUND:
            return None
        raise Failed(identity)

    async def resource(self, identity: Identity) -> Resource:
        """Where objects of this kind are."""
        key = (identity.api_version, identity.kind)
        found = self._discovery.served.by_kind.get(key)
        if found is None:
            found = (await self._discovery.current()).by_kind.get(key)
        if found is None:
            raise Unmapped(identity)
        return found
