"""On which nodes a Pod's PersistentVolumeClaims can be had, and what must be bound or made for that.

Specification: Kubernetes, pkg/scheduler/framework/plugins/volumebinding, volumezone and volumerestrictions,
in our words:
- A claim that is not there, lost or being deleted keeps its Pod from every node, and so does one that is to be bound at
  once and is not yet: it is not the scheduler who binds that. One of an ephemeral volume is to be its Pod's own.
- A claim that is bound is to be had where its volume's node affinity matches.
- A claim whose class waits for the first consumer (`WaitForFirstConsumer`) is bound for the node that is chosen: to a
  free volume that fits it and can be reached from there, the smallest claims first; or else one is made there, if the
  class has a provisioner and allows the node's topology. A node that was chosen before stays the one.
- A volume with labels of a zone or a region is to be had there; a node without any such label is everywhere.
- What only one Pod may use (`ReadWriteOncePod`) no other Pod uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.scheduling import PlacedVolume, StorageClass
from podward.api.storage import PersistentVolumeClaim
from podward.documents.raw_fields import member, objects
from podward.policy.scheduling.facts import NodeFacts, PodFacts
from podward.policy.scheduling.node_fit import Misfit, matches_node
from podward.schema.validation.raw import strings, text
from podward.schema.view import typed_view
from podward.schema.volume_matching import asked_for, class_of, not_chosen, preference, unfit

SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
WAIT = "WaitForFirstConsumer"
ONE_POD = "ReadWriteOncePod"

_PLUGIN = "VolumeBinding"
_ELSEWHERE = Misfit(_PLUGIN, "node(s) didn't match PersistentVolume's node affinity")
_NONE = Misfit(_PLUGIN, "node(s) didn't find available persistent volumes to bind")
_GONE = Misfit(_PLUGIN, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")
_OTHER_ZONE = Misfit("VolumeZone", "node(s) had no available volume zone")
_ZONES: Mapping[str, str] = {
    "topology.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
"""The labels of zones and regions, each with the one that has taken its place."""
_IN_USE = Misfit(
    "VolumeRestrictions",
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
    evicting=True,
)


class ClaimFacts(Struct, frozen=True, gc=False):
    """A claim as it is stored."""

    claim: PersistentVolumeClaim
    phase: str
    deleted: bool
    selected_node: str
    bound: bool
    controller: str = ""
    """The uid of what it was made for; empty where it is a claim of its own."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.claim.metadata.name or ""


class Storage(Struct, frozen=True):
    """Claims by namespace and name, volumes and classes by name."""

    claims: Mapping[tuple[str, str], ClaimFacts] = {}
    volumes: Mapping[str, PlacedVolume] = {}
    classes: Mapping[str, StorageClass] = {}


class Plan(Struct, frozen=True):
    """What must be done before a Pod can be on a node: claims to bind to volumes, claims to make volumes for."""

    bindings: tuple[tuple[str, str], ...] = ()
    provisions: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether all is there."""
        return not self.bindings and not self.provisions


def claim_facts(raw: JsonObject) -> ClaimFacts:
    """The facts of a stored claim."""
    metadata = member(raw, "metadata")
    annotations = strings(metadata, "annotations")
    claim = typed_view(raw, PersistentVolumeClaim, "PersistentVolumeClaim")
    return ClaimFacts(
        claim,
        text(member(raw, "status"), "phase"),
        metadata.get("deletionTimestamp") is not None,
        annotations.get(SELECTED_NODE, ""),
        bool(claim.spec.volume_name) and BIND_COMPLETED in annotations,
        next((text(each, "uid") for each in objects(metadata, "ownerReferences") if each.get("controller")), ""),
    )


def not_owner(claim: str, pod: str) -> str:
    """What is said where the claim of an ephemeral volume is somebody else's, both with namespaces."""
    return f"PVC {claim} was not created for pod {pod} (pod is not owner)"


def missing(pod: PodFacts, storage: Storage) -> str:
    """Why no node can have the Pod's claims; empty where one may."""
    for volume in pod.spec.volumes or ():
        source = volume.persistent_volume_claim
        if source is None and volume.ephemeral is None:
            continue
        name = source.claim_name if source is not None else f"{pod.name}-{volume.name}"
        found = storage.claims.get((pod.namespace, name))
        if why := _absent(name, made_for_it=source is None) if found is None else _unusable(found):
            return why
        if source is None and found is not None and found.controller != pod.uid:
            return not_owner(f"{pod.namespace}/{name}", f"{pod.namespace}/{pod.name}")
    if any(not found.bound and not _waits(found, storage) for found in _claims(pod, storage)):
        return "pod has unbound immediate PersistentVolumeClaims"
    return ""


def _absent(name: str, *, made_for_it: bool) -> str:
    if made_for_it:
        return f"waiting for ephemeral volume controller to create the persistentvolumeclaim {quote(name)}"
    return f"persistentvolumeclaim {quote(name)} not found"


