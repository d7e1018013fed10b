"""What is asked of all that says where a Pod may run; see `table`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podward.schema.validation import (
    affinity,
    labels,
    scheduling,
    topology,
)
from podward.schema.validation.rules import (
    Always,
    Code,
    Each,
    Inside,
    Items,
    May,
    Needed,
    Pointer,
    Rule,
)
from podward.schema.validation.values import (
    ADDRESS,
    KEY,
    POSITIVE,
    SUBDOMAIN,
    named,
    one_of,
    within,
)

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)
_WEIGHT = within(1, 100, "must be in the range 1-100")
_HONORED = one_of("Honor", "Ignore")
_SPREAD: tuple[Rule, ...] = (
    Always("maxSkew", POSITIVE),
    Needed("topologyKey", detail="can not be empty"),
    Always("whenUnsatisfiable", one_of("DoNotSchedule", "ScheduleAnyway")),
)
_SPREAD_PODS: tuple[Rule, ...] = (
    Code(topology.domains, ("minDomains",)),
    Pointer("nodeAffinityPolicy", _HONORED),
    Pointer("nodeTaintsPolicy", _HONORED),
    Code(affinity.match_keys),
    Inside("labelSelector"),
)

SCHEDULING: Mapping[str, Sequence[Rule]] = {
    "LabelSelector": (Code(labels.of("matchLabels"), ("matchLabels",)), Each("matchExpressions")),
    "LabelSelectorRequirement": (
        Code(labels.operator),
        Always("key", KEY),
        Items("values", named(labels.value_faults)),
    ),
    "Affinity": (Inside("nodeAffinity"), Inside("podAffinity"), Inside("podAntiAffinity")),
    "NodeAffinity": (Inside(_REQUIRED), Each(_PREFERRED)),
    "NodeSelector": (
        Needed("nodeSelectorTerms", detail="must have at least one node selector term"),
        Each("nodeSelectorTerms", "NodeSelectorTerm/required"),
    ),
    "PreferredSchedulingTerm": (Always("weight", _WEIGHT), Inside("preference")),
    "NodeSelectorTerm": (Each("matchExpressions"), Each("matchFields", "NodeSelectorRequirement/field")),
    "NodeSelectorTerm/required": (
        Each("matchExpressions", "NodeSelectorRequirement/required"),
        Each("matchFields", "NodeSelectorRequirement/field"),
    ),
    "NodeSelectorRequirement": (Code(affinity.operator), Always("key", KEY)),  # the values may be anything
    "NodeSelectorRequirement/required": (
        Code(affinity.operator),
        Always("key", KEY),
        Items("values", named(labels.value_faults)),
    ),
    "NodeSelectorRequirement/field": (Code(affinity.field),),
    "PodAffinity": (Each(_REQUIRED), Each(_PREFERRED)),
    "PodAntiAffinity": (Each(_REQUIRED), Each(_PREFERRED)),
    "WeightedPodAffinityTerm": (Always("weight", _WEIGHT), Inside("podAffinityTerm", even_absent=True)),
    "PodAffinityTerm": (
        Inside("labelSelector"),
        Inside("namespaceSelector"),
        Code(affinity.namespaces, ("namespaces",)),
        Code(affinity.match_keys),
        Needed("topologyKey", detail="can not be empty"),
        Always("topologyKey", KEY),
    ),
    "TopologySpreadConstraint": (*_SPREAD, *_SPREAD_PODS),
    "TopologySpreadConstraint/itself": _SPREAD,
    "TopologySpreadConstraint/its Pods": _SPREAD_PODS,
    "PodReadinessGate": (Always("conditionType", KEY),),
    "Toleration": (
        May("key", KEY),
        Code(scheduling.tolerates_everything),
        Code(scheduling.tolerates_for_a_time, ("tolerationSeconds",)),
        Code(scheduling.tolerated_value),
        May("effect", one_of("NoSchedule", "PreferNoSchedule", "NoExecute")),
    ),
    "HostAlias": (Always("ip", ADDRESS), Items("hostnames", SUBDOMAIN)),
}
