"""Sets of fields, in the form of `fieldsV1`: a tree of steps.

Specification: structured-merge-diff v6, fieldpath Set. A node `{}` is a field of the set; a node with steps is one only
if it also has `.`: the set of `{"f:a": {".": {}, "f:b": {}}}` is a and a.b. The root is no field, so there `{}` is the
empty set. Sets are values: nothing here changes one, and what is unchanged is shared between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from podward.api.json_value import Json
from podward.schema.apply.path_element import canonical, printed, rank

FieldSet: TypeAlias = "dict[str, FieldSet]"
"""A set of fields, or one node of it."""

EMPTY: FieldSet = {}
_MOST = 100  # levels of a set; objects nest no deeper


def is_field(node: FieldSet) -> bool:
    """Whether a node below the root is itself a field of the set."""
    return not node or "." in node


def as_field(node: FieldSet | None) -> FieldSet:
    """The node, and itself a field of the set."""
    if not node or "." in node:
        return node or {}
    return {".": {}, **node}


def of_paths(*paths: tuple[str, ...]) -> FieldSet:
    """The set of these paths, each of names of fields."""
    found: FieldSet = {}
    for path in paths:
        node: FieldSet = {}
        for name in reversed(path):
            node = {f"f:{name}": node}
        found = union(found, node)
    return found


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of either set."""
    if not one or not other:
        return one or other
    merged = dict(one)
    for step, node in other.items():
        mine = merged.get(step)
        merged[step] = node if mine is None else _joined(mine, node)
    return merged


def joined(one: FieldSet | None, other: FieldSet | None) -> FieldSet | None:
    """Two nodes of the same place as one; there may be none."""
    if one is None or other is None:
        return one if other is None else other
    return _joined(one, other)


def _joined(one: FieldSet, other: FieldSet) -> FieldSet:
    if not one:
        return as_field(other)
    return as_field(one) if not other else union(one, other)


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of the first that are not in the second; a field below one that is taken away stays."""
    if not one or not other:
        return one
    left: FieldSet = {}
    for step, node in one.items():
        theirs = other.get(step)
        kept = node if theirs is None else _without(node, theirs)
        if kept is not None:
            left[step] = kept
    return left


def _without(one: FieldSet, other: FieldSet) -> FieldSet | None:
    taken = is_field(other)
    if not one:
        return None if taken else one
    steps = {step: node for step, node in one.items() if step != "."}
    below = difference(steps, other)
    if "." in one and not taken:
        return {".": {}, **below} if below else {}
    return below or None


def recursive_difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of the first that neither are in the second nor stand below one that is."""
    if not one or not other:
        return one
    left: FieldSet = {}
    for step, node in one.items():
        theirs = other.get(step)
        if theirs is None:
            left[step] = node
        elif not is_field(theirs):
            kept = recursive_difference(node, theirs) if node else node
            if kept or not node:
                left[step] = {} if kept.keys() == {"."} else kept
    return left


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """The fields of both sets."""
    both: FieldSet = {}
    for step, node in one.items():
        theirs = other.get(step)
        if theirs is None or step == ".":
            continue
        below = intersection(node, theirs)
        if is_field(node) and is_field(theirs):
            both[step] = as_field(below)
        elif below:
            both[step] = below
    return both


def paths(found: FieldSet, prefix: str = "") -> Iterator[str]:
    """Every field as messages print it: at each level first those of the set itself, then those below."""
    steps = sorted((step for step in found if step != "."), key=rank)
    yield from (prefix + printed(step) for step in steps if is_field(found[step]))
    for step in steps:
        if found[step]:
            yield from paths(found[step], prefix + printed(step))


def has(found: FieldSet, *steps: str) -> bool:
    """Whether the field at the end of these steps is in the set."""
    for step in steps:
        below = found.get(step)
        if below is None:
            return False
        found = below
    return bool(steps) and is_field(found)


def as_json(found: FieldSet) -> Json:
    """The set as `fieldsV1` has it, its steps in the server's order."""
    steps = sorted(found)
    if steps and steps[-1] >= "g":  # items of lists: numbers are not ordered as their texts are
        steps.sort(key=lambda step: (-1, []) if step == "." else rank(step))
    return {step: as_json(below) if (below := found[step]) else {} for step in steps}


def decoded(written: Json, depth: int = _MOST) -> FieldSet | None:
    """The set that a client or the store wrote; None where it is none.

    Steps of an unknown sort are left out, as a later release may have written them.
    """
    if not isinstance(written, dict) or not depth:
        return None
    found: FieldSet = {}
    for step, below in written.items():
        if step == ".":
            found["."] = {}
            continue
        if len(step) < 2 or step[1] != ":":
            return None
        if step[0] not in "fkvi":
            continue
        spelled, node = canonical(step), decoded(below, depth - 1)
        if spelled is None or node is None:
            return None
        mine = found.get(spelled)
        node = {} if node.keys() == {"."} else node
        found[spelled] = node if mine is None else _joined(mine, node)
    return found
