"""Resources of a container: names, quantities, requests within limits, claims.

Specification: Kubernetes 1.36, validateResourceRequirements and its parts. Extended resources (with a domain of their
own) and huge pages can't be overcommitted: request and limit are equal. A request above its limit is printed at
`requests` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from podward.api.json_value import JsonObject
from podward.decision import Decision, merge, refuse
from podward.documents.raw_fields import objects
from podward.path import Key, Path
from podward.schema.godecode.quantity import Quantity, QuantityError, parse
from podward.schema.validation.field import SOURCE, duplicate, forbidden, invalid, invalid_value, required
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import label
from podward.schema.validation.raw import text, values

HUGE_PAGES = "hugepages-"
_OF_CONTAINERS = frozenset(("cpu", "memory", "ephemeral-storage"))
_STANDARD = _OF_CONTAINERS | {
    "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory",
    "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
    "configmaps", "persistentvolumeclaims", "storage", "requests.storage", "services.nodeports",
    "services.loadbalancers",
}  # fmt: skip
_COUNTED = frozenset(
    ("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
     "services.nodeports", "services.loadbalancers")
)  # fmt: skip
_COMPUTED = frozenset(("cpu", "memory"))

NameRule: TypeAlias = Callable[[str, Path], Decision]
Amounts: TypeAlias = dict[str, Quantity]


def check(raw: JsonObject, claims: frozenset[str], at: Path, name_rule: NameRule | None = None) -> Decision:
    """A container's `resources`; `claims` are the names of the Pod's. `name_rule`: which resources there may be."""
    rule = name_rule or container_name
    limits, requests = amounts(raw, "limits"), amounts(raw, "requests")
    if name_rule is None and not raw.get("claims") and _surely_sound(limits, requests):
        return Decision()
    found: list[Decision] = []
    for name, limit in limits.items():
        place = at / "limits" / Key(name)
        found += [rule(name, place), quantity(name, limit, place), _huge_pages(name, limit, place)]
    for name, request in requests.items():
        place = at / "requests" / Key(name)
        found += [rule(name, place), quantity(name, request, place)]
        found += [_within(name, request, limits.get(name), at), _huge_pages(name, request, place)]
    names = limits.keys() | requests.keys()
    if any(name.startswith(HUGE_PAGES) for name in names) and _COMPUTED.isdisjoint(names):
        found.append(forbidden(at, "HugePages require cpu or memory"))
    if raw.get("claims"):
        found.append(_claims(objects(raw, "claims"), claims, at / "claims"))
    return merge(*found)


def _surely_sound(limits: Amounts, requests: Amounts) -> bool:
    """Whether these are only the resources that every node has, and nothing can be said against their amounts."""
    for name, amount in limits.items():
        if name not in _OF_CONTAINERS or amount.units < 0:
            return False
    for name, amount in requests.items():
        limit = limits.get(name, amount)
        if name not in _OF_CONTAINERS or not 0 <= amount.units <= limit.units:
            return False
    return True


def amounts(raw: JsonObject, name: str) -> Amounts:
    """The quantities under `limits` or `requests`."""
    return {resource: parse(str(written)) for resource, written in values(raw, name) if written is not None}


def quantity(name: str, amount: Quantity, at: Path) -> Decision:
    """An amount that is not negative, and whole where the resource is counted."""
    found = Decision()
    if amount.units < 0:
        found += invalid(at, str(amount), "must be greater than or equal to 0")
    if (name in _COUNTED or is_extended(name)) and amount.milli % 1000:
        found += invalid_value(at, str(amount), "must be an integer")
    return found


def resource_name(name: str, at: Path) -> Decision:
    """A resource's name: one that the server knows, or one with a domain."""
    faults = key_faults(name)
    if faults:
        return merge(*(invalid_value(at, name, fault) for fault in faults))
    if "/" not in name and name not in _STANDARD and not name.startswith((HUGE_PAGES, f"requests.{HUGE_PAGES}")):
        return invalid_value(at, name, "must be a standard resource type or fully qualified")
    return Decision()


def container_name(name: str, at: Path) -> Decision:
    """The name of a resource that a container can have."""
    found = resource_name(name, at)
    if "/" not in name:
        if name not in _OF_CONTAINERS and not name.startswith(HUGE_PAGES):
            return found + invalid_value(at, name, "must be a standard resource for containers")
    elif "kubernetes.io/" not in name and not is_extended(name):
        return found + invalid_value(at, name, "doesn't follow extended resource name standard")
    return found


def is_extended(name: str) -> bool:
    """Whether the resource is neither Kubernetes' own nor a quota's."""
    native = "/" not in name or "kubernetes.io/" in name
    return not native and not name.startswith("requests.") and not key_faults(f"requests.{name}")


def _within(name: str, request: Quantity, limit: Quantity | None, at: Path) -> Decision:
    overcommitted = ("/" not in name or "kubernetes.io/" in name) and not name.startswith(HUGE_PAGES)
    if limit is None:
        missing = required(at / "limits", "Limit must be set for non overcommitable resources")
        return Decision() if overcommitted else missing
    if request.units != limit.units and not overcommitted:
        return invalid(at / "requests", str(request), f"must be equal to {name} limit of {limit}")
    if request.units > limit.units:
        detail = f"must be less than or equal to {name} limit of {limit}"
        return invalid(at / "requests", str(request), detail)
    return Decision()


def _huge_pages(name: str, amount: Quantity, at: Path) -> Decision:
    if not name.startswith(HUGE_PAGES):
        return Decision()
    try:
        size = parse(name.removeprefix(HUGE_PAGES))
    except QuantityError:
        size = Quantity(0)
    pages = size.whole if size.units > 0 and size.milli % 1000 == 0 else 0
    if pages and amount.whole % pages == 0:
        return Decision()
    return invalid(at, str(amount), f"{amount} is not positive integer multiple of {name}")


def _claims(written: list[JsonObject], known: frozenset[str], at: Path) -> Decision:
    seen: set[str] = set()
    found: list[Decision] = []
    for index, claim in enumerate(written):
        name, request, place = text(claim, "name"), text(claim, "request"), at / index
        if not name:
            found.append(required(place))
            continue
        found.append(_claim(name, request, seen, place))
        if name not in known:
            listed = f": {', '.join(sorted(known))}" if known else " which is empty"
            detail = f"must be one of the names in pod.spec.resourceClaims{listed}"
            found.append(refuse(place, name, f'Not found: "{name}": {detail}', SOURCE))
    return merge(*found)


def _claim(name: str, request: str, seen: set[str], at: Path) -> Decision:
    if name in seen:
        return duplicate(at, name)
    found = label(request, at / "request") if request else Decision()
    key = f"{name}/{request}" if request else name
    if key in seen:
        found += duplicate(at, key)
    elif not request:
        found += merge(*(duplicate(at, name) for other in sorted(seen) if other.startswith(f"{name}/")))
    seen.add(key)
    return found
