"""Colours of text on a terminal, and the width of the narrowest table."""

from __future__ import annotations

from msgspec import Struct

from podward.decision import Origin

MIN_COLUMNS = 60
"""The width of the narrowest table. A narrower terminal breaks its lines."""


class Palette(Struct, frozen=True, gc=False):
    """Escape sequences (ECMA-48 SGR) for the kinds of text; all of them are empty without colours."""

    title: str = ""
    dim: str = ""
    bad: str = ""
    hint: str = ""
    manifest: str = ""
    image: str = ""
    node: str = ""
    policy: str = ""
    end: str = ""

    def origin(self, origin: Origin) -> str:
        """The colour of a value with this kind of source; defaults and rules are dim."""
        loud = {
            Origin.MANIFEST: self.manifest,
            Origin.IMAGE: self.image,
            Origin.NODE: self.node,
            Origin.POLICY: self.policy,
        }
        return loud.get(origin, self.dim)

    def paint(self, colour: str, text: str) -> str:
        """`text` in this colour."""
        return f"{colour}{text}{self.end}" if colour else text


PLAIN = Palette()
COLOURED = Palette(
    title="\x1b[1m",
    dim="\x1b[2m",
    bad="\x1b[1;31m",
    hint="\x1b[33m",
    manifest="\x1b[36m",
    image="\x1b[35m",
    node="\x1b[34m",
    policy="\x1b[32m",
    end="\x1b[0m",
)
