"""Drawing the ranking of SCCs: in the order in which they are tried, each with its outcome."""

from __future__ import annotations

from collections.abc import Iterator

from podward.decision import Origin, Source
from podward.render.escaping import clipped, clipped_front, wrapped
from podward.render.explain.picture_parts import BOX_HEIGHT, LEFT_MARGIN, TEXT_CELL
from podward.render.explain.row_types import CitedValue, RankedScc, Refusal, SccRanking
from podward.render.explain.svg_elements import CELL, Links, box, text, titled, whole_or_titled

_HEAD = 92.0
_LINE = 17.0
_ROW = 30.0
_NUMBER, _NAME, _PRIORITY, _POINTS, _OUTCOME, _REASON = 44.0, 56.0, 316.0, 410.0, 436.0, 560.0
_MOST_CELLS, _MOST_LINES, _MOST_REFUSALS = 30, 3, 6
_WHERE_CELLS = 30
_TITLES = ((_NAME, "SCC", ""), (_PRIORITY, "priority", "end"), (_POINTS, "points", "end"), (_OUTCOME, "outcome", ""))
_INK = {"chosen": "policy", "refused": "refused", "would change the Pod": "refused"}


def panel(ranking: SccRanking, width: float, links: Links) -> tuple[str, float]:
    """The panel as SVG, with its upper left corner at 0, 0, and its height."""
    drawn: list[str] = []
    y = _HEAD
    for place, each in enumerate(ranking.sccs, 1):
        elements, y = _row(place, each, y, width, links)
        drawn += elements
    for verdict in ranking.verdicts:
        for index, line in enumerate(wrapped(f"Pod Security {verdict}", _cells(width - 2 * LEFT_MARGIN), _MOST_LINES)):
            drawn.append(text(LEFT_MARGIN, y + 14, "n f-text" if index == 0 else "t f-text", line))
            y += _LINE
        y += 4
    height = y + 12
    return "".join((*_frame(ranking, width, height), *drawn)), height


def _frame(ranking: SccRanking, width: float, height: float) -> Iterator[str]:
    yield box(0.5, 0.5, width - 1, height - 1, "f-ground s-line")
    yield text(LEFT_MARGIN, 34, "h1 f-text", "how it was let in" if _chosen(ranking) else "how it was judged")
    asked = ranking.asked_by
    shown = clipped(asked, _cells(width - 2 * LEFT_MARGIN))
    yield whole_or_titled(text(LEFT_MARGIN, 56, "t f-muted", shown), shown, asked)
    for x, title, anchor in _TITLES if ranking.sccs else ():
        yield text(x, 80, "k f-muted", title.upper(), anchor=anchor)


def _chosen(ranking: SccRanking) -> bool:
    return any(each.outcome == "chosen" for each in ranking.sccs)


def _row(place: int, each: RankedScc, top: float, width: float, links: Links) -> tuple[list[str], float]:
    """The elements of one SCC, and the `y` at which the next one begins."""
    base = top + 20
    ink = "f-text" if each.outcome in _INK else "f-muted"
    found = [
        text(_NUMBER, base, f"m {ink}", str(place), anchor="end"),
        _name(each, base, ink, links),
        text(_PRIORITY, base, f"m {ink}", str(each.priority), anchor="end"),
        titled(text(_POINTS, base, f"m {ink}", str(each.total), anchor="end"), each.points_text),
        *_outcome(each, top),
    ]
    lines = [
        text(_REASON, 0, f"t {ink}", line)
        for line in wrapped(each.reason, _cells(width - _REASON - LEFT_MARGIN), _MOST_LINES)
    ]
    for refusal in each.refusals[:_MOST_REFUSALS]:
        lines += _refused(refusal, width, links)
    if len(each.refusals) > _MOST_REFUSALS:
        lines.append(text(_REASON, 0, "t f-muted", f"and {len(each.refusals) - _MOST_REFUSALS} more"))
    found += [f'<g transform="translate(0 {base + _LINE * index:g})">{line}</g>' for index, line in enumerate(lines)]
    return found, top + max(_ROW, 14 + _LINE * len(lines))


def _name(each: RankedScc, base: float, ink: str, links: Links) -> str:
    """The SCC's name; if the SCC is in a file, a link to its line."""
    shown = clipped(each.name, _MOST_CELLS)
    element = text(_NAME, base, f"m b {'f-policy' if each.where else ink}", shown)
    if not each.where:
        return whole_or_titled(element, shown, each.name)
    part = CitedValue(each.name, "", Source(Origin.POLICY, f"scc {each.name}"), each.where)
    return titled(links.wrap(part, element), f"{each.name}: {each.where}")


def _outcome(each: RankedScc, top: float) -> Iterator[str]:
    """The outcome: in a box if something was decided, else as plain text."""
    shown = "would change" if each.outcome.startswith("would change") else each.outcome
    ink = _INK.get(each.outcome)
    if ink is None:
        yield text(_OUTCOME, top + 20, "m f-muted", shown)
        return
    yield box(_OUTCOME, top + 4, len(shown) * CELL + 20, BOX_HEIGHT, f"f-{ink if ink == 'policy' else 'pill'} s-{ink}")
    yield text(_OUTCOME + 10, top + 20, f"m f-{'ground' if ink == 'policy' else 'text'}", shown)


def _refused(refusal: Refusal, width: float, links: Links) -> list[str]:
    """The lines of one refusal: its place in the manifest, then the reason."""
    where = CitedValue("", "", Source(Origin.MANIFEST, refusal.where.rpartition(":")[0]), refusal.where)
    shown = clipped_front(refusal.where.rpartition("/")[2], _WHERE_CELLS)
    link = titled(links.wrap(where, text(_REASON, 0, "m f-manifest", shown)), refusal.where)
    after = _REASON + (len(shown) + 1) * CELL
    path = clipped_front(str(refusal.path), _cells(width - after - LEFT_MARGIN))
    first = link + whole_or_titled(text(after, 0, "t f-text", path), path, str(refusal.path))
    lines = wrapped(refusal.reason, _cells(width - _REASON - 16 - LEFT_MARGIN), _MOST_LINES)
    return [first, *(text(_REASON + 16, 0, "t f-refused", line) for line in lines)]


def _cells(room: float) -> int:
    return max(int(room / TEXT_CELL), 20)
