"""A Namespace's SCC annotations in a file: malformed ones are the file's mistake, and it says where.

Specification: as `podward.policy.scc.namespace`. The server refuses every Pod of such a namespace and does not name the
annotation. One that is absent is no mistake of the file: admission says so when a Pod comes. A range that ends below
its start is one that the server takes and that no Pod can satisfy: here it is a mistake too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.core import Namespace
from podward.api.json_value import shortened
from podward.errors import InputError
from podward.path import Key, path
from podward.policy.scc.namespace import MCS, SUPPLEMENTAL_GROUPS, UID_RANGE, Block, fault, parse_block
from podward.schema.view import typed_view

if TYPE_CHECKING:
    from podward.schema.objects import Item

_RANGE_ADVICE = "write start/size, such as 1000230000/10000, or start-end, such as 1000-2000"
_ADVICE = {
    UID_RANGE: _RANGE_ADVICE,
    MCS: "write a level, such as s0:c15,c10",
    SUPPLEMENTAL_GROUPS: f"{_RANGE_ADVICE}; several are separated by commas",
}


class NamespaceSource(Struct, frozen=True):
    """A Namespace and where it is written."""

    item: Item
    view: Namespace


def namespace_source(item: Item) -> NamespaceSource:
    """The Namespace that `item` is. Raises InputError, with its line, for an annotation that is malformed."""
    source = NamespaceSource(item, typed_view(item.raw, Namespace, "Namespace"))
    require_well_formed(item, source.view)
    return source


def require_well_formed(item: Item, namespace: Namespace) -> None:
    """Raise InputError, naming the annotation and its line, for the first one that is malformed."""
    annotations = namespace.metadata.annotations or {}
    for key, advice in _ADVICE.items():
        if key not in annotations:
            continue
        written = annotations[key] or ""
        wrong = fault(key, written) or _inverted(key, written)
        if wrong:
            place = path("metadata", "annotations", Key(key))
            what = f'Namespace "{item.name}": {place}: {shortened(written)}: {wrong}'
            raise InputError(what, where=item.where(place), advice=advice)


def _inverted(key: str, written: str) -> str:
    """What is wrong with a range that ends below its start; of uids only the first block counts."""
    if key == MCS:
        return ""
    for text in written.split(",") if key == SUPPLEMENTAL_GROUPS else (written,):
        block = parse_block(text)
        if isinstance(block, Block) and block.last < block.first:
            return f"the range is from {block.first} to {block.last}: no id is in it"
    return ""
