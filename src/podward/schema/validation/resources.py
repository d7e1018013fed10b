"""Resources of a container: names, quantities, requests within limits, claims.

Specification: Kubernetes, validateResourceRequirements and its parts. Extended resources (with a domain of their
own) and huge pages can't be overcommitted: request and limit are equal. A request above its limit is printed at
`requests` itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.quantity import Quantity, QuantityError, parse
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.validation.field import (
    NOTHING,
    Place,
    duplicate,
    forbidden,
    invalid,
    invalid_value,
    refused,
    required,
)
from podward.schema.validation.internal import go_json
from podward.schema.validation.labels import key_faults
from podward.schema.validation.names import label
from podward.schema.validation.raw import text
from podward.schema.validation.walk import Scope

HUGE_PAGES = "hugepages-"
_HUGE_NAMES = (HUGE_PAGES, f"requests.{HUGE_PAGES}")
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
_NONE: frozenset[str] = frozenset()

NameRule: TypeAlias = Callable[[str], tuple[str, ...]]
"""What is wrong with a resource's name, as the ends of field errors."""
Amounts: TypeAlias = dict[str, Quantity]


def of_container(container: JsonObject, scope: Scope, at: Place) -> Decision:
    """A container's `resources`."""
    written = member(container, "resources")
    return check(written, scope.claims, Place(at, "resources")) if written else NOTHING


def overhead(spec: JsonObject, _scope: Scope, at: Place) -> Decision:
    """The Pod's `overhead`."""
    return check({"limits": spec["overhead"]}, frozenset(), at / "overhead")


def check(raw: JsonObject, claims: frozenset[str], at: Place, names: NameRule | None = None) -> Decision:
    """Limits, requests and claims; `claims` are the names of the Pod's, `names` says which resources there may be."""
    rule, common = (container_name, _OF_CONTAINERS) if names is None else (names, _NONE)
    limits, requests = amounts(raw, "limits"), amounts(raw, "requests")
    found: list[Decision] = []
    for name, limit in limits.items():
        if name not in common or limit.units < 0:
            place = at / "limits" / Key(name)
            found += [_name(name, rule, place), amount_of(name, limit, place), _pages(name, limit, place)]
    for name, request in requests.items():
        bound = limits.get(name)
        if name not in common or request.units < 0:
            place = at / "requests" / Key(name)
            found += [_name(name, rule, place), amount_of(name, request, place)]
            found += [_within(name, request, bound, at), _pages(name, request, place)]
        elif bound is not None and request.units > bound.units:
            found.append(_within(name, request, bound, at))
    if _has_huge_pages_alone(limits, requests):
        found.append(forbidden(at, "HugePages require cpu or memory"))
    if raw.get("claims"):
        found.append(_claims(objects(raw, "claims"), claims, at / "claims"))
    return merge(*found) if found else NOTHING


def amounts(raw: JsonObject, name: str) -> Amounts:
    """The quantities under `limits` or `requests`."""
    written = raw.get(name)
    if not written or not isinstance(written, dict):
        return {}
    found: Amounts = {}
    for resource in sorted(written):
        amount = written[resource]
        if amount is not None:
            found[resource] = parse(amount if type(amount) is str else str(amount))
    return found


@lru_cache(1 << 8)
def resource_name(name: str) -> tuple[str, ...]:
    """A resource's name: one that the server knows, or one with a domain."""
    faults = key_faults(name)
    if not faults and "/" not in name and name not in _STANDARD and not name.startswith(_HUGE_NAMES):
        faults = ("must be a standard resource type or fully qualified",)
    return tuple([f"Invalid value: {go_json(name)}: {fault}" for fault in faults])


@lru_cache(1 << 8)
def container_name(name: str) -> tuple[str, ...]:
    """The name of a resource that a container can have."""
    reasons, more = resource_name(name), ""
    if "/" not in name:
        if name not in _OF_CONTAINERS and not name.startswith(HUGE_PAGES):
            more = "must be a standard resource for containers"
    elif "kubernetes.io/" not in name and not is_extended(name):
        more = "doesn't follow extended resource name standard"
    return (*reasons, f"Invalid value: {go_json(name)}: {more}") if more else reasons


def is_extended(name: str) -> bool:
    """Whether the resource is neither Kubernetes' own nor a quota's."""
    native = "/" not in name or "kubernetes.io/" in name
    return not native and not name.startswith("requests.") and not key_faults(f"requests.{name}")


def _has_huge_pages_alone(limits: Amounts, requests: Amounts) -> bool:
    if not (_COMPUTED.isdisjoint(limits) and _COMPUTED.isdisjoint(requests)):
        return False
    return any(name.startswith(HUGE_PAGES) for amounts in (limits, requests) for name in amounts)


def _name(name: str, rule: NameRule, at: Place) -> Decision:
    return refused(at, name, rule(name))


def amount_of(name: str, amount: Quantity, at: Place) -> Decision:
    """An amount that is not negative, and whole where the resource is counted."""
    found = NOTHING
    if amount.units < 0:
        found += invalid(at, str(amount), "must be greater than or equal to 0")
    if (name in _COUNTED or is_extended(name)) and amount.milli_value % 1000:
        found += invalid_value(at, str(amount), "must be an integer")
    return found


def _within(name: str, request: Quantity, limit: Quantity | None, at: Place) -> Decision:
    exact = name.startswith(HUGE_PAGES) or ("/" in name and "kubernetes.io/" not in name)  # never more than there is
    if limit is None:
        missing = "Limit must be set for non overcommitable resources"
        return required(at / "limits", missing) if exact else NOTHING
    if request.units != limit.units and exact:
        return invalid(at / "requests", str(request), f"must be equal to {name} limit of {limit}")
    if request.units > limit.units:
        detail = f"must be less than or equal to {name} limit of {limit}"
        return invalid(at / "requests", str(request), detail)
    return NOTHING


def _pages(name: str, amount: Quantity, at: Place) -> Decision:
    if not name.startswith(HUGE_PAGES):
        return NOTHING
    try:
        size = parse(name.removeprefix(HUGE_PAGES))
    except QuantityError:
        size = Quantity(0)
    whole = size.value if size.units > 0 and size.milli_value % 1000 == 0 else 0
    if whole and amount.value % whole == 0:
        return NOTHING
    return invalid(at, str(amount), f"{amount} is not positive integer multiple of {name}")


def _claims(written: list[JsonObject], known: frozenset[str], at: Place) -> Decision:
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
            found.append(refused(place, name, (f"Not found: {quote(name)}: {detail}",)))
    return merge(*found)


def _claim(name: str, request: str, seen: set[str], at: Place) -> Decision:
    if name in seen:
        return duplicate(at, name)
    found = label(request, at / "request") if request else NOTHING
    key = f"{name}/{request}" if request else name
    if key in seen:
        found += duplicate(at, key)
    elif not request:
        found += merge(*(duplicate(at, name) for other in sorted(seen) if other.startswith(f"{name}/")))
    seen.add(key)
    return found
