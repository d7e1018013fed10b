"""The SVG elements that pictures are made of: texts, boxes and links, and the classes that style them."""

from __future__ import annotations

from typing import Protocol

from podward.render import colours
from podward.render.escaping import escape
from podward.render.explain.row_types import CitedValue

CELL = 7.25
"""Width of a 12-unit monospaced character: the widest of the usual fonts has 0.604 of its size."""

STYLE = (
    ".p{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    ".m{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:12px}"
    ".h1{font-size:20px;font-weight:650}.h2{font-size:15px;font-weight:650}.n{font-size:13px;font-weight:600}"
    ".t{font-size:12.5px}.c{font-size:10.5px}.k{font-size:11px;letter-spacing:.06em;font-weight:650}"
    ".w{stroke-width:3}.q{stroke-width:1.5}.l{fill:none;stroke-linecap:round}"
    ".d{stroke-dasharray:1 6}.g{stroke-dasharray:7 5}.x{text-decoration:line-through}.b{font-weight:600}"
    f"{colours.style()}"
)
"""The classes that the elements use."""


def text(x: float, y: float, classes: str, content: str, *, anchor: str = "") -> str:
    """A line of text; `content` is from outside and is escaped."""
    placed = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x:g}" y="{y:g}" class="{classes}"{placed}>{escape(content)}</text>'


def box(x: float, y: float, width: float, height: float, classes: str) -> str:
    """A rectangle with round corners."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="8" class="{classes}"/>'


def whole_or_titled(element: str, shown: str, full: str) -> str:
    """The element; if it shows less than `full`, with `full` as a tool tip."""
    return element if shown == full else titled(element, full)


def titled(element: str, title: str) -> str:
    """The element with a tool tip."""
    return f"<g><title>{escape(title)}</title>{element}</g>"


class Links(Protocol):
    """Makes links from values to their sources, and from sources back to values."""

    def wrap(self, part: CitedValue, element: str) -> str:
        """`element` as a link to the source of `part`, if there is one."""

    def key(self, part: CitedValue) -> str:
        """A class name for everything that this source decides; may be empty."""

    def landing(self, row: str, x: float, y: float, element: str) -> str:
        """`element`, the name of this row, as a target of links; x, y is its base line."""


class NoLinks:
    """For a picture that stands alone: it has no links."""

    def wrap(self, part: CitedValue, element: str) -> str:
        """The element as it is."""
        del part
        return element

    def key(self, part: CitedValue) -> str:
        """An empty class name."""
        del part
        return ""

    def landing(self, row: str, x: float, y: float, element: str) -> str:
        """The element as it is."""
        del row, x, y
        return element
