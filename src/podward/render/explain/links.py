"""What the parts of a picture are linked to: nothing in a picture on its own, their sources in a page."""

from __future__ import annotations

from typing import Protocol

from podward.render.explain.rows import ShownValue


class Links(Protocol):
    """What the picture's parts are linked to."""

    def wrap(self, part: ShownValue, element: str) -> str:
        """`element`, as a link to the source of `part` where there is one."""

    def key(self, part: ShownValue) -> str:
        """A class name for everything that this source decides; may be empty."""

    def landing(self, row: str, x: float, y: float, element: str) -> str:
        """`element`, the name of this row, as a place that others can link to; x, y is its base line."""


class NoLinks:
    """For a picture on its own."""

    def wrap(self, part: ShownValue, element: str) -> str:
        """The element as it is."""
        del part
        return element

    def key(self, part: ShownValue) -> str:
        """None."""
        del part
        return ""

    def landing(self, row: str, x: float, y: float, element: str) -> str:
        """The element as it is."""
        del row, x, y
        return element
