"""`podward explain -o html`: one self-contained page with the picture; values are links to the lines that decided them.

The page has no script. A link leads to a line of the manifest below the picture (`#d0-12`); style rules for `:target`
mark this line and everything in the picture that it decided. Without CSS `:has()` only the marks in the picture are
missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podward.render import html_page
from podward.render.colours import ORIGINS
from podward.render.escaping import escape
from podward.render.explain import picture, ranking_picture, svg
from podward.render.explain.cited_sources import CitedSources
from podward.render.explain.picture_parts import Panel
from podward.render.explain.row_types import CitedValue, PodRows
from podward.render.explain.svg_elements import STYLE, box

_STYLE = """
*{box-sizing:border-box}
html,body{height:100%;margin:0}
body{display:grid;grid-template-rows:minmax(0,1fr) minmax(9rem,34vh);background:var(--panel);color:var(--text);
font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
main,aside{overflow:auto;padding:16px 20px}
main svg{display:block;min-width:860px;margin-bottom:16px}
aside{background:var(--ground);border-top:2px solid var(--line)}
h1{font-size:1.05rem;margin:0 0 .5rem}h2{font-size:.95rem;margin:1rem 0 .4rem}aside section:first-child h2{margin-top:0}
nav{display:flex;flex-wrap:wrap;gap:.3rem .9rem;margin:0 0 .8rem}
a{color:var(--manifest)}
ol,ul{list-style:none;margin:0;padding:0}ol li{display:flex;gap:.9rem;white-space:pre;line-height:1.55}
ol b{min-width:3.2em;text-align:right;color:var(--muted);font-weight:400;user-select:none}
.cited{background:var(--panel)}.cited b{color:var(--text);font-weight:700}
li.gap{color:var(--muted);padding-left:3em}
.back{font:12px system-ui,sans-serif;color:var(--muted);white-space:normal;align-self:center}
.back a{margin-right:.35em}
.card{padding:.25rem .5rem;border-radius:6px}.card code{margin:0 .6rem 0 .2rem}
ol li,.card{scroll-margin-block:4.5rem}g[id]{scroll-margin-block:7rem}code{font-size:12.5px}
aside h2{position:sticky;top:-16px;background:var(--ground);padding:.3rem 0}
li:target{background:var(--hint-ground);box-shadow:inset 4px 0 var(--hint)}
svg a{cursor:pointer}svg a:hover rect{stroke-width:2.5px}svg a:hover text{text-decoration:underline}
:focus-visible{outline:3px solid var(--hint);outline-offset:2px}
svg a:focus-visible rect{stroke:var(--hint);stroke-width:4px}
.land{fill:none}g:target>.land{fill:var(--hint-ground);stroke:var(--hint);stroke-width:2px}
@media(min-width:2000px){body{grid-template:minmax(0,1fr)/minmax(0,1fr) 640px}
aside{border-top:0;border-left:2px solid var(--line)}}
@media print{html,body{height:auto}body{display:block}main,aside{overflow:visible}main svg{min-width:0}}
"""


class PageLinks:
    """Links from the values of one panel to their sources, and targets for the links back."""

    def __init__(self, sources: CitedSources, panel: str, name: str) -> None:
        self._sources = sources
        self._panel = panel
        self._name = name
        self._rows: dict[str, str] = {}

    def wrap(self, part: CitedValue, element: str) -> str:
        """The element as a link to the line or card of the part's source."""
        target, key = self._sources.target(part), self._sources.key(part)
        return f'<a href="#{target}" class="{key}">{element}</a>'

    def key(self, part: CitedValue) -> str:
        """The class name of everything that this source decides."""
        return self._sources.key(part)

    def landing(self, row: str, x: float, y: float, element: str) -> str:
        """The name of a row as a target of links; its background is coloured when a link leads to it."""
        ground = box(x - 6, y - 15, 138, 21, "land")
        return f'<g id="{self.row(row)}">{ground}{element}</g>'

    def row(self, name: str) -> str:
        """The id of a row of this panel."""
        return self._rows.setdefault(name, f"{self._panel}r{len(self._rows)}")

    def remember(self, panel: Panel) -> None:
        """Tell the sources which rows of this panel they decided."""
        for band in panel.bands:
            for lane in band.lanes:
                for step in lane.row.steps:
                    for part in step.parts:
                        label = f"{self._name} {lane.row.name}" if self._name else lane.row.name
                        self._sources.decided(part, self.row(lane.row.name), label)


def render(pods: tuple[PodRows, ...], texts: Mapping[str, str]) -> str:
    """The page.

    `texts` are the contents of cited files by the names that sources have: a manifest's file name, or
    `IMAGE /etc/group` for a file of an image. A source without a text is shown only by its name.
    """
    sources = CitedSources(texts)
    flow = "".join(_flow(pods, sources))
    cited = sources.html()
    names = ", ".join(f"{pod.namespace}/{pod.name}" for pod in pods[:3]) + (" …" if len(pods) > 3 else "")
    return html_page.page(
        f"podward explain: {names}",
        f"{html_page.colour_properties()}{_origin_classes()}{_STYLE}{STYLE}{sources.highlights()}",
        f'<main tabindex="0" aria-label="The flow of values through the stages">{flow}</main>'
        f'<aside tabindex="0" aria-label="The sources of the values">{cited}</aside>',
    )


def _flow(pods: tuple[PodRows, ...], sources: CitedSources) -> Iterator[str]:
    shown = [(pod, svg.panels(pod)) for pod in pods]
    if sum(len(panels) for _, panels in shown) > 2:
        yield "".join(_contents(shown))
    many = sum(len(panels) for _, panels in shown) > 1
    for index, (pod, panels) in enumerate(shown):
        width = svg.width_of(pod, panels)
        title, head = svg.heading(pod, width)
        yield f"{svg.opening(width, head)}{title}</svg>"
        if pod.admission is not None:
            judged, height = ranking_picture.panel(pod.admission, width, PageLinks(sources, f"p{index}a", "admission"))
            yield f'<section id="p{index}a" aria-label="{escape(f"{pod.name}: admission")}">'
            yield f"{svg.opening(width, height)}{judged}</svg></section>"
        for number, panel in enumerate(panels):
            place = f"p{index}c{number}"
            links = PageLinks(sources, place, panel.short if many else "")
            links.remember(panel)
            drawn = f"{svg.opening(width, panel.height)}{picture.panel(panel, width, links)}</svg>"
            yield f'<section id="{place}" aria-label="{escape(f"{pod.name}: {panel.name}")}">{drawn}</section>'


def _contents(shown: list[tuple[PodRows, tuple[Panel, ...]]]) -> Iterator[str]:
    yield '<nav aria-label="Containers">'
    for index, (pod, panels) in enumerate(shown):
        for number, panel in enumerate(panels):
            name = panel.name if len(shown) == 1 else f"{pod.name} / {panel.name}"
            yield f'<a href="#p{index}c{number}">{escape(name)}</a>'
    yield "</nav>"


def _origin_classes() -> str:
    """Style rules with a class for each kind of source, in its colour."""
    return "".join(f".o-{origin.value}{{color:var(--{origin.value});font-weight:650}}" for origin in ORIGINS)
