"""`podward diff -o table`: the values that differ side by side, then the system calls."""

from __future__ import annotations

from podward.decision import Unknown
from podward.render.escaping import clipped_front, printable, width, wrapped
from podward.render.explain.differences import Differences, SyscallDifference, ValueDifference, items
from podward.render.palette import MIN_COLUMNS

_NAME = 18
_MOST_LINES = 6
_FEW = 4


def table(comparison: Differences, columns: int) -> str:
    """All differences; one sentence if there is none."""
    columns = max(columns, MIN_COLUMNS)
    hidden = "\n".join(line for each in comparison.unknowns for line in unknown_lines(each, columns))
    if comparison.same:
        known = " that is known" if hidden else ""
        return f"no effective value{known} and no system call differs\n" + (f"\n{hidden}\n" if hidden else "")
    blocks = []
    for pod, container in _owners(comparison):
        values = [d for d in comparison.values if (d.pod, d.container) == (pod, container)]
        calls = [d for d in comparison.calls if (d.pod, d.container) == (pod, container)]
        title = f"Pod {pod}" + (f", container {container}" if container else "")
        listed = _values(comparison.sides, values, columns) + _calls(comparison.sides, calls, columns)
        blocks.append(f"{printable(title)}\n{listed}")
    return "\n".join([*blocks, f"{hidden}\n"] if hidden else blocks)


def unknown_lines(unknown: Unknown, columns: int) -> list[str]:
    """Why values are unknown, and how to know them."""
    remedy = wrapped(f"→ {unknown.remedy}", columns - 4, 12)
    return [*wrapped(f"unknown: {unknown.why}", columns, 4), *(f"    {line}" for line in remedy)]


def _owners(comparison: Differences) -> list[tuple[str, str]]:
    listed = [(d.pod, d.container) for d in comparison.values] + [(d.pod, d.container) for d in comparison.calls]
    return list(dict.fromkeys(listed))


def _values(sides: tuple[str, ...], values: list[ValueDifference], columns: int) -> str:
    if not values:
        return ""
    room = (columns - _NAME - 2 * len(sides)) // len(sides)
    lines = [_line("FIELD", [[clipped_front(side, room)] for side in sides], room)]
    lines += [
        _line(difference.field, [wrapped(value, room, _MOST_LINES) for value in _shortened(difference)], room)
        for difference in values
    ]
    return "".join(lines)


def _shortened(difference: ValueDifference) -> tuple[str, ...]:
    """The values; of long lists, only the items that are not in all of them."""
    listed = [items(difference.field, value) for value in difference.values]
    common = [item for item in listed[0] if all(item in other for other in listed)]
    if len(common) < _FEW:
        return difference.values
    own = [" ".join(item for item in side if item not in common) for side in listed]
    return tuple(f"{len(common)} in common, also {mine}" if mine else f"{len(common)} in common" for mine in own)


def _line(name: str, cells: list[list[str]], room: int) -> str:
    named = wrapped(name, _NAME, _MOST_LINES)
    printed = ""
    for number in range(max(len(named), *(len(cell) for cell in cells))):
        texts = [(named, _NAME), *((cell, room) for cell in cells)]
        pieces = [_padded(cell[number] if number < len(cell) else "", wide) for cell, wide in texts]
        printed += "  ".join(pieces).rstrip() + "\n"
    return printed


def _padded(text: str, room: int) -> str:
    return text + " " * (room - width(text))


def _calls(sides: tuple[str, ...], calls: list[SyscallDifference], columns: int) -> str:
    """Each group of system calls: first their outcomes, then their names."""
    printed = ""
    for group in calls:
        outcomes = ", ".join(f"{side}: {outcome}" for side, outcome in zip(sides, group.outcomes, strict=True))
        head = wrapped(f"system calls  {outcomes}", columns, _MOST_LINES)
        names = wrapped(" ".join(group.calls), columns - 4, 1000)
        printed += "\n".join((*head, *(f"    {line}" for line in names))) + "\n"
    return printed
