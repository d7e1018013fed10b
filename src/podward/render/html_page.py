"""The frame of all HTML pages: self-contained, with no script, and with a Content-Security-Policy that forbids any."""

from __future__ import annotations

from podward.render.colours import INK, ORIGINS
from podward.render.escaping import escape

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Forbids scripts, and anything that is loaded: even a mistake in our escaping would run nothing."""


def page(title: str, style: str, body: str) -> str:
    """A whole page; `title` is plain text, `style` a style sheet, `body` the HTML in the body."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title>"
        f"<style>{style}</style></head><body>{body}</body></html>\n"
    )


def colour_properties() -> str:
    """Style rules with all colours as custom properties (`--NAME`), for light and for dark."""
    pairs = INK | {origin.value: pair for origin, pair in ORIGINS.items()}
    light, dark = ("".join(f"--{name}:{pair[scheme]};" for name, pair in pairs.items()) for scheme in (0, 1))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
