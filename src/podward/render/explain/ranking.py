"""How admission chose: the SCCs in the order of trying, with who may use them, what they refuse, and which one won."""

from __future__ import annotations

from podward.api.explanation import Admission, Considered
from podward.render.explain.inert import clipped, printable, width, wrapped
from podward.render.explain.palette import Palette

_MOST_VIOLATIONS = 4
_LONGEST_NAME = 28
_HEAD = ("#", "SCC", "PRIORITY", "POINTS", "OUTCOME")


def table(admission: Admission, columns: int, palette: Palette) -> str:
    """The ranking as a table, then what Pod Security says."""
    lines = [palette.paint(palette.title, "admission") + palette.paint(palette.dim, f"  {_who(admission)}")]
    if admission.considered:
        lines += _ranking(admission.considered, columns, palette)
    for verdict in admission.verdicts:
        lines += wrapped(printable(f"Pod Security {verdict}"), columns, 8)
    return "\n".join(lines) + "\n"


def breakdown(points: tuple[tuple[str, int], ...]) -> str:
    """Points with what they are for: `42500 = volumes 100000 + …`; one item or none needs no sum."""
    total = sum(number for _, number in points)
    if len(points) < 2:
        return str(total)
    return f"{total} = " + " + ".join(f"{name} {number}" for name, number in points)


def _who(admission: Admission) -> str:
    account = f" and {admission.account}" if admission.account else ""
    return printable(f"asked by {admission.caller}{account}")


def _ranking(considered: tuple[Considered, ...], columns: int, palette: Palette) -> list[str]:
    rows = [
        (str(place), each.name, str(each.priority), str(sum(n for _, n in each.points)))
        for place, each in enumerate(considered, 1)
    ]
    table_of = [_HEAD[:4], *rows]
    widths = [min(max(width(row[at]) for row in table_of), _LONGEST_NAME) for at in range(4)]
    indent = sum(widths) + 2 * len(widths)
    room = max(columns - indent, 24)
    lines = [palette.paint(palette.title, _cells(_HEAD[:4], widths) + _HEAD[4])]
    for row, each in zip(rows, considered, strict=True):
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


def _outcome(each: Considered, room: int, palette: Palette) -> list[str]:
    """What came of it, as lines: a refusal with the first of its violations."""
    colour = {"chosen": palette.title, "refused": palette.bad}.get(each.outcome, palette.dim)
    told = f"{each.outcome}: {each.reason}" if each.reason else each.outcome
    lines = [palette.paint(colour, line) for line in wrapped(printable(told), room, 6)]
    for violation in each.violations[:_MOST_VIOLATIONS]:
        lines += wrapped(printable(f"{violation.path}: {violation.reason}"), room, 6)
    more = len(each.violations) - _MOST_VIOLATIONS
    return [*lines, f"and {more} more"] if more > 0 else lines
