"""Drawing a panel as SVG elements.

Nearly all text is from outside; all of it goes through `escaping.escape`. The caller's `Links` decide what is a link: a
picture that stands alone has none, in the page every value is a link to its source.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from podward.decision import Origin, Source
from podward.render.colours import QUIET
from podward.render.escaping import clipped, clipped_front, width
from podward.render.explain.picture_parts import (
    BOX_HEIGHT,
    CALLOUT_LINE_HEIGHT,
    CAPTION_CELLS,
    CAPTION_LINE_HEIGHT,
    CHIP_WIDTH,
    FIRST_COLUMN_X,
    LEFT_MARGIN,
    NAME_X,
    OBSERVED_WIDTH,
    Band,
    Callout,
    Caption,
    Chip,
    Column,
    Lane,
    Notice,
    Panel,
    Stop,
)
from podward.render.explain.row_types import KERNEL, CitedValue
from podward.render.explain.svg_elements import CELL, Links, box, text, titled, whole_or_titled

_MOST_CELLS = 24
_MOST_PARTS = 10


def source(part: CitedValue, room: int) -> str:
    """The place of a part in at most `room` cells: the end of a file's path, the beginning of a table's name."""
    if part.written or part.source.origin is Origin.IMAGE:
        last = part.where[part.where.rfind("/") + 1 :] if part.written else part.where
        return clipped_front(last, room)
    return clipped(part.where, room)


def panel(drawn: Panel, width: float, links: Links) -> str:
    """One panel, stretched to `width`, with its upper left corner at 0, 0."""
    return "".join(_panel(structs.replace(drawn, width=width), links))


def _panel(drawn: Panel, links: Links) -> Iterator[str]:
    yield box(0.5, 0.5, drawn.width - 1, drawn.height - 1, "f-ground s-line")
    yield text(LEFT_MARGIN, 34, "h1 f-text", clipped(drawn.name, 48))
    words = " · ".join(word for word in (f"{drawn.kind} container" if drawn.image else drawn.kind, drawn.image) if word)
    yield titled(text(LEFT_MARGIN, 56, "t f-muted", clipped(words, 62)), words)
    yield _line((LEFT_MARGIN, 76), drawn.where, 56, links)
    for column in drawn.columns:
        yield from _column(column)
    if drawn.observed:
        yield text(drawn.observed + 4, 54, "n f-text", "observed")
        yield text(drawn.observed + 4, 72, "c f-muted", "what the kernel said")
    for band in drawn.bands:
        yield box(8, band.y, drawn.width - 16, band.height, "f-panel")
    for x in [*(column.x for column in drawn.columns), *([drawn.observed] if drawn.observed else [])]:
        yield f'<path d="M{x - 10:g} 42V{drawn.height - 10:g}" class="l s-line"/>'
    for notice in drawn.notices:
        yield from _notice(notice, drawn, links)
    for band in drawn.bands:
        yield from _band(band, drawn, links)


def _column(column: Column) -> Iterator[str]:
    ink = "f-text" if column.reached else "f-muted"
    yield text(column.x + 4, 54, f"n {ink}", column.stage if column.reached else f"{column.stage}: not reached")
    yield text(column.x + 4, 72, "c f-muted", column.words)


def _line(place: tuple[float, float], where: str, room: int, links: Links, *, anchor: str = "") -> str:
    """A line of a manifest (`file:line`) as a link."""
    part = CitedValue("", "", Source(Origin.MANIFEST, where.rpartition(":")[0]), where)
    shown = clipped_front(where, room)
    return whole_or_titled(links.wrap(part, text(*place, "m f-manifest", shown, anchor=anchor)), shown, where)


def _notice(notice: Notice, drawn: Panel, links: Links) -> Iterator[str]:
    refusal = notice.refusal
    yield box(LEFT_MARGIN, notice.y, drawn.width - 2 * LEFT_MARGIN, notice.height, "f-refused-ground s-refused")
    what = f": {refusal.path} = {refusal.value}" if refusal.path.segments else ""
    head = f"✕ refused by {refusal.stage}{what}"
    yield titled(text(LEFT_MARGIN + 14, notice.y + 22, "n f-refused", clipped(head, 88)), head)
    right = drawn.width - LEFT_MARGIN - 14
    yield _line((right, notice.y + 22), refusal.where, 40, links, anchor="end")
    for index, line in enumerate(notice.lines):
        yield text(LEFT_MARGIN + 14, notice.y + 22 + CALLOUT_LINE_HEIGHT * (index + 1), "t f-text", line)


def _band(band: Band, drawn: Panel, links: Links) -> Iterator[str]:
    yield text(LEFT_MARGIN, band.y + 18, "k f-muted", band.title.upper())
    for chip in band.chips:
        yield from _curves(chip, links)
    for lane in band.lanes:
        yield from _lane(lane, drawn, links)
    for chip in band.chips:
        yield _chip(chip, links)
    for callout in band.callouts:
        yield from _callout(callout, drawn, links)


def _stroke(part: CitedValue, links: Links) -> str:
    origin = part.source.origin
    return f"l s-{origin.value} {'q' if origin in QUIET else 'w'} {links.key(part)}".rstrip()


def _curves(chip: Chip, links: Links) -> Iterator[str]:
    start, end = LEFT_MARGIN + CHIP_WIDTH, NAME_X - 8
    middle = (start + end) / 2
    for y in chip.lanes:
        curve = f"M{start:g} {chip.y:g}C{middle:g} {chip.y:g} {middle:g} {y:g} {end:g} {y:g}"
        yield f'<path d="{curve}" class="{_stroke(chip.part, links)}"/>'


def _chip(chip: Chip, links: Links) -> str:
    origin = chip.part.source.origin.value
    shown = source(chip.part, 26 - (3 if chip.more else 0)) + (f" +{chip.more}" if chip.more else "")
    element = (
        box(LEFT_MARGIN, chip.y - 12, CHIP_WIDTH, 24, f"f-pill s-{origin}")
        + f'<circle cx="{LEFT_MARGIN + 13}" cy="{chip.y:g}" r="4" class="f-{origin}"/>'
        + text(LEFT_MARGIN + 23, chip.y + 4, f"m f-{origin}", shown)
    )
    return titled(links.wrap(chip.part, element), f"{origin}: {chip.part.where}")


def _lane(lane: Lane, drawn: Panel, links: Links) -> Iterator[str]:
    yield from _way(lane, links)
    short = clipped(lane.row.name, 18)
    name = text(NAME_X, lane.y - 6, "t f-text" if lane.quiet else "n f-text", short)
    yield links.landing(lane.row.name, NAME_X, lane.y - 6, whole_or_titled(name, short, lane.row.name))
    for index, stop in enumerate(lane.stops):
        yield from _stop(stop, lane, links, first=index == 0)
    if drawn.observed and lane.row.observed:
        yield _observed(lane, drawn.observed)


def _way(lane: Lane, links: Links) -> Iterator[str]:
    """The lines from the name to the last stop: side by side, one in the colour of each kind of source."""
    flow, x, dashed = lane.stops[0].flow, float(NAME_X - 8), ""
    for index, stop in enumerate(lane.stops):
        if index == 0 and stop.x > FIRST_COLUMN_X:
            dashed = " d"  # no earlier stage knows the field
        for beside, part in enumerate(flow):
            y = lane.y + (beside - (len(flow) - 1) / 2) * 3
            yield f'<path d="M{x:g} {y:g}H{stop.x + 10:g}" class="{_stroke(part, links)}{dashed}"/>'
        flow, x = stop.flow, stop.x + 10
        dashed = " g" if stop.empty else ""


def _stop(stop: Stop, lane: Lane, links: Links, *, first: bool) -> Iterator[str]:
    origin = stop.flow[0].source.origin
    if not stop.shown:
        yield f'<circle cx="{stop.x + 10:g}" cy="{lane.y:g}" r="3.5" class="f-{origin.value}"/>'
        return
    yield from _tributaries(stop, lane.y, links)
    gone = stop.empty and not first and stop.step.changed
    ink = "refused" if gone else origin.value
    final = stop.step.stage == KERNEL and (gone or origin not in QUIET)
    shown = clipped(stop.step.brief, _MOST_CELLS)
    element = box(
        stop.x, lane.y - BOX_HEIGHT / 2, width(shown) * CELL + 20, BOX_HEIGHT, f"f-{ink if final else 'pill'} s-{ink}"
    ) + text(stop.x + 10, lane.y + 4, f"m f-{'ground' if final else 'text'}", shown)
    yield titled(links.wrap(stop.flow[0], element), _tool_tip(stop))
    for index, caption in enumerate(stop.captions):
        yield _caption(caption, stop.x, _below(lane.y, index), links)


def _tool_tip(stop: Stop) -> str:
    """The whole value with its reasons, for a tool tip."""
    parts = stop.step.parts
    shown_parts = [f"{part.text}: {part.reason} ({part.where})" for part in parts[:_MOST_PARTS]]
    if len(parts) > 1:
        shown_parts = [stop.step.text, *shown_parts]
    return "; ".join(shown_parts) + (f"; and {len(parts) - _MOST_PARTS} more" if len(parts) > _MOST_PARTS else "")


def _below(y: float, index: int) -> float:
    """The base line of a stop's caption."""
    return y + BOX_HEIGHT / 2 + CAPTION_LINE_HEIGHT * (index + 1) - 2


