"""What `matchLabelKeys` and `mismatchLabelKeys` mean: expressions of the selector beside them.

Specification: Kubernetes, the Pod registry's strategy, mutatePodAffinity and mutateTopologySpreadConstraints. For
each key that the Pod has as a label, its selector gets `key In [value]`, or `key NotIn [value]` of a key that must not
match. Without a selector nothing is selected, and nothing is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from podward.api.json_value import Json, JsonObject
from podward.decision import Assignment, Source
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.validation.raw import texts

_OPERATORS = {"matchLabelKeys": "In", "mismatchLabelKeys": "NotIn"}
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def merged(raw: JsonObject, source: Source) -> Iterator[Assignment]:
    """The expressions that the Pod's selectors get."""
    spec, labels = member(raw, "spec"), member(member(raw, "metadata"), "labels")
    if not labels:
        return
    affinity = member(spec, "affinity")
    for name in ("podAffinity", "podAntiAffinity"):
        pods, at = member(affinity, name), path("spec", "affinity", name)
        for index, preference in enumerate(objects(pods, _PREFERRED)):
            place = at / _PREFERRED / index / "podAffinityTerm"
            yield from _expressions(member(preference, "podAffinityTerm"), _OPERATORS, labels, place, source)
        for index, term in enumerate(objects(pods, _REQUIRED)):
            yield from _expressions(term, _OPERATORS, labels, at / _REQUIRED / index, source)
    for index, constraint in enumerate(objects(spec, "topologySpreadConstraints")):
        place = path("spec", "topologySpreadConstraints", index)
        yield from _expressions(constraint, ("matchLabelKeys",), labels, place, source)


def _expressions(
    holder: JsonObject, names: Iterable[str], labels: JsonObject, at: Path, source: Source
) -> Iterator[Assignment]:
    selector = holder.get("labelSelector")
    if not isinstance(selector, dict):
        return
    written: Json = selector.get("matchExpressions")
    index = len(written) if isinstance(written, list) else 0
    for name in names:
        for key in texts(holder, name):
            if key in labels:
                value = {"key": key, "operator": _OPERATORS[name], "values": [labels[key]]}
                place = at / "labelSelector" / "matchExpressions" / index
                yield Assignment(place, value, f"{name}: the Pod's own label", source)
                index += 1
