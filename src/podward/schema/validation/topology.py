"""How Pods spread over a topology.

Specification: Kubernetes with MatchLabelKeysInPodTopologySpreadSelectorMerge, validateTopologySpreadConstraints. A
topology and what happens without room are a pair that stands once; a later one is reported at the earlier.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Path
from podward.schema.validation import labels
from podward.schema.validation.affinity import match_keys
from podward.schema.validation.field import duplicate, invalid, positive, required, unsupported
from podward.schema.validation.raw import number, pointer, text

_ACTIONS = ("DoNotSchedule", "ScheduleAnyway")
_POLICIES = ("Honor", "Ignore")


def check(spec: JsonObject, at: Path) -> Decision:
    """The raw Pod's `topologySpreadConstraints`."""
    constraints = objects(spec, "topologySpreadConstraints")
    pairs = [(text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable")) for constraint in constraints]
    found: list[Decision] = []
    for index, constraint in enumerate(constraints):
        place, (key, action) = at / index, pairs[index]
        found.append(positive(place / "maxSkew", number(constraint, "maxSkew")))
        if not key:
            found.append(required(place / "topologyKey", "can not be empty"))
        if action not in _ACTIONS:
            found.append(unsupported(place / "whenUnsatisfiable", action, _ACTIONS))
        if pairs[index] in pairs[index + 1 :]:
            found.append(duplicate(place / "{topologyKey, whenUnsatisfiable}", f"{{{key}, {action}}}"))
        found += [_domains(constraint, action, place / "minDomains"), _policies(constraint, place)]
        found.append(match_keys(constraint, [], place))
        if constraint.get("labelSelector") is not None:
            found.append(labels.selector(member(constraint, "labelSelector"), place / "labelSelector"))
    return merge(*found)


def _domains(constraint: JsonObject, action: str, at: Path) -> Decision:
    domains = constraint.get("minDomains")
    if type(domains) is not int:
        return Decision()
    found = positive(at, domains)
    if action != "DoNotSchedule":
        detail = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        found += invalid(at, domains, detail)
    return found


def _policies(constraint: JsonObject, at: Path) -> Decision:
    found = Decision()
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        policy = pointer(constraint, name)
        if policy is not None and policy not in _POLICIES:
            found += unsupported(at / name, policy, _POLICIES)
    return found
