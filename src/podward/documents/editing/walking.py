"""From a document as it is written to what it shall mean: which node changes, and which stays.

Only what differs is touched. An alias is written out where its anchor's meaning is no longer its own; a field that came
in by `<<` is overridden in the object itself; a `<<` that brings a field which is to be removed is written out. So
nothing else that an anchor feeds ever changes.

An object or a list that loses something gains its new things in a next round, on the text that the first one made.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from msgspec import json

from podward.documents.editing import blocks, flows, removing
from podward.documents.editing.meaning import GONE, Items, same, settled
from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar
from podward.documents.editing.slots import Slot
from podward.documents.editing.style import flow_style
from podward.documents.editing.yaml_nodes import merged_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.nodes import Entry
    from podward.documents.editing.page import Page
    from podward.documents.editing.style import Style


class Walker:
    """One round over one document; `_anchors` is what each anchor will hold, as far as the walk has come."""

    __slots__ = ("_anchors", "_page", "_style", "unfinished")

    def __init__(self, page: Page, style: Style) -> None:
        self._page = page
        self._style = style
        self._anchors: dict[str, Json] = {}
        self.unfinished = False
        """Whether something was left for a next round, or may have been."""

    def walk(self, node: Node, target: Json, slot: Slot) -> None:
        """Make the cuts of this round after which `node` means `target`. Raises Uneditable."""
        if isinstance(node, Alias):
            if node.name not in self._anchors or not same(self._anchors[node.name], target):
                self._replace(node, target, slot)
            return
        if isinstance(node, Map) and isinstance(target, dict):
            kept = self._map(node, target, slot)
        elif isinstance(node, List) and isinstance(target, list):
            kept = self._list(node, target, slot)
        elif isinstance(node, Scalar) and not isinstance(target, dict | list) and same(node.value, target):
            kept = True
            self._page.seen(node)
        else:
            kept = self._replace(node, target, slot)
        if node.anchor and kept:
            self._anchors[node.anchor] = settled(target)

    def _replace(self, node: Node, target: Json, slot: Slot) -> bool:
        """Write the target in the place of the node; whether the node's anchor stays."""
        if slot.flow is not None:
            return flows.replace(self._page, node, settled(target), slot)
        return blocks.replace(self._page, self._style, node, settled(target), slot)

    def _map(self, node: Map, target: JsonObject, slot: Slot) -> bool:
        if not node.entries:
            return self._replace(node, target, slot) if target else True
        if node.flow and self._page.text[node.body] != "{":  # `[a: b]`
            return True if same(node.value, target) else self._replace(node, target, slot)
        doomed, missing = self._plan(node, target, slot)
        if len(doomed) == len(node.entries):
            return self._replace(node, target, slot)
        self.unfinished = self.unfinished or bool(doomed and missing)
        if node.flow:
            if doomed:
                flows.remove(self._page, node, doomed)
            else:
                flows.add_fields(self._page, node, missing, self._within(node, slot))
        elif doomed:
            removing.remove(self._page, blocks.fields(self._page, node), doomed, slot)
        else:
            blocks.add_fields(self._page, self._style, node, missing, slot)
        return True

    def _plan(self, node: Map, target: JsonObject, slot: Slot) -> tuple[set[int], JsonObject]:
        """Which entries must go, and which fields must come; the values of those that stay are walked."""
        doomed: set[int] = set()
        own: dict[str, int] = {}
        means: JsonObject = {}
        walked: set[str] = set()
        unbound = False
        for index, entry in enumerate(node.entries):
            if entry.merge:
                unbound = not self._kept(entry.value) or not _is_mergeable(self._now(entry.value)) or unbound
                means.update(merged_value(self._now(entry.value)))
            elif entry.name not in target:
                doomed.add(index)
            else:
                own[entry.name] = index
                self._kept(entry.key)
                if any(entry.name in merged_value(later.value.value) for later in node.entries[index:] if later.merge):
                    means[entry.name] = self._now(entry.value)
                    if not self._kept(entry.value):
                        doomed.add(index)
                else:
                    walked.add(entry.name)
                    means[entry.name] = target[entry.name]
                    self.walk(entry.value, target[entry.name], self._inside(node, entry, slot))
        covered = any(not same(means[name], target[name]) for name in walked)
        if unbound or covered or means.keys() - target.keys():
            doomed.update(index for index, entry in enumerate(node.entries) if entry.merge)
            return doomed, {name: settled(value) for name, value in target.items() if name not in own}
        missing = {
            name: settled(value) for name, value in target.items() if name not in means or not same(means[name], value)
        }
        doomed.update(own[name] for name in own.keys() & missing.keys())  # a `<<` covers it: it goes below that
        return doomed, missing

    def _kept(self, node: Node) -> bool:
        """Take note of the anchors in a node that stays as it is; whether all its aliases still have theirs."""
        if isinstance(node, Alias):
            return node.name in self._anchors
        inner: Sequence[Node] = ()
        if isinstance(node, Map):
            inner = [part for entry in node.entries for part in (entry.key, entry.value)]
        elif isinstance(node, List):
            inner = node.items
        bound = [self._kept(part) for part in inner]
        if node.anchor:
            self._anchors[node.anchor] = self._now(node)
        return all(bound)

    def _list(self, node: List, target: list[Json], slot: Slot) -> bool:
        if not node.items:
            return self._replace(node, target, slot) if target else True
        staying, additions = _aligned(node.value, target)
        if not staying:
            return self._replace(node, target, slot)
        dashes = [] if node.flow else self._page.dashes(node)
        for index, value in staying.items():
            item = node.items[index]
            inside = self._within(node, slot) if node.flow else slot.item(self._page, dashes[index])
            self.walk(item, value, inside)
        doomed = {index for index in range(len(node.items)) if index not in staying}
        self.unfinished = self.unfinished or bool(doomed and additions)
        if node.flow:
            if doomed:
                flows.remove(self._page, node, doomed)
            else:
                flows.add_items(self._page, node, additions, self._within(node, slot))
        elif doomed:
            removing.remove(self._page, blocks.items(self._page, node, dashes), doomed, slot)
        else:
            blocks.add_items(self._page, self._style, node, additions, slot)
        return True

    def _inside(self, node: Map, entry: Entry, slot: Slot) -> Slot:
        return self._within(node, slot) if node.flow else slot.field(self._page, node, entry)

    def _within(self, node: Map | List, slot: Slot) -> Slot:
        return slot.within(flow_style(node, self._page, slot.flow or self._style.flow))

    def _now(self, node: Node) -> Json:
        """What a node that is not walked will mean."""
        if isinstance(node, Alias):
            return self._anchors.get(node.name)
        if isinstance(node, List):
            return [self._now(item) for item in node.items]
        if isinstance(node, Map):
            fields: JsonObject = {}
            for entry in node.entries:
                value = self._now(entry.value)
                fields.update(merged_value(value) if entry.merge else {entry.name: value})
            return fields
        return node.value


