"""What a scheduler knows: nodes with their Pods, claims and volumes, kept up to date by informers.

A Pod that was just given a node counts as being there before the server says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from msgspec import ValidationError
from msgspec.structs import replace

from podward.api.json_value import JsonObject
from podward.api.scheduling import PlacedVolume, StorageClass
from podward.client.informer import Change, Informers, key_of
from podward.documents.raw_fields import member
from podward.policy.scheduling.choice import Cluster
from podward.policy.scheduling.claims import ClaimFacts, Storage, claim_facts
from podward.policy.scheduling.facts import Labels, NodeFacts, PodFacts, node_facts, pod_facts, with_pods
from podward.policy.scheduling.pod_terms import is_spread_over
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import strings, text
from podward.schema.view import typed_view

PODS, NODES, NAMESPACES = (BY_PLURAL["", "v1", name] for name in ("pods", "nodes", "namespaces"))
CLAIMS, VOLUMES = (BY_PLURAL["", "v1", name] for name in ("persistentvolumeclaims", "persistentvolumes"))
CLASSES = BY_PLURAL["storage.k8s.io", "v1", "storageclasses"]

Facts = TypeVar("Facts")
PodListener = Callable[[PodFacts | None, PodFacts | None], None]
Concerns = Callable[[PodFacts], bool]
"""Whether a change may be what a Pod without a node waits for."""


class ClusterView:
    """The facts of a cluster. `on_change` hears which Pods may fit because they have changed."""

    def __init__(self, informers: Informers, on_pod: PodListener, on_change: Callable[[Concerns], None]) -> None:
        """`on_pod` hears of each Pod that was and is."""
        self.pods = informers.of(PODS)
        self._claims_informer = informers.of(CLAIMS)
        self._on_pod, self._on_change = on_pod, on_change
        self._nodes: dict[str, NodeFacts] = {}
        self._bound: dict[str, dict[str, PodFacts]] = {}
        self._dirty: set[str] = set()
        self._facts: dict[str, PodFacts] = {}
        self._assumed: dict[str, PodFacts] = {}
        self._nominated: dict[str, tuple[str, PodFacts]] = {}
        self.namespaces: dict[str, Labels] = {}
        self._claims: dict[tuple[str, str], ClaimFacts] = {}
        self._volumes: dict[str, PlacedVolume] = {}
        self._classes: dict[str, StorageClass] = {}
        for resource, listener in (
            (NODES, self._node), (PODS, self._pod), (NAMESPACES, self._namespace), (CLAIMS, self._claim),
            (VOLUMES, self._volume), (CLASSES, self._class),
        ):  # fmt: skip
            informers.of(resource).listeners.append(listener)

    def cluster(self) -> Cluster:
        """All as it is now."""
        for name in self._dirty & self._nodes.keys():
            self._nodes[name] = with_pods(self._nodes[name], self._bound.get(name, {}).values())
        self._dirty.clear()
        nominated: dict[str, tuple[PodFacts, ...]] = {}
        for node, pod in self._nominated.values():
            nominated[node] = (*nominated.get(node, ()), pod)
        storage = Storage(self._claims, self._volumes, self._classes)
        return Cluster(tuple(self._nodes.values()), self.namespaces, storage, nominated)

    def assume(self, pod: PodFacts, node: str) -> PodFacts:
        """The Pod counts as being on the node from now on."""
        there = replace(pod, spec=replace(pod.spec, node_name=node))
        self._assumed[pod.uid] = there
        self._bound.setdefault(node, {})[pod.uid] = there
        self._dirty.add(node)
        self._nominated.pop(pod.uid, None)
        return there

    def unassume(self, uid: str) -> None:
        """It does not any more, unless the server says so."""
        if (there := self._assumed.pop(uid, None)) is not None:
            self._remove(there)
            self._on_change(_every)

    def is_assumed(self, uid: str) -> bool:
        """Whether it counts as being somewhere that the server has not said."""
        return uid in self._assumed

    def nominate(self, pod: PodFacts, node: str) -> None:
        """Room is made for the Pod on this node; an empty one: nowhere."""
        if node:
            self._nominated[pod.uid] = (node, pod)
        else:
            self._nominated.pop(pod.uid, None)

    def nominated_below(self, node: str, priority: int) -> list[PodFacts]:
        """The Pods of a lower priority that were promised room on the node."""
        return [pod for where, pod in self._nominated.values() if where == node and pod.priority < priority]

    def claim(self, namespace: str, name: str) -> ClaimFacts | None:
        """A claim as it is now."""
        return self._claims.get((namespace, name))

    def version_of_claim(self, namespace: str, name: str) -> str:
        """At which version a claim was seen last."""
        found = self._claims_informer.get(namespace, name)
        return "" if found is None else text(member(found, "metadata"), "resourceVersion")

    def _pod(self, change: Change) -> None:
        uid = text(member(change.object, "metadata"), "uid")
        old, new = self._facts.pop(uid, None), None if change.new is None else _read(pod_facts, change.new)
        assumed = self._assumed.get(uid)
        if assumed is not None and (new is None or new.node or new.ended):
            del self._assumed[uid]
            self._remove(assumed)
        if old is not None and old.node:
            self._remove(old)
        if new is not None:
            self._facts[uid] = new
            if new.node and not new.ended:
                self._bound.setdefault(new.node, {})[uid] = new
                self._dirty.add(new.node)
        self._note_nomination(uid, old, new)
        self._on_pod(old, new)
        if _frees(old, new):
            self._on_change(_every)
        elif old is not None and new is not None and new.node and new.deleted != old.deleted:
            self._on_change(lambda pod: is_spread_over(pod, new))

    def _note_nomination(self, uid: str, old: PodFacts | None, new: PodFacts | None) -> None:
        """Follow what the server says of it when that changes: news that is older than a nomination takes none away."""
        if new is None or new.node or new.ended or new.deleted or uid in self._assumed:
            self._nominated.pop(uid, None)
        elif new.nominated != (old.nominated if old is not None else ""):
            self.nominate(new, new.nominated)

    def _remove(self, pod: PodFacts) -> None:
        if self._bound.get(pod.node, {}).pop(pod.uid, None) is not None:
            self._dirty.add(pod.node)

    def _node(self, change: Change) -> None:
        name = key_of(change.object)[1]
        old, new = self._nodes.pop(name, None), None if change.new is None else _read(node_facts, change.new)
        if new is not None:
            self._nodes[name] = new
            self._dirty.add(name)
            if old is None or _differs(old, new):
                self._on_change(_every)

    def _namespace(self, change: Change) -> None:
        name = key_of(change.object)[1]
        old = self.namespaces.pop(name, None)
        if change.new is not None:
            self.namespaces[name] = strings(member(change.new, "metadata"), "labels")
            if old is not None and old != self.namespaces[name]:
                self._on_change(_every)

    def _claim(self, change: Change) -> None:
        key = key_of(change.object)
        found = None if change.new is None else _read(claim_facts, change.new)
        self._claims.pop(key, None)
        if found is not None:
            self._claims[key] = found
            self._on_change(lambda pod: pod.namespace == key[0] and key[1] in pod.claims)

    def _volume(self, change: Change) -> None:
        self._note(change, self._volumes, lambda raw: typed_view(raw, PlacedVolume, "PersistentVolume"))

    def _class(self, change: Change) -> None:
        self._note(change, self._classes, lambda raw: typed_view(raw, StorageClass, "StorageClass"))

    def _note(self, change: Change, known: dict[str, Facts], read: Callable[[JsonObject], Facts]) -> None:
        name = key_of(change.object)[1]
        known.pop(name, None)
        found = None if change.new is None else _read(read, change.new)
        if found is not None:
            known[name] = found
            self._on_change(lambda pod: bool(pod.claims))


def _read(read: Callable[[JsonObject], Facts], raw: JsonObject) -> Facts | None:
    """What is read of an object; nothing of one that no server should have stored."""
    try:
        return read(raw)
    except ValidationError:
        return None


def _differs(old: NodeFacts, new: NodeFacts) -> bool:
    return (old.labels, old.view.spec, old.allocatable) != (new.labels, new.view.spec, new.allocatable)


def _frees(old: PodFacts | None, new: PodFacts | None) -> bool:
    """Whether what has become of a Pod may let another one fit."""
    if old is None or not old.node:
        return False
    if new is None or new.ended != old.ended:
        return True
    return (new.labels, new.requests) != (old.labels, old.requests)


def _every(_pod: PodFacts) -> bool:
    return True
