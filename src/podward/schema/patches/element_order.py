"""The order of a list that a strategic merge patch has merged.

Specification: apimachinery, util/strategicpatch: items of the patch stand in its order, those that only the server has
in the server's; a server's item stands before the first patched one that the server had behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from podward.api.govalue import plain, type_name
from podward.api.json_value import Json

Identity: TypeAlias = "tuple[str, str]"
"""What tells an item of a list apart from others: the type and text of its merge key's value, or of itself."""


def identity(value: Json) -> Identity:
    """The identity of this value."""
    return type_name(value), plain(value)


def ordered(merged: Iterable[tuple[Identity, Json]], patch: list[Identity], server: list[Identity]) -> list[Json]:
    """The merged items in order: first by the patch's, then by the server's."""
    wanted, had = _places(patch), _places(server)
    patched = [pair for pair in merged if pair[0] in wanted]
    others = [pair for pair in merged if pair[0] not in wanted]
    patched.sort(key=lambda pair: wanted[pair[0]])
    others.sort(key=lambda pair: had.get(pair[0], len(had)))
    found: list[Json] = []
    at = 0
    for each, item in patched:
        while at < len(others) and each in had and others[at][0] in had and had[others[at][0]] < had[each]:
            found.append(others[at][1])
            at += 1
        found.append(item)
    return found + [item for _, item in others[at:]]


def _places(items: list[Identity]) -> dict[Identity, int]:
    return {each: at for at, each in reversed(list(enumerate(items)))}
