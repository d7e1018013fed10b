"""Tables for a terminal, as plain text of a given width."""

from __future__ import annotations

from podward.render.verify import Row

_FIELD = 16
_LEAST = 60


def verification(container: str, rows: tuple[Row, ...], width: int) -> str:
    """Predicted beside observed for one container; ends with the number of rows that differ.

    A value too long for its column is written once, behind `=`, where both are equal, and on lines of its own where
    they differ.
    """
    width = max(width, _LEAST)
    column = (width - _FIELD - 4) // 2
    lines = [f"{container}", f"{'':{_FIELD}}  {'predicted':{column}} {'observed'}"]
    for row in rows:
        lines += _row(row, column, width)
    different = sum(not row.equal for row in rows)
    lines.append(f"{'':{_FIELD}}  {len(rows)} fields, {different} differ")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(row: Row, column: int, width: int) -> list[str]:
    predicted, observed = row.predicted or "-", row.observed or "-"
    mark = "" if row.equal else " !"
    if len(predicted) <= column and len(observed) <= column:
        return [f"{row.field:{_FIELD}}  {predicted:{column}} {observed}{mark}"]
    if row.equal:
        return _indented(row.field, f"= {predicted}", width)
    return [*_indented(f"{row.field} !", predicted, width), *_indented("  observed", observed, width)]


def _indented(field: str, text: str, width: int) -> list[str]:
    """`text` wrapped at blanks into lines of `width`, the field's name before the first."""
    room, lines, line = width - _FIELD - 2, [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return [f"{field if i == 0 else '':{_FIELD}}  {text_line}" for i, text_line in enumerate(lines)]
