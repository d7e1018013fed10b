"""The ranking of SCCs as a table: in the order in which they are tried, with their outcome and what they refuse."""

from __future__ import annotations

from podward.render.escaping import clipped, printable, width, wrapped
from podward.render.explain.row_types import RankedScc, Refusal, SccRanking
from podward.render.palette import Palette

_MOST_VIOLATIONS = 4
_LONGEST_NAME = 28
_LEAST_ROOM, _BESIDE_NAME = 16, 42
"""The least cells for the outcome, and the cells for all columns but the name, in the narrowest table."""
_TITLE, _MOST_ASKED = "admission", 4
_HEAD = ("#", "SCC", "PRIORITY", "POINTS", "OUTCOME")


def table(ranking: SccRanking, columns: int, palette: Palette) -> str:
    """The ranking as a table, then the verdicts of Pod Security."""
    asked_by = wrapped(ranking.asked_by, columns - len(_TITLE) - 2, _MOST_ASKED)
    lines = [f"{palette.paint(palette.title, _TITLE)}  {palette.paint(palette.dim, asked_by[0])}"]
    lines += [" " * (len(_TITLE) + 2) + palette.paint(palette.dim, line) for line in asked_by[1:]]
    if ranking.sccs:
        lines += _ranking(ranking.sccs, columns, palette)
    for outcome, names in ranking.folded:
        first, *rest = wrapped(printable(f"{outcome}: {' '.join(names)}"), columns - 6, 8)
        lines += [palette.paint(palette.dim, f"    {first}"), *(palette.paint(palette.dim, f"      {x}") for x in rest)]
    for verdict in ranking.verdicts:
        lines += wrapped(printable(f"Pod Security {verdict}"), columns, 8)
    return "\n".join(lines) + "\n"


def _ranking(sccs: tuple[RankedScc, ...], columns: int, palette: Palette) -> list[str]:
    rows = [(str(each.place), each.name, str(each.priority), str(each.total)) for each in sccs]
    longest = min(_LONGEST_NAME, columns - _BESIDE_NAME)
    table_of = [_HEAD[:4], *rows]
    widths = [min(max(width(row[at]) for row in table_of), longest) for at in range(4)]
    indent = sum(widths) + 2 * len(widths)
    room = max(columns - indent, _LEAST_ROOM)
    lines = [palette.paint(palette.title, _cells(_HEAD[:4], widths) + _HEAD[4])]
    for row, each in zip(rows, sccs, strict=True):
        outcome_lines = _outcome(each, room, palette)
        lines.append(_cells(row, widths) + outcome_lines[0])
        lines += [" " * indent + line for line in outcome_lines[1:]]
    return lines


def _cells(row: tuple[str, ...], widths: list[int]) -> str:
    printed = ""
    for at, (text, room) in enumerate(zip(row, widths, strict=True)):
        short = clipped(printable(text), room)
        padding = " " * (room - width(short))
        printed += (short + padding if at == 1 else padding + short) + "  "
    return printed


def _outcome(each: RankedScc, room: int, palette: Palette) -> list[str]:
    """The outcome of an SCC as lines; a refusal has the first of its violations below it."""
    colour = {"chosen": palette.title, "refused": palette.bad}.get(each.outcome, palette.dim)
    outcome = f"{each.outcome}: {each.reason}" if each.reason else each.outcome
    lines = [palette.paint(colour, line) for line in wrapped(printable(outcome), room, 6)]
    for refusal in each.refusals[:_MOST_VIOLATIONS]:
        lines += wrapped(printable(_refused(refusal)), room, 6)
    more = len(each.refusals) - _MOST_VIOLATIONS
    return [*lines, f"and {more} more"] if more > 0 else lines


def _refused(refusal: Refusal) -> str:
    """A refusal with its line; the file is shown without its directories."""
    return f"{refusal.where.rpartition('/')[2]}: {refusal.path}: {refusal.reason}"
