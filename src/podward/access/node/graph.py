"""Which objects a node needs: those that the Pods bound to it name, and what these name in turn.

Specification: Kubernetes, plugin/pkg/auth/authorizer/node, graph.go and graph_populator.go. A Pod that is bound leads
to its service account, Secrets, ConfigMaps and claims; a claim to the volume that is bound to it; a volume to the
Secrets that the kubelet mounts it with. A mirror Pod, which a node makes itself, leads to nothing. Attachments and
slices name their node. What is put in the place of something replaces it as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from podward.documents.raw_fields import member
from podward.schema.pod_references import CLAIM, SECRET, referenced, secrets_of_volume
from podward.schema.validation.raw import text

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

Key: TypeAlias = "tuple[str, str, str]"
"""An object: plural, namespace, name."""
MIRROR = "kubernetes.io/config.mirror"
PODS, VOLUMES = "pods", "persistentvolumes"
ATTACHMENTS, SLICES = "volumeattachments", "resourceslices"
FOLLOWED = (PODS, VOLUMES, ATTACHMENTS, SLICES)
"""The resources that the graph is made of."""


class _Volume(Struct, frozen=True):
    """The claim that a PersistentVolume is bound to, and the Secrets that it is mounted with."""

    claim: Key
    secrets: tuple[Key, ...]


class Graph:
    """What nodes need, as objects come and go."""

    __slots__ = ("_leading", "_secret_volumes", "_users", "_volumes")

    def __init__(self) -> None:
        self._leading: dict[Key, tuple[str, tuple[Key, ...]]] = {}
        self._users: dict[Key, dict[str, dict[Key, None]]] = {}
        self._volumes: dict[Key, _Volume] = {}
        self._secret_volumes: dict[Key, dict[Key, None]] = {}

    def put(self, plural: str, raw: JsonObject) -> None:
        """Know the object as it is now. What is to be known only of what can be read is removed first."""
        of = member(raw, "metadata")
        key = (plural, text(of, "namespace"), text(of, "name"))
        self.remove(*key)
        spec = member(raw, "spec")
        node = text(spec, "nodeName")
        if plural == VOLUMES:
            self._put_volume(key, raw)
        elif node:
            needs: list[Key] = []
            if plural == PODS and MIRROR not in member(of, "annotations"):
                needs = [(kind, key[1], name) for kind, name in referenced(raw)]
            self._lead(key, node, needs)

    def remove(self, plural: str, namespace: str, name: str) -> None:
        """Know the object no more."""
        key = (plural, namespace, name)
        volume = self._volumes.pop(key, None)
        if volume is not None:
            for secret in volume.secrets:
                _drop(self._secret_volumes, secret, key)
        node, needs = self._leading.pop(key, ("", ()))
        for needed in needs:
            by_node = self._users[needed]
            _drop(by_node, node, key)
            if not by_node:
                del self._users[needed]

    def relation(self, node: str, plural: str, namespace: str, name: str) -> tuple[Key, ...] | None:
        """The objects that lead from the node to this one, the node's own first; None where nothing does."""
        key = (plural, namespace, name)
        users = self._users.get(key, _NOBODY).get(node)
        if users:
            first = next(iter(users))
            return (first,) if first == key else (first, key)
        if plural == VOLUMES:
            return self._through(node, key)
        if plural == SECRET:
            for volume in self._secret_volumes.get(key, _NOTHING):
                way = self._through(node, volume)
                if way is not None:
                    return (*way, key)
        return None

    def _through(self, node: str, volume: Key) -> tuple[Key, ...] | None:
        """The way to a volume: through the claim that it is bound to."""
        known = self._volumes.get(volume)
        way = None if known is None else self.relation(node, *known.claim)
        return None if way is None else (*way, volume)

    def _put_volume(self, key: Key, raw: JsonObject) -> None:
        claim = member(raw, "spec").get("claimRef")
        if not isinstance(claim, dict):
            return
        secrets = tuple((SECRET, namespace, name) for namespace, name in secrets_of_volume(raw))
        self._volumes[key] = _Volume((CLAIM, text(claim, "namespace"), text(claim, "name")), secrets)
        for secret in secrets:
            self._secret_volumes.setdefault(secret, {})[key] = None

    def _lead(self, key: Key, node: str, needs: list[Key]) -> None:
        every = tuple(dict.fromkeys((key, *needs)))
        self._leading[key] = node, every
        for needed in every:
            self._users.setdefault(needed, {}).setdefault(node, {})[key] = None


_NOBODY: dict[str, dict[Key, None]] = {}
_NOTHING: dict[Key, None] = {}


def _drop(table: dict[str, dict[Key, None]] | dict[Key, dict[Key, None]], at: object, key: Key) -> None:
    """Take a key out of the set at a place of the table, and the set with its last one."""
    of: dict[object, dict[Key, None]] = table  # type: ignore[assignment]  # either has this shape
    of[at].pop(key, None)
    if not of[at]:
        del of[at]
