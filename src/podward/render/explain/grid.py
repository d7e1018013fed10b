"""The rows of `explain` as a grid for a terminal of any width.

There is one line for each stage that changes a field's value, and for each item of a list with another source. The
line has the value and its source. The predicted value of the kernel is in the last column. From 120 columns on, the
grid has a column with reasons. A row whose name is too long for its column has a line of its own for the name.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.decision import Origin
from podward.render.escaping import clipped, clipped_front, width, wrapped
from podward.render.explain import value_text
from podward.render.explain.row_types import KERNEL, CitedValue, Row, Step
from podward.render.palette import Palette

WITH_REASONS = 120
_GUTTER = 2
_MOST_LINES, _MOST_LINES_ROOMY = 2, 3
"""The most lines of one cell (in a narrow, in a wide table): longer values are shown in a short form."""
_MOST_REASONS = 3
_SHORT = 16
"""A longer observed value is shown as `same` if it is as predicted."""
_LONGEST_NAME = 24
_COMFORTABLE = {"VALUE": 15, "DECIDED BY": 26, "BECAUSE": 24, "PROCESS": 15, "OBSERVED": 15}
"""A column gets narrower than this only if all other columns are as narrow as theirs."""
_SHORT_STAGES = {
    "admission": ("adm", "admission"),
    "node": ("nod", "the kubelet, about the Pod"),
    "sandbox": ("box", "the Pod's sandbox"),
    "volumes": ("vol", "the Pod's volumes"),
    "effective": ("eff", "the kubelet"),
    "cri": ("cri", "the kubelet asks the runtime"),
    "oci": ("oci", "the runtime"),
    "kernel": ("krn", "the kernel (PROCESS)"),
}
"""By stage: what stands for it in a narrow table, and whose answer it is."""


class _Cell(Struct, frozen=True, gc=False):
    """The text of a cell; `brief` is used if it needs too many lines; `front` means that its beginning is cut off.

    `alone` means that it has the line to itself.
    """

    text: str = ""
    colour: str = ""
    brief: str = ""
    front: bool = False
    alone: bool = False
    most_lines: int = 0
    """The most lines of this cell; 0 for the most lines of the table."""


_Line = tuple[_Cell, ...]


class _Layout(Struct, frozen=True, gc=False):
    """How the lines of a table are printed."""

    widths: tuple[int, ...]
    columns: int
    gutter: str
    most_lines: int
    palette: Palette


def grid(rows: tuple[Row, ...], columns: int, palette: Palette, *, observed: bool) -> str:
    """The header and the rows."""
    roomy = columns >= WITH_REASONS
    predicted = any(row.predicted for row in rows)
    kept = (True, True, True, True, roomy, predicted, observed)
    titles = ("FIELD", "STAGE" if roomy else "AT", "VALUE", "DECIDED BY", "BECAUSE", "PROCESS", "OBSERVED")
    lines = [tuple(_Cell(title, palette.title) for title in titles)]
    for row in rows:
        lines += _lines(row, roomy, palette)
    used = [tuple(cell for cell, keep in zip(line, kept, strict=True) if keep) for line in lines]
    gutter = _GUTTER if roomy else 1
    widths = _fitted(used, columns - gutter * (len(used[0]) - 1))
    layout = _Layout(tuple(widths), columns, " " * gutter, _MOST_LINES_ROOMY if roomy else _MOST_LINES, palette)
    return "".join(_printed(line, layout) for line in used)


def legend(rows: Iterable[Row], columns: int) -> str:
    """What the short words for the stages mean, of those that these rows use; nothing where the whole words stand."""
    if columns >= WITH_REASONS:
        return ""
    listed = [(row, step) for row in rows for step in row.steps]
    used = {step.stage for row, step in listed if step.changed or step is row.steps[0] or step.stage == KERNEL}
    words = [f"{short}: {long}" for stage, (short, long) in _SHORT_STAGES.items() if stage in used]
    lines: list[str] = []
    for word in words:
        joined = f"{lines[-1]} · {word}" if lines else word
        if lines and width(joined) <= columns:
            lines[-1] = joined
        else:
            lines.append(word)
    return "".join(f"{line}\n" for line in lines)


def _short_stage(stage: str) -> str:
    return _SHORT_STAGES[stage][0] if stage in _SHORT_STAGES else stage


def _lines(row: Row, roomy: bool, palette: Palette) -> list[_Line]:  # noqa: FBT001  # a fact about the terminal
    """The lines of a row: one for each step that changed the value; the prediction is on the last line."""
    lines: list[_Line] = []
    named = width(row.name) <= _LONGEST_NAME
    for step in row.steps:
        if step.changed or not lines:
            for number, part in enumerate(_grouped(step)):
                stage = (step.stage if roomy else _short_stage(step.stage)) if number == 0 else ""
                lines.append(
                    (
                        _Cell(row.name if named and not lines else ""),
                        _Cell(stage, palette.dim),
                        *_value_cells(row, step, part, palette),
                    )
                )
    bad = palette.bad if row.differs else ""
    process = _Cell(row.predicted, bad, row.predicted_brief, most_lines=_MOST_LINES_ROOMY + 1 if roomy else 0)
    if row.differs:
        observed = _Cell(f"{row.observed} !", bad, f"{value_text.brief(row.name, row.observed)} !")
    else:
        observed = _Cell("same" if len(row.observed) > _SHORT else row.observed)
    lines[-1] = (*lines[-1][:5], process, observed)
    return lines if named else [(_Cell(row.name, alone=True), *(_Cell(),) * 6), *lines]


def _value_cells(row: Row, step: Step, part: CitedValue, palette: Palette) -> _Line:
    """The cells from the value on. The kernel's value is left out: it has a column of its own."""
    few = 1 if row.name.startswith("caps ") and value_text.brief(row.name, part.text) != part.text else 0
    value = (
        _Cell(part.text, "", value_text.brief(row.name, part.text), most_lines=few) if step.stage != KERNEL else _Cell()
    )
    colour, cut = palette.origin(part.source.origin), part.written or part.source.origin is Origin.IMAGE
    decided_by = _Cell(_short_name(part), colour, front=cut)
    return value, decided_by, _Cell(part.reason, palette.dim), _Cell(), _Cell()


