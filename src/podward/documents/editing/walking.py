"""Walking a document's tree to give the document a new value: which nodes are changed, and which stay as they are.

Only what differs is changed. Whatever else uses an anchor keeps its value:
- An alias is replaced by its value if its anchor will have another value.
- A field that comes from a `<<` is overridden in the object itself.
- A `<<` that brings a field which is to be removed is replaced by its fields.

An object or a list that loses something gets its new parts in a next round, in the text that the first round made.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from msgspec import json

from podward.documents.editing import block_removal, blocks, flows
from podward.documents.editing.edited_value import REMOVED, EditedList, same, without_removed
from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar
from podward.documents.editing.positions import Position, fields, items
from podward.documents.editing.style import flow_style
from podward.documents.editing.yaml_nodes import merged_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from podward.api.json_value import Json, JsonObject
    from podward.documents.editing.source_text import SourceText
    from podward.documents.editing.style import Style


class Walker:
    """One round over one document; `_anchors` has the new value of each anchor, as far as the walk has come."""

    __slots__ = ("_anchors", "_source", "_style", "unfinished")

    def __init__(self, source: SourceText, style: Style) -> None:
        self._source = source
        self._style = style
        self._anchors: dict[str, Json] = {}
        self.unfinished = False
        """Whether a next round may be needed."""

    def walk(self, node: Node, target: Json, position: Position) -> None:
        """Make the replacements of this round that give `node` the value `target`. Raises UneditableError."""
        if isinstance(node, Alias):
            if node.name not in self._anchors or not same(self._anchors[node.name], target):
                self._replace(node, target, position)
            return
        if isinstance(node, Map) and isinstance(target, dict):
            kept = self._map(node, target, position)
        elif isinstance(node, List) and isinstance(target, list):
            kept = self._list(node, target, position)
        elif isinstance(node, Scalar) and not isinstance(target, dict | list) and same(node.value, target):
            kept = True
            self._source.seen(node)
        else:
            kept = self._replace(node, target, position)
        if node.anchor and kept:
            self._anchors[node.anchor] = without_removed(target)

    def _replace(self, node: Node, target: Json, position: Position) -> bool:
        """Write `target` in place of the node. Returns whether the node's anchor is still there."""
        if position.flow is not None:
            return flows.replace(self._source, node, without_removed(target), position)
        return blocks.replace(self._source, self._style, node, without_removed(target), position)

    def _map(self, node: Map, target: JsonObject, position: Position) -> bool:
        if not node.entries:
            return self._replace(node, target, position) if target else True
        if node.flow and self._source.text[node.body] != "{":  # `[a: b]`
            return True if same(node.value, target) else self._replace(node, target, position)
        doomed, missing = self._plan(node, target, position)
        if len(doomed) == len(node.entries):
            return self._replace(node, target, position)
        self.unfinished = self.unfinished or bool(doomed and missing)
        if node.flow:
            if doomed:
                flows.remove(self._source, node, doomed)
            else:
                flows.add_fields(self._source, node, missing, self._within(node, position))
        elif doomed:
            block_removal.remove(self._source, fields(self._source, node), doomed, position)
        else:
            blocks.add_fields(self._source, self._style, node, missing, position)
        return True

    def _plan(self, node: Map, target: JsonObject, position: Position) -> tuple[set[int], JsonObject]:
        """Which entries to remove and which fields to add; the values of the entries that stay are walked."""
        doomed: set[int] = set()
        own: dict[str, int] = {}
        means: JsonObject = {}
        walked: set[str] = set()
        unbound = False
        merges = [index for index, entry in enumerate(node.entries) if entry.merge]
        within = self._within(node, position) if node.flow else None
        for index, entry in enumerate(node.entries):
            if entry.merge:
                unbound = not self._kept(entry.value) or not _is_mergeable(self._now(entry.value)) or unbound
                means.update(merged_value(self._now(entry.value)))
            elif entry.name not in target:
                doomed.add(index)
            else:
                own[entry.name] = index
                self._kept(entry.key)
                later = (node.entries[merge].value.value for merge in merges if merge > index)
                if any(entry.name in merged_value(value) for value in later):
                    means[entry.name] = self._now(entry.value)
                    if not self._kept(entry.value):
                        doomed.add(index)
                else:
                    walked.add(entry.name)
                    means[entry.name] = target[entry.name]
                    inside = within or position.field(self._source, node, entry)
                    self.walk(entry.value, target[entry.name], inside)
        covered = any(not same(means[name], target[name]) for name in walked)
        if unbound or covered or means.keys() - target.keys():
            doomed.update(merges)
            return doomed, {name: without_removed(value) for name, value in target.items() if name not in own}
        missing = {
            name: without_removed(value)
            for name, value in target.items()
            if name not in means or not same(means[name], value)
        }
        doomed.update(own[name] for name in own.keys() & missing.keys())  # a `<<` below it overrides it: it moves down
        return doomed, missing

    def _kept(self, node: Node) -> bool:
        """Remember the anchors in a node that stays as it is. Returns whether all its aliases still have an anchor."""
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

    def _list(self, node: List, target: list[Json], position: Position) -> bool:
        if not node.items:
            return self._replace(node, target, position) if target else True
        staying, additions = _aligned(node.value, target)
        if not staying:
            return self._replace(node, target, position)
        dashes = [] if node.flow else self._source.dashes(node)
        within = self._within(node, position) if node.flow else None
        for index, value in staying.items():
            inside = within or position.item(self._source, dashes[index])
            self.walk(node.items[index], value, inside)
        doomed = {index for index in range(len(node.items)) if index not in staying}
        self.unfinished = self.unfinished or bool(doomed and additions)
        if node.flow:
            if doomed:
                flows.remove(self._source, node, doomed)
            else:
                flows.add_items(self._source, node, additions, self._within(node, position))
        elif doomed:
            block_removal.remove(self._source, items(self._source, node, dashes), doomed, position)
        else:
            blocks.add_items(self._source, self._style, node, additions, position)
        return True

    def _within(self, node: Map | List, position: Position) -> Position:
        return position.within(flow_style(node, self._source, position.flow or self._style.flow))

    def _now(self, node: Node) -> Json:
        """The value that a node which is not walked will have."""
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
    """The new value of each item that stays, by its index, and the items to add before each index.

    An `EditedList` knows where each item stood. Any other list keeps the items that it has in common with the old one.
    An object that takes the place of an object is edited in place. A scalar is not: a comment about the old scalar
    would not be true of the new one.
    """
    if isinstance(target, EditedList):
        staying = {index: item for index, item in enumerate(target[: len(old)]) if item is not REMOVED}
        added = [without_removed(item) for item in target[len(old) :] if item is not REMOVED]
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