def _unusable(found: ClaimFacts) -> str:
    if found.phase == "Lost":
        volume = quote(found.claim.spec.volume_name or "")
        return f"persistentvolumeclaim {quote(found.name)} bound to non-existent persistentvolume {volume}"
    return f"persistentvolumeclaim {quote(found.name)} is being deleted" if found.deleted else ""


def plan(pod: PodFacts, node: NodeFacts, storage: Storage) -> Plan | tuple[Misfit, ...]:
    """What must be done for the Pod's claims to be had on this node; or why they cannot."""
    bound = [found for found in _claims(pod, storage) if found.bound]
    volumes = [storage.volumes.get(found.claim.spec.volume_name or "") for found in bound]
    misfits: list[Misfit] = []
    if any(volume is not None and not _is_reached(volume, node) for volume in volumes):
        misfits.append(_ELSEWHERE)
    waiting = [found for found in _claims(pod, storage) if not found.bound]
    chosen = _chosen(waiting, node, storage)
    if chosen is None:
        misfits.append(_NONE)
    if any(volume is None for volume in volumes):
        misfits.append(_GONE)
    return chosen if chosen is not None and not misfits else tuple(misfits)


def in_zone(pod: PodFacts, node: NodeFacts, storage: Storage) -> tuple[Misfit, ...]:
    """Whether the volumes of the Pod's claims are elsewhere, by their labels and the node's."""
    if not any(key in node.labels for key in _ZONES):
        return ()
    for source in (volume.persistent_volume_claim for volume in pod.spec.volumes or ()):
        found = None if source is None else storage.claims.get((pod.namespace, source.claim_name))
        volume = None if found is None else storage.volumes.get(found.claim.spec.volume_name or "")
        labels = (volume.metadata.labels or {}) if volume is not None else {}
        for key in _ZONES.keys() & labels.keys():
            wanted = {each.strip() for each in (labels[key] or "").split("__")}
            if "" not in wanted and node.labels.get(key, node.labels.get(_ZONES[key])) not in wanted:
                return (_OTHER_ZONE,)
    return ()


def in_use(pod: PodFacts, nodes: Iterable[NodeFacts], storage: Storage) -> tuple[Misfit, ...]:
    """Whether another Pod has what this one needs for itself alone."""
    alone = {found.name for found in _claims(pod, storage) if ONE_POD in (found.claim.spec.access_modes or ())}
    if not alone:
        return ()
    others = (other for node in nodes for other in node.pods if other.namespace == pod.namespace)
    return (_IN_USE,) if any(not alone.isdisjoint(other.claims) for other in others) else ()


def _claims(pod: PodFacts, storage: Storage) -> list[ClaimFacts]:
    found = (storage.claims.get((pod.namespace, name)) for name in pod.claims)
    return [each for each in found if each is not None]


def _waits(found: ClaimFacts, storage: Storage) -> bool:
    """Whether the claim is bound for the node that is chosen for its Pod."""
    of_class = storage.classes.get(class_of(found.claim))
    return not found.claim.spec.volume_name and of_class is not None and of_class.volume_binding_mode == WAIT


def _is_reached(volume: PlacedVolume, node: NodeFacts) -> bool:
    affinity = volume.spec.node_affinity
    required = affinity.required if affinity is not None else None
    return required is None or matches_node(required, node.name, node.labels)


def _chosen(waiting: list[ClaimFacts], node: NodeFacts, storage: Storage) -> Plan | None:
    bindings: list[tuple[str, str]] = []
    provisions: list[str] = []
    taken: set[str] = set()
    for found in sorted(waiting, key=lambda each: asked_for(each.claim)):
        if found.selected_node:
            if found.selected_node != node.name:
                return None
            volume = None
        else:
            volume = _fitting(found, node, storage, taken)
        if volume is not None:
            taken.add(volume)
            bindings.append((found.name, volume))
        elif _can_be_made(found, node, storage):
            provisions.append(found.name)
        else:
            return None
    return Plan(tuple(bindings), tuple(provisions))


def _fitting(found: ClaimFacts, node: NodeFacts, storage: Storage, taken: set[str]) -> str | None:
    """The volume that the claim gets there."""
    fitting: list[PlacedVolume] = []
    own = (found.claim.metadata.namespace, found.name)
    for name, volume in storage.volumes.items():
        if name in taken or unfit(volume, found.claim) or not _is_reached(volume, node):
            continue
        kept = volume.spec.claim_ref
        if kept is not None:
            if (kept.namespace, kept.name) == own and kept.uid in {None, "", found.claim.metadata.uid}:
                return name
        elif not not_chosen(volume, found.claim):
            fitting.append(volume)
    return min(fitting, key=preference).metadata.name if fitting else None


def _can_be_made(found: ClaimFacts, node: NodeFacts, storage: Storage) -> bool:
    of_class = storage.classes.get(class_of(found.claim))
    if of_class is None or of_class.provisioner in {"", NO_PROVISIONER}:
        return False
    terms = of_class.allowed_topologies or ()
    return not terms or any(
        all(node.labels.get(each.key) in (each.values or ()) for each in term.match_label_expressions or ())
        for term in terms
    )
