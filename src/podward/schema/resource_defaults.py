"""The defaults of amounts of resources: Kubernetes, SetDefaults_Pod and SetDefaults_ResourceList.

- A container's request of a resource is its limit, where it says no other.
- Every amount is rounded up to thousandths.
- The Pod's own resources, where they say anything: a limit of huge pages becomes what the containers may have
  together, unless the Pod requests such pages. Then, if there is any limit, a request of cpu or memory becomes what the
  containers request together, and any other becomes the limit. Sums are made of amounts that are not rounded yet.
"""

from __future__ import annotations

from typing import NamedTuple

from podward.api.json_value import Json, JsonObject
from podward.api.quantity import QuantityError, parse
from podward.documents.raw_fields import member
from podward.schema.filling import At, Told

_FINER = frozenset(".nueE")
"""An amount that is no number of thousandths has one of these characters."""
_HUGE_PAGES = "hugepages-"


def requests(container: JsonObject, at: At, told: Told | None) -> JsonObject:
    """A container's request of a resource is its limit, where it says no other."""
    resources = container.get("resources")
    limits = resources.get("limits") if isinstance(resources, dict) else None
    if not isinstance(resources, dict) or not isinstance(limits, dict):
        return container
    written = resources.get("requests")
    requests = written if isinstance(written, dict) else {}
    missing = [name for name in limits if name not in requests]
    if not missing:
        return container
    if told is not None:
        place = ((at, "resources"), "requests")
        for name in missing:
            told.note(place, name, limits[name], "unset: the limit")
    requests = {**requests, **{name: limits[name] for name in missing}}
    return {**container, "resources": {**resources, "requests": requests}}


def rounded(owner: JsonObject, at: At, told: Told | None) -> JsonObject:
    """Amounts of resources are rounded up to thousandths."""
    resources = owner.get("resources")
    if not isinstance(resources, dict):
        return owner
    made = resources
    for kind in ("limits", "requests"):
        made = amounts(made, kind, (at, "resources"), told)
    return owner if made is resources else {**owner, "resources": made}


def rounded_overhead(spec: JsonObject, at: At, told: Told | None) -> JsonObject:
    """The same of what a Pod costs beside its containers."""
    return amounts(spec, "overhead", at, told)


def amounts(holder: JsonObject, name: str, at: At, told: Told | None) -> JsonObject:
    """The amounts under one name of an object are rounded up to thousandths."""
    written = holder.get(name)
    if not isinstance(written, dict):
        return holder
    made = written
    for resource, amount in written.items():
        up = _thousandths(amount)
        if up is not amount:
            made = {**written} if made is written else made
            made[resource] = up
            if told is not None:
                told.note((at, name), resource, up, "rounded up to thousandths")
    return holder if made is written else {**holder, name: made}


def with_pod_resources(spec: JsonObject, at: At, told: Told | None) -> JsonObject:
    """What the Pod as a whole may have, made of what its containers say before that is rounded."""
    set_here = _pod_resources(spec)
    if not set_here:
        return spec
    resources = spec.get("resources")
    made: JsonObject = {**resources} if isinstance(resources, dict) else {}
    for amount in set_here:
        before = made.get(amount.kind)
        made[amount.kind] = {**(before if isinstance(before, dict) else {}), amount.name: amount.value}
        if told is not None:
            told.note(((at, "resources"), amount.kind), amount.name, amount.value, amount.why)
    return {**spec, "resources": made}


class _Amount(NamedTuple):
    """An amount of the Pod's own resources that is set: under `limits` or `requests`, and why."""

    kind: str
    name: str
    value: Json
    why: str


def _pod_resources(spec: JsonObject) -> list[_Amount]:
    """What the Pod as a whole may have and requests, where it says anything of that but not this."""
    resources = member(spec, "resources")
    limits, requests = dict(member(resources, "limits")), member(resources, "requests")
    if not limits and not requests:
        return []
    from podward.schema.validation.pod_resources import is_known, together

    made: list[_Amount] = []
    sums = "unset: what the containers have together"
    for name, total in together(spec, "limits").items():
        if name.startswith(_HUGE_PAGES) and name not in requests and name not in limits:
            limits[name] = str(total)
            made.append(_Amount("limits", name, _thousandths(limits[name]), sums))
    wanted: dict[str, Json] = {}
    for name, total in together(spec, "requests").items() if limits else ():
        if is_known(name) and not name.startswith(_HUGE_PAGES) and name not in requests:
            wanted[name] = str(total)
            made.append(_Amount("requests", name, _thousandths(wanted[name]), sums))
    for name, limit in limits.items():
        if is_known(name) and name not in requests and name not in wanted:
            made.append(_Amount("requests", name, _thousandths(limit), "unset: the limit"))
    return made


def _thousandths(written: Json) -> Json:
    """The amount rounded up; as it is written where that changes nothing, or where it is none."""
    text = str(written)
    if _FINER.isdisjoint(text):
        return written
    try:
        exact = parse(text)
    except QuantityError:
        return written
    up = exact.rounded_to_milli()
    return written if up is exact else str(up)
