"""The colours of the pictures: one for each kind of source, light and dark, as a style sheet of plain classes.

No colour carries meaning alone: a source's kind is also written out, what is dropped is also struck through, and a
refusal also has its sign. Custom properties (`var()`) are not used: image converters don't know them. Every pair of
text and ground below has a contrast of at least 4.5:1 (WCAG 2.1, 1.4.3).
"""

from __future__ import annotations

from podward.decision import Origin

INK = {
    "text": ("#1b1f24", "#e6edf3"),
    "muted": ("#59636e", "#9da7b3"),
    "line": ("#d1d9e0", "#3d444d"),
    "ground": ("#ffffff", "#0d1117"),
    "panel": ("#f6f8fa", "#151b23"),
    "pill": ("#ffffff", "#1c232c"),
    "hint": ("#7a4d00", "#f2cc60"),
    "hint-ground": ("#fff6dc", "#2f2708"),
    "refused": ("#b3261e", "#ff8a80"),
    "refused-ground": ("#fdecea", "#3a1512"),
}
"""What is no source: (light, dark)."""

ORIGINS = {
    Origin.MANIFEST: ("#0a5fd1", "#6cb2ff"),
    Origin.IMAGE: ("#9b2393", "#e796dd"),
    Origin.NODE: ("#006d7e", "#5ccfe0"),
    Origin.POLICY: ("#b04a00", "#f5a662"),
    Origin.DEFAULT: ("#66707b", "#98a2ae"),
    Origin.RULE: ("#66707b", "#98a2ae"),
}
"""A source's colour; defaults and rules are quiet, so that what somebody wrote stands out."""

QUIET = frozenset({Origin.DEFAULT, Origin.RULE})
"""Sources that nobody wrote for this Pod."""


def style() -> str:
    """Rules for light, then those for dark: `.f-NAME` fills with a colour, `.s-NAME` strokes with it."""
    return f"{_rules(0)}@media(prefers-color-scheme:dark){{{_rules(1)}}}"


def _rules(scheme: int) -> str:
    colours = {name: pair[scheme] for name, pair in INK.items()}
    colours |= {origin.value: pair[scheme] for origin, pair in ORIGINS.items()}
    return "".join(f".f-{name}{{fill:{c}}}.s-{name}{{stroke:{c}}}" for name, c in colours.items())
