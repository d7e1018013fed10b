"""Where a node stands: what is above it, as far as writing there needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.documents.editing.nodes import Entry, List, Map, Uneditable
from podward.documents.editing.style import FlowStyle

if TYPE_CHECKING:
    from podward.documents.editing.page import Page


class Slot(Struct, frozen=True):
    """The place of a node.

    `name` is its field's, empty for an item. `head` is where the `:` or the dash before it ends, None at the root and
    after a key with `?`; `column` is where that key or dash stands, -1 at the root. `dash` is how far inside their key
    the lists around it stand. `flow` is the style of the braces or brackets around it, None outside.
    """

    name: str
    column: int
    head: int | None
    dash: int
    flow: FlowStyle | None = None

    def field(self, page: Page, node: Map, entry: Entry) -> Slot:
        """The place of a field's value in an object without braces."""
        try:
            head: int | None = page.colon(entry.key) + 1
        except Uneditable:
            head = None
        column = page.column(node.body)
        dash = self.dash
        if isinstance(entry.value, List) and not entry.value.flow and head is not None:
            dash = page.column(entry.value.body) - column
        return Slot(entry.name, column, head, dash)

    def item(self, page: Page, dash: int) -> Slot:
        """The place of an item of a list with dashes."""
        return Slot("", page.column(dash), dash + 1, self.dash)

    def within(self, flow: FlowStyle) -> Slot:
        """The place of a value in braces or brackets."""
        return Slot("", -1, None, self.dash, flow)


def needed(head: int | None) -> int:
    """The place after the `:` or the dash. Raises Uneditable if there is none that can be written after."""
    if head is None:
        raise Uneditable("a key is written with `?`")
    return head
