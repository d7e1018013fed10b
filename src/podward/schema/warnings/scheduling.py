"""Labels of nodes that have new names, and selectors that select nothing."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.path import Key, Path, path
from podward.schema.validation.raw import strings, text, texts

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
OLD_NODE_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_NO_SELECTOR = "a null labelSelector results in matching no pod"


def node_labels(spec: JsonObject) -> Iterator[str]:
    """Old labels in node selector, affinity and topology; and constraints that no Pod matches."""
    for key in strings(spec, "nodeSelector"):
        if key in OLD_NODE_LABELS:
            yield f"{path('spec', 'nodeSelector', Key(key))}: {OLD_NODE_LABELS[key]}"
    nodes, at = member(member(spec, "affinity"), "nodeAffinity"), path("spec", "affinity", "nodeAffinity")
    for index, term in enumerate(objects(member(nodes, _REQUIRED), "nodeSelectorTerms")):
        yield from _term(term, at / _REQUIRED / "nodeSelectorTerms" / index)
    for index, preference in enumerate(objects(nodes, _PREFERRED)):
        yield from _preferred_term(member(preference, "preference"), at / _PREFERRED / index / "preference")
    for index, constraint in enumerate(objects(spec, "topologySpreadConstraints")):
        place, key = path("spec", "topologySpreadConstraints", index), text(constraint, "topologyKey")
        if key in OLD_NODE_LABELS:
            yield f"{place / 'topologyKey'}: {key} is {OLD_NODE_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{place / 'labelSelector'}: {_NO_SELECTOR}"


def grace(spec: JsonObject) -> Iterator[str]:
    """A grace period that is below 0."""
    seconds = spec.get("terminationGracePeriodSeconds")
    if type(seconds) is int and seconds < 0:
        at = path("spec", "terminationGracePeriodSeconds")
        yield f"{at}: must be >= 0; negative values are invalid and will be treated as 1"


def no_selector(spec: JsonObject) -> Iterator[str]:
    """Terms about Pods that no Pod matches."""
    for name in ("podAffinity", "podAntiAffinity"):
        pods, at = member(member(spec, "affinity"), name), path("spec", "affinity", name)
        for index, term in enumerate(objects(pods, _REQUIRED)):
            if term.get("labelSelector") is None:
                yield f"{at / _REQUIRED / index / 'labelSelector'}: {_NO_SELECTOR}"
        for index, preference in enumerate(objects(pods, _PREFERRED)):
            if member(preference, "podAffinityTerm").get("labelSelector") is None:
                yield f"{at / _PREFERRED / index / 'podAffinityTerm' / 'labelSelector'}: {_NO_SELECTOR}"


def _term(term: JsonObject, at: Path) -> Iterator[str]:
    for index, expression in enumerate(objects(term, "matchExpressions")):
        yield from _key(expression, at / "matchExpressions" / index)


def _preferred_term(term: JsonObject, at: Path) -> Iterator[str]:
    """A term whose values were not validated: a preference that no node can fulfil is no error."""
    from podward.schema.validation.labels import value_faults

    for index, expression in enumerate(objects(term, "matchExpressions")):
        place = at / "matchExpressions" / index
        yield from _key(expression, place)
        for number_of_value, value in enumerate(texts(expression, "values")):
            for fault in value_faults(value):
                yield f"{place / 'values' / number_of_value}: {value} is invalid, {fault}"


def _key(expression: JsonObject, at: Path) -> Iterator[str]:
    key = text(expression, "key")
    if key in OLD_NODE_LABELS:
        yield f"{at / 'key'}: {key} is {OLD_NODE_LABELS[key]}"