def _tributaries(stop: Stop, y: float, links: Links) -> Iterator[str]:
    """Curves from the captions of new sources up to the stop where they join."""
    for index, caption in enumerate(stop.captions):
        if caption.part is not None:
            x, down = stop.x, _below(y, index) - 4
            curve = f"M{x + 8:g} {down:g}C{x - 22:g} {down:g} {x - 22:g} {y + 6:g} {x:g} {y + 4:g}"
            yield f'<path d="{curve}" class="{_stroke(caption.part, links)}"/>'


def _caption(caption: Caption, x: float, y: float, links: Links) -> str:
    if caption.part is not None:
        origin = caption.part.source.origin.value
        element = f'<circle cx="{x + 8:g}" cy="{y - 4:g}" r="3.5" class="f-{origin}"/>' + text(
            x + 16, y, f"c b f-{origin}", source(caption.part, CAPTION_CELLS - 4)
        )
        return titled(links.wrap(caption.part, element), f"{origin}: {caption.text}")
    if caption.kind == "lost":
        ink = "f-refused" if caption.all else "f-muted"
        return titled(text(x + 4, y, f"c x {ink}", clipped(caption.text, CAPTION_CELLS)), f"dropped: {caption.text}")
    return text(x + 4, y, "c f-muted", caption.text)


