"""How admission chose: the SCCs in the order of trying, with who may use them, what they refuse, and which one won."""

from __future__ import annotations

from podward.render.escaping import clipped, printable, width, wrapped
from podward.render.explain.candidates import Ranking, Refusal, Tried
from podward.render.palette import Palette

_MOST_VIOLATIONS = 4
_LONGEST_NAME = 28
_LEAST_ROOM, _BESIDE_NAME = 16, 42
"""Cells for the outcome, and for all but the name, in the narrowest table."""
_TITLE, _MOST_ASKED = "admission", 4
_HEAD = ("#", "SCC", "PRIORITY", "POINTS", "OUTCOME")


def table(admission: Ranking, columns: int, palette: Palette) -> str:
    """The ranking as a table, then what Pod Security says."""
    told = wrapped(asked_by(admission), columns - len(_TITLE) - 2, _MOST_ASKED)
    lines = [f"{palette.paint(palette.title, _TITLE)}  {palette.paint(palette.dim, told[0])}"]
    lines += [" " * (len(_TITLE) + 2) + palette.paint(palette.dim, line) for line in told[1:]]
    if admission.tried:
        lines += _ranking(admission.tried, columns, palette)
    for verdict in admission.verdicts:
        lines += wrapped(printable(f"Pod Security {verdict}"), columns, 8)
    return "\n".join(lines) + "\n"


def breakdown(points: tuple[tuple[str, int], ...]) -> str:
    """Points with what they are for: `42500 = volumes 100000 + …`; one item or none needs no sum."""
    total = sum(number for _, number in points)
    if len(points) < 2:
        return str(total)
    return f"{total} = " + " + ".join(f"{name} {number}" for name, number in points)


def asked_by(admission: Ranking) -> str:
    """Whose rights counted, if any did."""
    account = f" and {admission.account}" if admission.account else ""
    note = f": SCCs do not matter ({admission.note})" if admission.note else ""
    return f"asked by {admission.caller}{account}{note}"


def _ranking(tried: tuple[Tried, ...], columns: int, palette: Palette) -> list[str]:
    rows = [(str(place), each.name, str(each.priority), str(each.total)) for place, each in enumerate(tried, 1)]
    longest = min(_LONGEST_NAME, columns - _BESIDE_NAME)
    table_of = [_HEAD[:4], *rows]
    widths = [min(max(width(row[at]) for row in table_of), longest) for at in range(4)]
    indent = sum(widths) + 2 * len(widths)
    room = max(columns - indent, _LEAST_ROOM)
    lines = [palette.paint(palette.title, _cells(_HEAD[:4], widths) + _HEAD[4])]
    for row, each in zip(rows, tried, strict=True):
        told = _outcome(each, room, palette)
        lines.append(_cells(row, widths) + told[0])
        lines += [" " * indent + line for line in told[1:]]
    return lines


def _cells(row: tuple[str, ...], widths: list[int]) -> str:
    printed = ""
    for at, (text, room) in enumerate(zip(row, widths, strict=True)):
        short = clipped(printable(text), room)
        padding = " " * (room - width(short))
        printed += (short + padding if at == 1 else padding + short) + "  "
    return printed


def _outcome(each: Tried, room: int, palette: Palette) -> list[str]:
    """What came of it, as lines: a refusal with the first of its violations."""
    colour = {"chosen": palette.title, "refused": palette.bad}.get(each.outcome, palette.dim)
    told = f"{each.outcome}: {each.reason}" if each.reason else each.outcome
    lines = [palette.paint(colour, line) for line in wrapped(printable(told), room, 6)]
    for refusal in each.refusals[:_MOST_VIOLATIONS]:
        lines += wrapped(printable(_refused(refusal)), room, 6)
    more = len(each.refusals) - _MOST_VIOLATIONS
    return [*lines, f"and {more} more"] if more > 0 else lines


def _refused(refusal: Refusal) -> str:
    """A refusal with its line: in a column, a file goes without its directories."""
    return f"{refusal.where.rpartition('/')[2]}: {refusal.path}: {refusal.reason}"
