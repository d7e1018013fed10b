"""Resources of the Pod as a whole.

Specification: Kubernetes, validatePodResources, validatePodResourceConsistency, resource helpers
AggregateContainerRequests: the Pod requests at least what its containers do together (the larger of the regular ones
with the sidecars, and each init container with the sidecars before it), and limits none of them below its own limit.
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.api.quantity import Quantity
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.validation import resources
from podward.schema.validation.field import Place, forbidden, invalid
from podward.schema.validation.values import one_of
from podward.schema.validation.walk import Scope

_KNOWN = one_of("cpu", resources.HUGE_PAGES, "memory")


def check(spec: JsonObject, scope: Scope, at: Place) -> Decision:
    """The raw Pod's `spec.resources`; `at` is the spec."""
    place, raw = at / "resources", member(spec, "resources")
    if member(spec, "os").get("name") == "windows":
        return forbidden(place, "may not be set for a windows pod")
    found: list[Decision] = []
    if raw.get("claims") is not None:
        found.append(forbidden(place / "claims", "claims may not be set for Resources at pod-level"))
    found.append(resources.check(raw, scope.claims, place, _name))
    requests, limits = resources.amounts(raw, "requests"), resources.amounts(raw, "limits")
    for name, total in sorted(together(spec, "requests").items()):
        mine = requests.get(name)
        if mine is not None and total.units > mine.units:
            detail = f"must be greater than or equal to aggregate container requests of {total}"
            found.append(invalid(place / "requests" / Key(name), str(mine), detail))
    for name, total in sorted(together(spec, "limits").items()):
        mine = limits.get(name) if name.startswith(resources.HUGE_PAGES) else None
        if mine is not None and total.units > mine.units:
            detail = f"must be greater than or equal to aggregate container limits of {total}"
            found.append(invalid(place / "limits" / Key(name), str(mine), detail))
    for index, container in enumerate(objects(spec, "containers")):
        for name, limit in resources.amounts(member(container, "resources"), "limits").items():
            mine = limits.get(name)
            if mine is not None and limit.units > mine.units:
                own = place / "containers" / index / Key(name) / "limits"
                found.append(invalid(own, str(limit), f"must be less than or equal to pod limits of {mine}"))
    return merge(*found)


def together(spec: JsonObject, kind: str) -> dict[str, Quantity]:
    """What the containers ask for at the most demanding moment; `kind` is `requests` or `limits`."""
    total: dict[str, Quantity] = {}
    for container in objects(spec, "containers"):
        _add(total, _of_container(container, kind))
    sidecars: dict[str, Quantity] = {}
    highest: dict[str, Quantity] = {}
    for container in objects(spec, "initContainers"):
        own = _of_container(container, kind)
        if container.get("restartPolicy") == "Always":
            _add(total, own)
            _add(sidecars, own)
            own = dict(sidecars)
        else:
            _add(own, sidecars)
        _raise_to(highest, own)
    _raise_to(total, highest)
    return total


def in_all(spec: JsonObject, kind: str) -> dict[str, Quantity]:
    """What a Pod as a whole asks for: what it says itself, or else its containers together."""
    own = resources.amounts(member(spec, "resources"), kind)
    return {**together(spec, kind), **{name: amount for name, amount in own.items() if is_known(name)}}


def _name(name: str) -> tuple[str, ...]:
    reasons = resources.resource_name(name)
    return reasons if reasons or is_known(name) else tuple(_KNOWN.reasons(name))


def is_known(name: str) -> bool:
    """Whether a Pod as a whole can have the resource."""
    return bool(_KNOWN.is_sound(name)) or name.startswith(resources.HUGE_PAGES)


def _of_container(container: JsonObject, kind: str) -> dict[str, Quantity]:
    """A limit is also a request where there is none."""
    written = member(container, "resources")
    own = resources.amounts(written, kind)
    return own if kind == "limits" else {**resources.amounts(written, "limits"), **own}


def _add(total: dict[str, Quantity], more: dict[str, Quantity]) -> None:
    for name, amount in more.items():
        before = total.get(name)
        total[name] = amount if before is None else before.plus(amount)


def _raise_to(total: dict[str, Quantity], least: dict[str, Quantity]) -> None:
    for name, amount in least.items():
        before = total.get(name)
        if before is None or amount.units > before.units:
            total[name] = amount
