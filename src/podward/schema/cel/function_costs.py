"""What a call costs beside its arguments, and how large its result may be.

Specification: k8s.io/apiserver pkg/cel/library/cost.go, before cel-go checker/cost.go and ext/sets.go: to walk a text
costs a tenth of its length, to look for a pattern the product of both lengths.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from podward.schema.cel.amounts import MOST, ONE, UNKNOWN, Amount, fixed
from podward.schema.cel.syntax import Node
from podward.schema.cel.types import Type

_WALK, _PATTERN = 0.1, 0.25
_ADDRESS = Amount(4, 16)


class Argument(Struct, frozen=True):
    """An argument or target: its node and type, its size, and the way to it from a variable on."""

    node: Node
    type: Type
    known: Amount | None
    way: tuple[str, ...]
    size_of: Callable[[tuple[str, ...]], Amount | None]

    @property
    def size(self) -> Amount:
        """Its size, which may be anything."""
        found = self.known
        if found is None and self.way:
            found = self.size_of(self.way)
        return UNKNOWN if found is None else found

    def item(self) -> tuple[Type, Amount] | None:
        """The type of its items, and their size; None of a text."""
        if not self.type.params:
            return None
        found = self.size_of((*self.way, "@items")) if self.way else None
        return self.type.params[0], UNKNOWN if found is None else found


Found: TypeAlias = "tuple[Amount, Amount | None]"
_Cost: TypeAlias = Callable[[Argument | None, "list[Argument]"], "Found | None"]


def cost_of_call(name: str, overload: str, target: Argument | None, args: list[Argument]) -> Found:
    """The cost of one overload, and the size of its result where that is told."""
    found = _OF_KUBERNETES[name](target, args) if name in _OF_KUBERNETES else None
    if found is None and overload in _OF_CEL:
        found = _OF_CEL[overload](target, args)
    if overload == "cidr_ip":
        return ONE, None
    if found is not None and overload in {"cidr_contains_ip_string", "cidr_contains_cidr_string"}:
        return found[0] + args[0].size.times(_WALK), None
    return (ONE, None) if found is None else found


def _nominal(_target: Argument | None, _args: list[Argument]) -> Found:
    return ONE, None


def _walked(factor: float, *, keeps_size: bool = False) -> _Cost:
    def cost(target: Argument | None, args: list[Argument]) -> Found | None:
        of = target or (args[0] if args else None)
        return None if of is None else (of.size.times(factor), of.size if keeps_size else None)

    return cost


def _over_items(target: Argument | None, _args: list[Argument]) -> Found | None:
    if target is None:
        return None
    item = target.item()
    if item is None:
        return target.size.times(_WALK), None
    each = ONE + item[1].times(_WALK) if item[0].kind in {"string", "bytes"} else ONE
    return target.size * each, None


def _replaced(target: Argument | None, args: list[Argument]) -> Found | None:
    if target is None or len(args) < 2:
        return None
    size, old, new = target.size, args[0].size, args[1].size
    most = least = kept_most = kept_least = 0
    if old.least == 0:
        most, kept_most = min(size.most + 1, MOST), size.most
    elif new.most <= old.least:
        kept_most = size.most
    else:
        most = math.ceil(size.most / old.least)
    if old.most == 0:
        least, kept_least = min(size.least + 1, MOST), size.least
    elif old.most <= new.least:
        kept_least = size.least
    else:
        least = math.ceil(size.least / old.most)
    return size.times(2 * _WALK), Amount(least, most) * new + Amount(kept_least, kept_most)


def _split(target: Argument | None, args: list[Argument]) -> Found | None:
    if target is None:
        return None
    limit = args[1].node.value if len(args) > 1 and args[1].node.kind == "literal" else None
    most = limit & MOST if type(limit) is int else target.size.most
    return target.size.times(2 * _WALK), Amount(0, most)


def _joined(target: Argument | None, args: list[Argument]) -> Found | None:
    if target is None:
        return None
    count, item = target.size, target.item()
    size = count * item[1] if item is not None else Amount()
    if args:
        size += args[0].size * Amount(max(count.least - 1, 0), max(count.most - 1, 0))
    return size.times(_WALK), size


def _contains_ip(_target: Argument | None, _args: list[Argument]) -> Found:
    return (_ADDRESS + _ADDRESS).times(_WALK), None


def _contains_cidr(_target: Argument | None, _args: list[Argument]) -> Found:
    return (_ADDRESS + _ADDRESS).times(_WALK) + _ADDRESS.times(_WALK) + ONE, None


def _equal_opaque(_target: Argument | None, args: list[Argument]) -> Found | None:
    one, other = args
    if one.type != other.type or one.type.kind != "opaque" or one.type.name == "optional_type":
        return None
    if one.type.name == "kubernetes.URL":
        most = other.known.most if other.known is not None else 1
        return Amount(1, most).times(_WALK), None
    return ONE, None


_ACCESSORS = (
    "masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast sign"
    " asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme"
    " getHostname getHost getPort getEscapedPath getQuery"
)
_OF_KUBERNETES: dict[str, _Cost] = {
    **dict.fromkeys(_ACCESSORS.split(), _nominal),
    **dict.fromkeys(("isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"), _over_items),
    **dict.fromkeys(("url", "lowerAscii", "upperAscii", "substring", "trim"), _walked(_WALK, keeps_size=True)),
    **dict.fromkeys(("cidr", "isIP", "isCIDR", "ip", "quantity", "isQuantity", "semver", "isSemver"), _walked(_WALK)),
    "replace": _replaced,
    "split": _split,
    "join": _joined,
    "ip.isCanonical": _walked(2 * _WALK),
    "containsIP": _contains_ip,
    "containsCIDR": _contains_cidr,
    "_==_": _equal_opaque,
}


def _converted(least: Callable[[int], int], most: Callable[[int], int]) -> _Cost:
    def cost(_target: Argument | None, args: list[Argument]) -> Found:
        size = args[0].size
        return size.times(_WALK), Amount(least(size.least), min(most(size.most), MOST))

    return cost


def _affix(_target: Argument | None, args: list[Argument]) -> Found:
    return args[0].size.times(_WALK), None


def _in_list(_target: Argument | None, args: list[Argument]) -> Found:
    return args[1].size.times(1), None


def _matches(target: Argument | None, args: list[Argument]) -> Found | None:
    if target is None:
        return None
    return (target.size + ONE).times(_WALK) * args[0].size.times(_PATTERN), None


def _contains(target: Argument | None, args: list[Argument]) -> Found | None:
    return None if target is None else (target.size.times(_WALK) * args[0].size.times(_WALK), None)


def _added(_target: Argument | None, args: list[Argument]) -> Found:
    size = args[0].size + args[1].size
    return size.times(_WALK), size


def _added_lists(_target: Argument | None, args: list[Argument]) -> Found:
    return ONE, args[0].size + args[1].size


def _compared(_target: Argument | None, args: list[Argument]) -> Found:
    most = min(args[0].size.most, args[1].size.most)
    return Amount(1 if most > 0 else 0, most).times(_WALK), None


def _sets(factor: float) -> _Cost:
    def cost(_target: Argument | None, args: list[Argument]) -> Found:
        return (args[0].size * args[1].size).times(factor) + fixed(1), None

    return cost


_OF_CEL: dict[str, _Cost] = {
    "string_to_bytes": _converted(lambda least: least, lambda most: most * 4),
    "bytes_to_string": _converted(lambda least: least // 4, lambda most: most),
    "starts_with_string": _affix,
    "ends_with_string": _affix,
    "in_list": _in_list,
    "matches_string": _matches,
    "contains_string": _contains,
    "add_string": _added,
    "add_bytes": _added,
    "add_list": _added_lists,
    **{
        f"{word}_{kind}": _compared
        for word in ("less", "less_equals", "greater", "greater_equals")
        for kind in ("string", "bytes")
    },
    "equals": _compared,
    "not_equals": _compared,
    "list_sets_contains_list": _sets(1),
    "list_sets_intersects_list": _sets(1),
    "list_sets_equivalent_list": _sets(2),
}
