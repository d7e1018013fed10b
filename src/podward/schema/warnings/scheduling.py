"""Labels of nodes that have new names, selectors that select nothing, and a negative grace period."""

from __future__ import annotations

from collections.abc import Iterator

from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member, objects
from podward.path import Key, Path, path
from podward.schema.validation.raw import number, strings, text, texts

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NEW_NAMES = {
    "beta.kubernetes.io/arch": ("v1.14", "kubernetes.io/arch"),
    "beta.kubernetes.io/os": ("v1.14", "kubernetes.io/os"),
    "failure-domain.beta.kubernetes.io/region": ("v1.17", "topology.kubernetes.io/region"),
    "failure-domain.beta.kubernetes.io/zone": ("v1.17", "topology.kubernetes.io/zone"),
    "beta.kubernetes.io/instance-type": ("v1.17", "node.kubernetes.io/instance-type"),
}
_NO_SELECTOR = "a null labelSelector results in matching no pod"


def node_labels(spec: JsonObject) -> Iterator[str]:
    """Old labels in node selector, affinity and topology; and constraints that no Pod matches."""
    for key in strings(spec, "nodeSelector"):
        if key in _NEW_NAMES:
            yield f"{path('spec', 'nodeSelector', Key(key))}: {_renamed(key)}"
    nodes, at = member(member(spec, "affinity"), "nodeAffinity"), path("spec", "affinity", "nodeAffinity")
    for index, term in enumerate(objects(member(nodes, _REQUIRED), "nodeSelectorTerms")):
        yield from _term(term, at / _REQUIRED / "nodeSelectorTerms" / index)
    for index, preference in enumerate(objects(nodes, _PREFERRED)):
        yield from _preferred_term(member(preference, "preference"), at / _PREFERRED / index / "preference")
    for index, constraint in enumerate(objects(spec, "topologySpreadConstraints")):
        place, key = path("spec", "topologySpreadConstraints", index), text(constraint, "topologyKey")
        if key in _NEW_NAMES:
            yield f"{place / 'topologyKey'}: {key} is {_renamed(key)}"
        if constraint.get("labelSelector") is None:
            yield f"{place / 'labelSelector'}: {_NO_SELECTOR}"


def grace_period(spec: JsonObject) -> Iterator[str]:
    """A negative `terminationGracePeriodSeconds`."""
    if number(spec, "terminationGracePeriodSeconds") < 0:
        sentence = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"spec.terminationGracePeriodSeconds: {sentence}"


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
    if key in _NEW_NAMES:
        yield f"{at / 'key'}: {key} is {_renamed(key)}"


def _renamed(key: str) -> str:
    version, name = _NEW_NAMES[key]
    return f'deprecated since {version}; use "{name}" instead'