def _observed(lane: Lane, x: float) -> str:
    if not lane.row.differs:
        return text(x + 4, lane.y + 4, "t f-muted", "✓ the same")
    element = box(x, lane.y - BOX_HEIGHT / 2, OBSERVED_WIDTH - 4, BOX_HEIGHT, "f-refused-ground s-refused")
    return titled(
        element + text(x + 8, lane.y + 4, "m f-refused", clipped(f"≠ {lane.row.observed}", 18)), lane.row.observed
    )


def _callout(callout: Callout, drawn: Panel, links: Links) -> Iterator[str]:
    hint, x, y = callout.hint, FIRST_COLUMN_X - 8.0, callout.y
    yield box(x, y, drawn.width - x - LEFT_MARGIN, callout.height, "f-hint-ground s-hint")
    if callout.points_at:
        yield f'<path d="M{x + 24:g} {y + 0.6:g}l9 -9l9 9" class="f-hint-ground s-hint"/>'
    yield f'<circle cx="{x + 20:g}" cy="{y + 20:g}" r="8" class="f-hint"/>'
    yield text(x + 20, y + 24.5, "n f-hint-ground", "!", anchor="middle")
    x, y = x + 38, y + 6
    for line in callout.problem:
        y += CALLOUT_LINE_HEIGHT
        yield text(x, y, "t b f-text", line)
    for index, line in enumerate(callout.remedy):
        y += CALLOUT_LINE_HEIGHT
        yield text(x if index == 0 else x + 16, y, "t f-hint", f"→ {line}" if index == 0 else line)
    for line in callout.changes:
        y += CALLOUT_LINE_HEIGHT
        shown = clipped(line, 100)
        yield whole_or_titled(text(x, y, "m f-hint", shown), shown, line)
    yield _line((x, y + CALLOUT_LINE_HEIGHT), hint.where, 50, links)
    yield text(
        drawn.width - LEFT_MARGIN - 14, y + CALLOUT_LINE_HEIGHT, "c f-muted", clipped(hint.name, 50), anchor="end"
    )
