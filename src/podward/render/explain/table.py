"""`podward explain -o table`: the rows as a table for a terminal of any width.

There is one line for each stage that changes a field's value, and for each item of a list with another source. The
line has the value and its source. The predicted value of the kernel is in the last column. From 120 columns on, the
table has a column with reasons.
"""

from __future__ import annotations

from msgspec import Struct

from podward.decision import Origin, Unknown
from podward.render.escaping import clipped, clipped_front, printable, width, wrapped
from podward.render.explain import ranking_table, value_text
from podward.render.explain.row_types import KERNEL, CitedHint, CitedValue, ContainerRows, PodRows, Refusal, Row, Step
from podward.render.palette import MIN_COLUMNS, Palette

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
    "admission": "adm",
    "node": "nod",
    "sandbox": "box",
    "volumes": "vol",
    "effective": "eff",
    "kernel": "krn",
}


class _Cell(Struct, frozen=True, gc=False):
    """The text of a cell; `brief` is used if it needs too many lines; `front` means that its beginning is cut off."""

    text: str = ""
    colour: str = ""
    brief: str = ""
    front: bool = False
    most_lines: int = 0
    """The most lines of this cell; 0 for the most lines of the table."""


_Line = tuple[_Cell, ...]


class _Layout(Struct, frozen=True, gc=False):
    """How the lines of a table are printed."""

    widths: tuple[int, ...]
    gutter: str
    most_lines: int
    palette: Palette


def table(pods: tuple[PodRows, ...], columns: int, palette: Palette) -> str:
    """All Pods, each with its containers, refusals and hints."""
    blocks = [block for pod in pods for block in _pod(pod, max(columns, MIN_COLUMNS), palette)]
    return "\n".join(blocks)


def _pod(pod: PodRows, columns: int, palette: Palette) -> list[str]:
    kind = "" if pod.kind == "Pod" else f" (of {pod.kind})"
    title = printable(f"Pod {pod.namespace}/{pod.name or '(no name)'}{kind}")
    blocks = [_title(title, (pod.where,), columns, palette)]
    if pod.admission is not None:
        blocks.append(ranking_table.table(pod.admission, columns, palette))
    if pod.rows:
        blocks.append(_grid(pod.rows, columns, palette, observed=False))
    blocks += [_refusal(refusal, columns, palette) for refusal in pod.refusals]
    for container in pod.containers:
        blocks += _container(container, columns, palette)
    return blocks


def _container(container: ContainerRows, columns: int, palette: Palette) -> list[str]:
    kind = "container" if container.kind == "regular" else f"{container.kind} container"
    about = (container.where, f"image {container.image}")
    blocks = [_title(printable(f"{kind} {container.name}"), about, columns, palette)]
    if container.rows:
        blocks[0] += _grid(container.rows, columns, palette, observed=container.observed)
    blocks += [_unknown(unknown, columns, palette) for unknown in container.unknowns]
    blocks += [_refusal(refusal, columns, palette) for refusal in container.refusals]
    blocks += [_hint(hint, columns, palette) for hint in container.hints]
    return blocks


def _title(title: str, about: tuple[str, ...], columns: int, palette: Palette) -> str:
    """A heading and facts about it: on one line if they fit, else each on its own line."""
    words = [printable(word) for word in about]
    if width("  ".join((title, *words))) <= columns:
        return f"{palette.paint(palette.title, title)}  {palette.paint(palette.dim, '  '.join(words))}\n"
    lines = [palette.paint(palette.dim, clipped_front(word, columns)) for word in words]
    return "\n".join((palette.paint(palette.title, clipped(title, columns)), *lines)) + "\n"


def _unknown(unknown: Unknown, columns: int, palette: Palette) -> str:
    """Why values of the container are unknown, and how to know them."""
    head = "\n".join(wrapped(f"unknown: {unknown.why}", columns, 4))
    remedy = wrapped(f"→ {unknown.remedy}", columns - 4, 12)
    return "\n".join((palette.paint(palette.hint, head), *(f"    {line}" for line in remedy))) + "\n"


def _refusal(refusal: Refusal, columns: int, palette: Palette) -> str:
    place = f": {refusal.path}" if refusal.path.segments else ""
    who = f"refused by the {refusal.stage} stage ({refusal.source.name}) at {refusal.where}{place}"
    lines = wrapped(refusal.reason, columns - 4, 12)
    head = "\n".join(wrapped(who, columns, 4))
    return "\n".join((palette.paint(palette.bad, head), *(f"    {line}" for line in lines))) + "\n"


def _hint(hint: CitedHint, columns: int, palette: Palette) -> str:
    named = f"hint {hint.name}  "
    head = palette.paint(palette.hint, named + clipped_front(hint.where, columns - len(named)))
    lines = [*wrapped(hint.problem, columns - 4, 12), *wrapped(f"→ {hint.remedy}", columns - 4, 12)]
    lines += [
        f"  {line}"
        for change in hint.changes
        for line in wrapped(
            _change(str(change.path), None if change.value is None else value_text.plain(change.value)), columns - 6, 8
        )
    ]
    return "\n".join((head, *(f"    {line}" for line in lines))) + "\n"


def _change(path: str, value: str | None) -> str:
    return f"remove {path}" if value is None else f"{path}: {value}"


# --- the grid -----------------------------------------------------------------------------------------------------


def _grid(rows: tuple[Row, ...], columns: int, palette: Palette, *, observed: bool) -> str:
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
    layout = _Layout(tuple(widths), " " * gutter, _MOST_LINES_ROOMY if roomy else _MOST_LINES, palette)
    return "".join(_printed(line, layout) for line in used)


def _lines(row: Row, roomy: bool, palette: Palette) -> list[_Line]:  # noqa: FBT001  # a fact about the terminal
    """The lines of a row: one for each step that changed the value; the prediction is on the last line."""
    lines: list[_Line] = []
    for step in row.steps:
        if step.changed or not lines:
            for number, part in enumerate(_grouped(step)):
                stage = (step.stage if roomy else _SHORT_STAGES.get(step.stage, step.stage)) if number == 0 else ""
                lines.append(
                    (
                        _Cell("" if lines else row.name),
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
    return lines


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
    widths = [max(width(cell.text) for cell in column) for column in zip(*lines, strict=True)]
    widths[0] = min(widths[0], _LONGEST_NAME)
    comfortable = [_COMFORTABLE.get(cell.text, widths[at]) for at, cell in enumerate(lines[0])]
    excess = sum(widths) - room
    while excess > 0:
        generous = [at for at in range(2, len(widths)) if widths[at] > comfortable[at]]
        widest = max(generous or range(len(widths)), key=lambda at: widths[at])
        widths[widest] -= 1
        excess -= 1
    return widths


def _printed(line: _Line, layout: _Layout) -> str:
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
