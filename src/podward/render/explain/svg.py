"""`podward explain -o svg`: the flow of Pods through the stages as one self-contained picture.

The file loads nothing and has no script, so it can be opened in a browser or a viewer, or put into a page.
"""

from __future__ import annotations

from collections.abc import Iterator

from podward.decision import Origin
from podward.render.escaping import clipped, wrapped
from podward.render.explain import picture, picture_layout, ranking_picture
from podward.render.explain.picture_parts import Panel
from podward.render.explain.row_types import PodRows
from podward.render.explain.svg_elements import STYLE, NoLinks, text, titled
from podward.render.explain.verdict import REFUSED

HEAD = 74.0
"""The height of a Pod's heading with its legend."""
GAP = 18.0
NARROWEST, WITH_RANKING = 600.0, 1100.0
"""The width of a Pod without panels, and the least width of a Pod with a ranking of SCCs."""
_VERDICT_CELL, _VERDICT_LINE, _MOST_VERDICT_LINES = 8.0, 20.0, 3
_LEGEND = (
    (Origin.MANIFEST, "written in a manifest"),
    (Origin.IMAGE, "from the image"),
    (Origin.NODE, "from this node"),
    (Origin.POLICY, "from a policy"),
    (Origin.DEFAULT, "a default or a rule"),
)


def render(pods: tuple[PodRows, ...]) -> str:
    """The text of an SVG file with the pictures of these Pods, one below the other."""
    drawn: list[str] = []
    y, widest = 16.0, NARROWEST
    for pod in pods:
        shown = panels(pod)
        width = width_of(pod, shown)
        title, height = heading(pod, width)
        drawn.append(f'<g transform="translate(16 {y:g})">{title}</g>')
        y += height
        if pod.admission is not None:
            judged, height = ranking_picture.panel(pod.admission, width, NoLinks())
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
    """The panels of a Pod: its containers, then the Pod as a whole; if that was refused, it comes first."""
    whole = picture_layout.pod_panel(pod)
    containers = tuple(picture_layout.container_panel(container) for container in pod.containers)
    if whole is None:
        return containers
    return (whole, *containers) if pod.refusals else (*containers, whole)


def width_of(pod: PodRows, shown: tuple[Panel, ...]) -> float:
    """The width of the Pod's panels."""
    least = WITH_RANKING if pod.admission is not None else 0.0 if shown else NARROWEST
    return max((least, *(panel.width for panel in shown)))


def opening(width: float, height: float) -> str:
    """The start tag of an `svg` element of this size."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" style="max-width:100%;height:auto" class="p">'
    )


def heading(pod: PodRows, width: float) -> tuple[str, float]:
    """The Pod's name, the verdict and the legend, and how high they are together."""
    title = f"{pod.kind} {pod.namespace}/{pod.name}"
    drawn = [titled(text(4, 22, "h1 f-text", clipped(title, 90)), title)]
    y = 22.0
    for verdict in pod.verdicts:
        ink = "f-refused" if REFUSED in verdict else "f-text"
        for line in wrapped(verdict, int(width / _VERDICT_CELL), _MOST_VERDICT_LINES):
            y += _VERDICT_LINE
            drawn.append(titled(text(4, y, f"n {ink}", line), verdict))
    drawn += _legend(y + 26)
    return "".join(drawn), y + HEAD - 22


def _legend(y: float) -> Iterator[str]:
    """What the lines' colours mean."""
    x = 10.0
    for origin, words in _LEGEND:
        yield f'<path d="M{x:g} {y:g}h26" class="l s-{origin.value} {"q" if origin is Origin.DEFAULT else "w"}"/>'
        yield text(x + 34, y + 4, "t f-muted", words)
        x += 52 + 6.6 * len(words)
    yield f'<path d="M{x:g} {y:g}h26" class="l s-muted q g"/>'
    yield text(x + 34, y + 4, "t f-muted", "nothing there")