def _short_name(part: CitedValue) -> str:
    """The name of a source in a column: an image without its registry, a manifest without its directories."""
    if part.source.origin is Origin.IMAGE:
        image, blank, place = part.where.partition(" ")
        return image.rpartition("/")[2] + blank + place
    return part.where.rpartition("/")[2] if part.written else part.where


def _grouped(step: Step) -> list[CitedValue]:
    """The parts; those with the same place are joined."""
    groups: dict[str, list[CitedValue]] = {}
    for part in step.parts:
        groups.setdefault(part.where, []).append(part)
    return [
        listed[0]
        if len(listed) == 1
        else CitedValue(
            " ".join(dict.fromkeys(part.text for part in listed)), _reasons(listed), listed[0].source, where
        )
        for where, listed in groups.items()
    ]


def _reasons(parts: list[CitedValue]) -> str:
    reasons = list(dict.fromkeys(part.reason for part in parts))
    if len(reasons) <= _MOST_REASONS:
        return "; ".join(reasons)
    return f"{reasons[0]}; and {len(reasons) - 1} more reasons"


def _fitted(lines: list[_Line], room: int) -> list[int]:
    """The widths of the columns. If they do not fit, the widest ones get narrower first."""
    widths = [max(0 if cell.alone else width(cell.text) for cell in column) for column in zip(*lines, strict=True)]
    comfortable = [_COMFORTABLE.get(cell.text, widths[at]) for at, cell in enumerate(lines[0])]
    excess = sum(widths) - room
    while excess > 0:
        generous = [at for at in range(2, len(widths)) if widths[at] > comfortable[at]]
        widest = max(generous or range(len(widths)), key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return widths


def _printed(line: _Line, layout: _Layout) -> str:
    if line[0].alone:
        first, *rest = wrapped(line[0].text, layout.columns - 2, _MOST_LINES)
        return "\n".join((first, *(f"  {more}" for more in rest))) + "\n"
    cells = [
        _folded(cell, room, cell.most_lines or layout.most_lines)
        for cell, room in zip(line, layout.widths, strict=True)
    ]
    printed = ""
    for number in range(max(map(len, cells))):
        pieces = []
        filled = 0
        for at, (cell, folded) in enumerate(zip(line, cells, strict=True)):
            text = folded[number] if number < len(folded) else ""
            filled = at + 1 if text else filled
            padding = " " * (layout.widths[at] - width(text))
            pieces.append(layout.palette.paint(cell.colour, text) + padding if text else padding)
        printed += layout.gutter.join(pieces[:filled]).rstrip() + "\n"
    return printed


def _folded(cell: _Cell, room: int, most: int) -> list[str]:
    """The cell's lines, at least one."""
    if width(cell.text) <= room and cell.text.isprintable():
        return [cell.text]
    if cell.front:
        return [clipped_front(cell.text, room)]
    lines = wrapped(cell.text, room, most + 1)
    if len(lines) <= most:
        return lines or [""]
    brief = cell.brief or cell.text
    return [clipped(brief, room)] if brief != cell.text else wrapped(brief, room, most + 2)
