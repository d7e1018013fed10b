"""Who owns whom: the graph of all objects by their ownerReferences, and what is to be looked at when it changes.

Specification: Kubernetes, pkg/controller/garbagecollector, graph.go and graph_builder.go. An owner that is named but
was never seen is a node, too, a *virtual* one, until the server has said whether it is there. References to one
UID may say different things of it; those that are proved wrong count as references to nobody.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import objects
from podward.schema.validation.raw import text, texts

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_MOST_ABSENT = 500


class Identity(Struct, frozen=True, order=True):
    """An object as its own document, or a reference to it, names it."""

    kind: str
    api_version: str
    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        place = f"namespace: {self.namespace}, name: {self.name}, uid: {self.uid}"
        return f"[{self.api_version}/{self.kind}, {place}]"

    def is_named_by(self, reference: JsonObject) -> bool:
        """Whether a reference says exactly this, but for the namespace, which it does not say."""
        return referenced(reference, self.namespace) == self


class Fault(Struct, frozen=True):
    """An object whose owner is in another namespace, to be told as an event of the object."""

    object: Identity
    message: str


class Effects(Struct):
    """What is to be looked at: objects that may have to be deleted, and those whose dependents become orphans."""

    delete: dict[str, None] = {}
    orphan: dict[str, None] = {}
    faults: list[Fault] = []


class Node(Struct, eq=False):
    """An object in the graph. `dependents`: the UIDs of those that name it as an owner."""

    identity: Identity
    owners: list[JsonObject]
    virtual: bool = False
    deleting: bool = False
    waiting: bool = False
    """It is being deleted, and waits until its dependents are gone."""
    dependents: dict[str, None] = {}


def identity_of(api_version: str, kind: str, metadata: JsonObject) -> Identity:
    """An object as its metadata names it."""
    return Identity(kind, api_version, text(metadata, "namespace"), text(metadata, "name"), text(metadata, "uid"))


def referenced(reference: JsonObject, namespace: str) -> Identity:
    """The owner that a reference names, in a namespace."""
    kind, version = text(reference, "kind"), text(reference, "apiVersion")
    return Identity(kind, version, namespace, text(reference, "name"), text(reference, "uid"))


def is_blocking(reference: JsonObject) -> bool:
    """Whether the owner has to wait for who names it so."""
    return reference.get("blockOwnerDeletion") is True


def is_waiting(metadata: JsonObject, finalizer: str) -> bool:
    """Whether an object is being deleted, and waits for this finalizer."""
    return metadata.get("deletionTimestamp") is not None and finalizer in texts(metadata, "finalizers")


class Graph:
    """The nodes by UID, and owners that are known not to be there."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self._absent: collections.OrderedDict[Identity, None] = collections.OrderedDict()

    def note_absent(self, identity: Identity) -> None:
        """Remember that there is nobody of this name."""
        self._absent[identity] = None
        self._absent.move_to_end(identity)
        if len(self._absent) > _MOST_ABSENT:
            self._absent.popitem(last=False)

    def is_absent(self, identity: Identity) -> bool:
        """Whether it is known that there is nobody of this name."""
        return identity in self._absent

    def dependents(self, node: Node) -> list[Node]:
        """Those who name it as an owner."""
        return [self.nodes[uid] for uid in node.dependents if uid in self.nodes]

    def blocking(self, node: Node) -> list[Node]:
        """Those for whom it has to wait."""
        uid = node.identity.uid
        return [
            each
            for each in self.dependents(node)
            if any(text(owner, "uid") == uid and is_blocking(owner) for owner in each.owners)
        ]

    # --- what an informer tells --------------------------------------------------------------------------------------

    def seen(self, identity: Identity, metadata: JsonObject, before: JsonObject | None) -> Effects:
        """An object is there, or has changed; `before` is what its metadata were."""
        effects, owners = Effects(), objects(metadata, "ownerReferences")
        node = self.nodes.get(identity.uid)
        if node is None:
            node = Node(identity, owners)
            self.nodes[identity.uid] = node
            self._join(node, owners, effects)
        else:
            if node.virtual:
                self._recognized(node, identity, effects)
            self._changed_owners(node, owners, effects)
        node.deleting = node.deleting or metadata.get("deletionTimestamp") is not None
        node.waiting = node.waiting or is_waiting(metadata, FOREGROUND)
        if _begins(metadata, before, ORPHAN):
            effects.orphan[identity.uid] = None
        elif _begins(metadata, before, FOREGROUND):
            effects.delete |= {**node.dependents, identity.uid: None}
        return effects

    def gone(self, identity: Identity) -> Effects:
        """An object is not there any more."""
        effects, node = Effects(), self.nodes.get(identity.uid)
        if node is not None:
            self._remove(node, identity, effects)
        return effects

    def _recognized(self, node: Node, identity: Identity, effects: Effects) -> None:
        """Who was only named is there: those who named it otherwise are looked at."""
        if identity != node.identity:
            _, mistaken = _parted(self.dependents(node), identity)
            for each in mistaken:
                if identity.namespace and each.identity.namespace != identity.namespace:
                    _misplaced(each, identity.uid, effects)
                effects.delete[each.identity.uid] = None
            node.identity = identity
        node.virtual = False

    def _changed_owners(self, node: Node, owners: list[JsonObject], effects: Effects) -> None:
        old = {text(each, "uid"): each for each in node.owners}
        new = {text(each, "uid"): each for each in owners}
        for uid, reference in old.items():
            after = new.get(uid)
            if is_blocking(reference) and (after is None or not is_blocking(after)) and uid in self.nodes:
                effects.delete[uid] = None
        node.owners = owners
        self._join(node, [each for uid, each in new.items() if uid not in old], effects)
        for uid in old.keys() - new.keys():
            if uid in self.nodes:
                self.nodes[uid].dependents.pop(node.identity.uid, None)

    def _join(self, node: Node, owners: Iterable[JsonObject], effects: Effects) -> None:
        """Have the owners know the node; those that are not in the graph are put there, to be asked for."""
        doubtful = False
        for reference in owners:
            uid = text(reference, "uid")
            owner = self.nodes.get(uid)
            if owner is None:
                owner = Node(referenced(reference, node.identity.namespace), [], virtual=True)
                self.nodes[uid] = owner
                effects.delete[uid] = None
            elif not doubtful:
                doubtful = self._is_doubtful(node, reference, owner, effects)
            owner.dependents[node.identity.uid] = None
        if doubtful:
            effects.delete[node.identity.uid] = None

    def _is_doubtful(self, node: Node, reference: JsonObject, owner: Node, effects: Effects) -> bool:
        """Whether the reference says something else of the owner than what is known of it."""
        there, here = owner.identity.namespace, node.identity.namespace
        if there and there != here:
            if not owner.virtual:
                _misplaced(node, owner.identity.uid, effects)
            return True
        if not owner.identity.is_named_by(reference):
            return True
        return not there and here != "" and owner.virtual

    # --- what the server says of virtual nodes -----------------------------------------------------------------------

    def absent(self, identity: Identity) -> Effects:
        """The server has nobody of this identity."""
        effects, node = Effects(), self.nodes.get(identity.uid)
        if node is None:
            return effects
        right, wrong = _parted(self.dependents(node), identity)
        if node.virtual and wrong:
            self._disproved(identity, right, effects)
            if node.identity == identity and (other := _other_identity(wrong, identity)) is not None:
                node.identity = other
                effects.delete[identity.uid] = None
        elif not node.virtual and node.identity != identity:
            self._disproved(identity, right, effects)
        else:
            self._remove(node, identity, effects)
        return effects

    def _disproved(self, identity: Identity, dependents: list[Node], effects: Effects) -> None:
        if dependents:
            self.note_absent(identity)
        effects.delete |= {each.identity.uid: None for each in dependents}

    def _remove(self, node: Node, identity: Identity, effects: Effects) -> None:
        del self.nodes[node.identity.uid]
        for reference in node.owners:
            owner = self.nodes.get(text(reference, "uid"))
            if owner is None:
                continue
            owner.dependents.pop(node.identity.uid, None)
            if owner.waiting:
                effects.delete[owner.identity.uid] = None
        if node.dependents:
            self.note_absent(identity)
        effects.delete |= node.dependents