def _aligned(old: Sequence[Json], target: list[Json]) -> tuple[dict[int, Json], dict[int, list[Json]]]:
    """For each item that stays its new value, and what is added before each index.

    A list that was edited item by item knows where each stood. One that was replaced keeps the items that it has in
    common with the old one; an object in the place of an object is changed, a scalar in the place of a scalar is not,
    for what a comment says about the one is not true of the other.
    """
    if isinstance(target, Items):
        staying = {index: item for index, item in enumerate(target[: len(old)]) if item is not GONE}
        added = [settled(item) for item in target[len(old) :] if item is not GONE]
        return staying, {len(old): added} if added else {}
    staying, additions = {}, {}
    ours, theirs = ([json.encode(item, order="sorted") for item in items] for items in (old, target))
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        pairs = 0
        if kind == "equal":
            pairs = i2 - i1
        elif kind == "replace":
            while i1 + pairs < i2 and j1 + pairs < j2 and _both_hold(old[i1 + pairs], target[j1 + pairs]):
                pairs += 1
        staying.update({i1 + offset: target[j1 + offset] for offset in range(pairs)})
        if j1 + pairs < j2:
            additions[i2] = target[j1 + pairs : j2]
    return staying, additions


def _is_mergeable(value: Json) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and all(isinstance(item, dict) for item in value))


def _both_hold(one: Json, other: Json) -> bool:
    return (isinstance(one, dict) and isinstance(other, dict)) or (isinstance(one, list) and isinstance(other, list))
