"""What a Pod and a Node say about where Pods may be: core/v1 of Kubernetes."""

from __future__ import annotations

from msgspec import field

from podward.api.claim import LabelSelector
from podward.api.core import Container, ObjectMeta
from podward.api.storage import PersistentVolume, PersistentVolumeSpec
from podward.api.structure import View

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class Taint(View, frozen=True):
    """core/v1 Taint."""

    key: str = ""
    value: str | None = None
    effect: str = ""
    time_added: str | None = None


class Toleration(View, frozen=True):
    """core/v1 Toleration."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None


class NodeRequirement(View, frozen=True):
    """core/v1 NodeSelectorRequirement."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class NodeTerm(View, frozen=True):
    """core/v1 NodeSelectorTerm: all of its requirements."""

    match_expressions: tuple[NodeRequirement, ...] | None = None
    match_fields: tuple[NodeRequirement, ...] | None = None


class NodeSelector(View, frozen=True):
    """core/v1 NodeSelector: one of its terms."""

    node_selector_terms: tuple[NodeTerm, ...] | None = None


class PreferredNodes(View, frozen=True):
    """core/v1 PreferredSchedulingTerm."""

    weight: int = 0
    preference: NodeTerm = NodeTerm()


class NodeAffinity(View, frozen=True):
    """core/v1 NodeAffinity."""

    required: NodeSelector | None = field(default=None, name=_REQUIRED)
    preferred: tuple[PreferredNodes, ...] | None = field(default=None, name=_PREFERRED)


class PodTerm(View, frozen=True):
    """core/v1 PodAffinityTerm; its `matchLabelKeys` are in its selector since the Pod was created."""

    topology_key: str = ""
    label_selector: LabelSelector | None = None
    namespaces: tuple[str, ...] | None = None
    namespace_selector: LabelSelector | None = None


class PreferredPods(View, frozen=True):
    """core/v1 WeightedPodAffinityTerm."""

    weight: int = 0
    pod_affinity_term: PodTerm = PodTerm()


class PodAffinity(View, frozen=True):
    """core/v1 PodAffinity and PodAntiAffinity, which have the same shape."""

    required: tuple[PodTerm, ...] | None = field(default=None, name=_REQUIRED)
    preferred: tuple[PreferredPods, ...] | None = field(default=None, name=_PREFERRED)


class Affinity(View, frozen=True):
    """core/v1 Affinity."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class SpreadConstraint(View, frozen=True):
    """core/v1 TopologySpreadConstraint; its `matchLabelKeys` are in its selector since the Pod was created."""

    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = ""
    label_selector: LabelSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None


class Gate(View, frozen=True):
    """core/v1 PodSchedulingGate."""

    name: str = ""


class ClaimSource(View, frozen=True):
    """core/v1 PersistentVolumeClaimVolumeSource."""

    claim_name: str = ""


class Ephemeral(View, frozen=True):
    """core/v1 EphemeralVolumeSource: that there is one is all that counts."""


class PodVolume(View, frozen=True):
    """core/v1 Volume, as far as it says where the Pod may be."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    ephemeral: Ephemeral | None = None


class SchedulingSpec(View, frozen=True):
    """core/v1 PodSpec, as far as a scheduler reads it."""

    node_name: str | None = None
    scheduler_name: str | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[Toleration, ...] | None = None
    topology_spread_constraints: tuple[SpreadConstraint, ...] | None = None
    scheduling_gates: tuple[Gate, ...] | None = None
    volumes: tuple[PodVolume, ...] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    priority: int | None = None
    preemption_policy: str | None = None


class NodeSpec(View, frozen=True):
    """core/v1 NodeSpec."""

    unschedulable: bool | None = None
    taints: tuple[Taint, ...] | None = None
    pod_cidr: str | None = field(default=None, name="podCIDR")


class NodeImage(View, frozen=True):
    """core/v1 ContainerImage."""

    names: tuple[str, ...] | None = None
    size_bytes: int | None = None


class NodeStatus(View, frozen=True):
    """core/v1 NodeStatus, as far as a scheduler reads it."""

    allocatable: dict[str, str | int | float] | None = None
    images: tuple[NodeImage, ...] | None = None


class NodeView(View, frozen=True):
    """core/v1 Node."""

    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class VolumeNodeAffinity(View, frozen=True):
    """core/v1 VolumeNodeAffinity."""

    required: NodeSelector | None = None


class PlacedVolumeSpec(PersistentVolumeSpec, frozen=True):
    """core/v1 PersistentVolumeSpec, with the nodes from which the volume can be reached."""

    node_affinity: VolumeNodeAffinity | None = None


class PlacedVolume(PersistentVolume, frozen=True):
    """core/v1 PersistentVolume, with the nodes from which it can be reached."""

    spec: PlacedVolumeSpec = field(default_factory=PlacedVolumeSpec)


class TopologyRequirement(View, frozen=True):
    """core/v1 TopologySelectorLabelRequirement."""

    key: str = ""
    values: tuple[str, ...] | None = None


class TopologyTerm(View, frozen=True):
    """core/v1 TopologySelectorTerm."""

    match_label_expressions: tuple[TopologyRequirement, ...] | None = None


class StorageClass(View, frozen=True):
    """storage/v1 StorageClass."""

    metadata: ObjectMeta = ObjectMeta()
    provisioner: str = ""
    parameters: dict[str, str] | None = None
    reclaim_policy: str | None = None
    mount_options: tuple[str, ...] | None = None
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologyTerm, ...] | None = None