def _begins(metadata: JsonObject, before: JsonObject | None, finalizer: str) -> bool:
    """Whether an object begins to wait for a finalizer."""
    return is_waiting(metadata, finalizer) and (before is None or not is_waiting(before, finalizer))


def _misplaced(node: Node, uid: str, effects: Effects) -> None:
    for reference in node.owners:
        if text(reference, "uid") == uid:
            named, namespace = referenced(reference, node.identity.namespace), node.identity.namespace
            said = f"ownerRef {named} does not exist in namespace {quote(namespace)}"
            effects.faults.append(Fault(node.identity, said))
            return


def _parted(dependents: Iterable[Node], owner: Identity) -> tuple[list[Node], list[Node]]:
    """Those who name the owner so, and those who name its UID otherwise; some do both."""
    right, wrong = [], []
    for each in dependents:
        namespace = each.identity.namespace
        references = [one for one in each.owners if text(one, "uid") == owner.uid]
        if owner.namespace and owner.namespace != namespace:
            wrong.append(each)
            continue
        said = [owner.is_named_by(one) for one in references]
        if any(said):
            right.append(each)
        if not all(said):
            wrong.append(each)
    return right, wrong


def _other_identity(dependents: Iterable[Node], absent: Identity) -> Identity | None:
    """Another identity of an owner, as one of those says who name it; the next in order, from the absent one on."""
    found = set()
    for each in dependents:
        for reference in each.owners:
            if text(reference, "uid") != absent.uid:
                continue
            named = referenced(reference, each.identity.namespace)
            same_kind = (named.kind, named.api_version) == (absent.kind, absent.api_version)
            if not absent.namespace and same_kind:
                named = referenced(reference, "")
            found.add(named)
    found.discard(absent)
    following = [each for each in found if each > absent]
    return min(following or found, default=None)
