"""`podward explain -o svg`: the flow of Pods through the stages as one self-contained picture.

The file refers to nothing outside and has no script: it opens in a browser, in a viewer, or inside another page.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.decision import Origin
from podward.render.escaping import clipped
from podward.render.explain import contest, layout, picture
from podward.render.explain.links import NoLinks
from podward.render.explain.rows import PodRows
from podward.render.explain.scene import Panel
from podward.render.explain.shapes import STYLE, text, titled

HEAD = 74.0
"""Height of a Pod's heading with its legend."""
GAP = 18.0
NARROWEST, JUDGED = 600.0, 1100.0
"""Widths of a Pod without panels, and of one with its ranking at least."""
_LEGEND = (
    (Origin.MANIFEST, "written in a manifest"),
    (Origin.IMAGE, "from the image"),
    (Origin.NODE, "from this node"),
    (Origin.POLICY, "from a policy"),
    (Origin.DEFAULT, "a default or a rule"),
)


def render(pods: tuple[PodRows, ...]) -> str:
    """The picture of these Pods, one below the other, as the text of an SVG file."""
    drawn: list[str] = []
    y, widest = 16.0, NARROWEST
    for pod in pods:
        shown = panels(pod)
        width = width_of(pod, shown)
        drawn.append(f'<g transform="translate(16 {y:g})">{"".join(heading(pod))}</g>')
        y += HEAD
        if pod.admission is not None:
            judged, height = contest.panel(pod.admission, width, NoLinks())
            drawn.append(f'<g transform="translate(16 {y:g})">{judged}</g>')
            y += height + GAP
        for panel in shown:
            drawn.append(f'<g transform="translate(16 {y:g})">{picture.panel(panel, width, NoLinks())}</g>')
            y += panel.height + GAP
        widest = max(widest, width)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"{opening(widest + 32, y)}<style>{STYLE}</style>"
        f'<rect width="100%" height="100%" class="f-panel"/>{"".join(drawn)}</svg>\n'
    )


def panels(pod: PodRows) -> tuple[Panel, ...]:
    """The Pod's panels: its containers, then itself; but what was refused about the Pod stands first."""
    whole = layout.pod_panel(pod)
    containers = tuple(layout.container_panel(container) for container in pod.containers)
    if whole is None:
        return containers
    return (whole, *containers) if pod.refusals else (*containers, whole)


def width_of(pod: PodRows, shown: tuple[Panel, ...]) -> float:
    """How wide the Pod's panels are drawn."""
    least = JUDGED if pod.admission is not None else 0.0 if shown else NARROWEST
    return max((least, *(panel.width for panel in shown)))


def opening(width: float, height: float) -> str:
    """The start tag of an `svg` element of this size."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width:100%;height:auto" class="p">'
    )


def heading(pod: PodRows) -> Iterator[str]:
    """The Pod's name and the legend."""
    title = f"{pod.kind} {pod.namespace}/{pod.name}"
    yield titled(text(4, 22, "h1 f-text", clipped(title, 90)), title)
    x = 10.0
    for origin, words in _LEGEND:
        yield f'<path d="M{x:g} 48h26" class="l s-{origin.value} {"q" if origin is Origin.DEFAULT else "w"}"/>'
        yield text(x + 34, 52, "t f-muted", words)
        x += 52 + 6.6 * len(words)
    yield f'<path d="M{x:g} 48h26" class="l s-muted q g"/>'
    yield text(x + 34, 52, "t f-muted", "nothing there")
