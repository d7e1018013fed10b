"""The colours of pictures and pages: one for each kind of source, for light and for dark.

No colour carries meaning alone: the kind of a source is also written out, a dropped value is also struck through, and a
refusal also has a sign. Every pair of text and background has a contrast of at least 4.5:1 (WCAG 2.1, 1.4.3).
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
"""Colours of everything that is no source, as (light, dark)."""

ORIGINS = {
    Origin.MANIFEST: ("#0a5fd1", "#6cb2ff"),
    Origin.IMAGE: ("#9b2393", "#e796dd"),
    Origin.NODE: ("#006d7e", "#5ccfe0"),
    Origin.POLICY: ("#b04a00", "#f5a662"),
    Origin.DEFAULT: ("#66707b", "#98a2ae"),
    Origin.RULE: ("#66707b", "#98a2ae"),
}
"""The colour of each kind of source; defaults and rules are grey, so that what somebody wrote stands out."""

QUIET = frozenset({Origin.DEFAULT, Origin.RULE})
"""Kinds of sources that nobody wrote for this Pod."""


def style() -> str:
    """Style rules of an SVG file, for light and for dark: `.f-NAME` fills with a colour, `.s-NAME` strokes with it.

    They have no custom properties (`var()`), because converters of images do not know these.
    """
    return f"{_rules(0)}@media(prefers-color-scheme:dark){{{_rules(1)}}}"


def _rules(scheme: int) -> str:
    colours = {name: pair[scheme] for name, pair in INK.items()}
    colours |= {origin.value: pair[scheme] for origin, pair in ORIGINS.items()}
    return "".join(f".f-{name}{{fill:{c}}}.s-{name}{{stroke:{c}}}" for name, c in colours.items())
