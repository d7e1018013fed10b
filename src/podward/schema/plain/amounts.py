"""What plain containers request of their node, and their limits.

Specification: `validation.resources`, taken a little too strictly rather than too loosely; and the kubelet's own
reading of quantities (`policy.kubelet.resources`), which gives up on numbers that the server still takes.
"""

from __future__ import annotations

from functools import lru_cache
from re import compile as pattern
from typing import TypeAlias

from podward.api.quantity import QuantityError, parse
from podward.path import path
from podward.schema.plain.part import Count, PlainObject

Amounts: TypeAlias = dict[str, str | Count]
_NOTHING: Amounts = {}
_EVERY_NODE = frozenset(("cpu", "memory", "ephemeral-storage"))
_SIMPLE = pattern(r"[0-9]{1,15}(\.[0-9]{1,6})?([eE][0-9])?([munkMGTP]|[KMGTP]i)?\Z")
_AT = path("resources")


class PlainResources(PlainObject, frozen=True):
    """ResourceRequirements."""

    limits: Amounts | None = None
    requests: Amounts | None = None


def are_resources(resources: PlainResources) -> bool:
    """Whether a container's `resources` are sound."""
    limits, requests = resources.limits or _NOTHING, resources.requests or _NOTHING
    for name, limit in limits.items():
        most, request = units(limit), requests.get(name)
        if most is None or name not in _EVERY_NODE:
            return _are_uncommon(resources)
        if request is not None and ((least := units(request)) is None or least > most):
            return False
    for name, request in requests.items():
        if name not in limits and (units(request) is None or name not in _EVERY_NODE):
            return _are_uncommon(resources)
    return True


def _are_uncommon(resources: PlainResources) -> bool:
    """The same for resources that only some nodes have, as validation says it."""
    from podward.schema.validation.resources import check

    limits, requests = resources.limits or {}, resources.requests or {}
    if None in [units(amount) for amount in (*limits.values(), *requests.values())]:
        return False
    return not check({"limits": {**limits}, "requests": {**limits, **requests}}, frozenset(), _AT).refused


@lru_cache(1 << 10)
def units(amount: str | int) -> int | None:
    """What the amount comes to, in billionths; None if it is none that is sound. The same few stand everywhere."""
    written = str(amount)
    if not _SIMPLE.match(written):
        return None
    try:
        return parse(written).units
    except QuantityError:
        return None
