"""How Pods spread over a topology.

Specification: Kubernetes with MatchLabelKeysInPodTopologySpreadSelectorMerge, validateTopologySpreadConstraints. A
topology and what happens without room are a pair that stands once; a later one is reported at the earlier.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import objects
from podward.schema.validation.field import Place, duplicate, invalid, positive
from podward.schema.validation.raw import number, text
from podward.schema.validation.walk import Scope


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The Pod's `topologySpreadConstraints`."""
    constraints = objects(spec, "topologySpreadConstraints")
    pairs = [(text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable")) for constraint in constraints]
    found: list[Decision] = []
    for index, constraint in enumerate(constraints):
        place, (key, action) = at / "topologySpreadConstraints" / index, pairs[index]
        found.append(scope.check("TopologySpreadConstraint/itself", constraint, place))
        if pairs[index] in pairs[index + 1 :]:
            found.append(duplicate(place / "{topologyKey, whenUnsatisfiable}", f"{{{key}, {action}}}"))
        found.append(scope.check("TopologySpreadConstraint/its Pods", constraint, place))
    return merge(*found)


def domains(constraint: JsonObject, _scope: Scope, at: Place) -> Decision:
    """A constraint's `minDomains`."""
    least, action, place = number(constraint, "minDomains"), text(constraint, "whenUnsatisfiable"), at / "minDomains"
    found = positive(place, least)
    if action != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        found += invalid(place, least, detail)
    return found
