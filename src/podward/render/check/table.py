"""`check -o table`: each finding with its place, its rule and its remedy; what is waived, and the numbers."""

from __future__ import annotations

from podward.api.finding import Finding, Severity
from podward.api.report import CheckReport, WaivedFinding
from podward.render.check import texts
from podward.render.escaping import clipped_front, printable, width, without_commands, wrapped
from podward.render.palette import MIN_COLUMNS, Palette

_MOST_LINES = 12
"""The most lines of one sentence: a hostile name may have megabytes."""
_GUTTER = "  "
_INDENT = "    "


def table(report: CheckReport, columns: int | None, palette: Palette) -> str:
    """All findings, then a line with the numbers; `columns` is None if no line is to be wrapped, as for a pipe."""
    printed = findings(report, columns, palette)
    room = _room(columns)
    summary = report.summary
    colour = palette.bad if summary.errors else palette.title
    lines = _wrapped(texts.totals(summary), room, "")
    return printed + ("\n" if printed else "") + "".join(f"{palette.paint(colour, line)}\n" for line in lines)


def findings(report: CheckReport, columns: int | None, palette: Palette) -> str:
    """All findings, then all waived ones.

    A finding begins with `file:line  severity  rule  sentence`. Below, indented, are its field, its remedy and its
    changes. There is an empty line between two files. A waived finding has `waived` for its severity, and below it the
    waiver.
    """
    room = _room(columns)
    printed = ""
    last = None
    for finding in report.findings:
        if last is not None and finding.file != last:
            printed += "\n"
        last = finding.file
        printed += _finding(finding, room, palette)
    if report.waived:
        printed += "\n" * bool(printed) + "".join(_waived(each, room, palette) for each in report.waived)
    return printed


def _room(columns: int | None) -> int | None:
    return None if columns is None else max(columns, MIN_COLUMNS)


def _finding(finding: Finding, room: int | None, palette: Palette) -> str:
    lines = _head(finding, finding.severity.value, _colour(finding.severity, palette), room, palette)
    field = texts.field(finding)
    if field:
        lines += [palette.paint(palette.dim, line) for line in _wrapped(field, room, _INDENT)]
    if finding.remedy:
        lines += _wrapped(f"→ {finding.remedy}", room, _INDENT)
    for change in finding.changes:
        lines += _wrapped(texts.change(change), room, f"{_INDENT}  ")
    return "".join(f"{line}\n" for line in lines)


def _waived(one: WaivedFinding, room: int | None, palette: Palette) -> str:
    lines = _head(one.finding, "waived", palette.dim, room, palette)
    lines += [palette.paint(palette.dim, line) for line in _wrapped(texts.waived_by(one.waiver), room, _INDENT)]
    return "".join(f"{line}\n" for line in lines)


def _head(finding: Finding, severity: str, colour: str, room: int | None, palette: Palette) -> list[str]:
    """The lines with the place, the severity, the rule and the sentence."""
    rule = printable(finding.rule)
    place = without_commands(f"{finding.file}:{finding.line}")
    beside = width(f"{_GUTTER}{severity}{_GUTTER}{rule}")
    place = printable(texts.short(place)) if room is None else clipped_front(place, max(room - beside, 12))
    coloured = (
        palette.paint(palette.title, place),
        palette.paint(colour, severity),
        palette.paint(palette.policy, rule),
    )
    head = _GUTTER.join(coloured)
    said = without_commands(texts.sentence(finding))
    if room is None or width(f"{place}{_GUTTER}{said}") + beside <= room:
        return [f"{head}{_GUTTER}{said}"]
    return [head, *_wrapped(said, room, _INDENT)]


def _wrapped(text: str, room: int | None, indent: str) -> list[str]:
    text = without_commands(text)
    if room is None:
        return [indent + printable(texts.short(text))]
    return [indent + line for line in wrapped(text, room - len(indent), _MOST_LINES)]


def _colour(severity: Severity, palette: Palette) -> str:
    colours = {Severity.ERROR: palette.bad, Severity.WARNING: palette.hint, Severity.NOTE: palette.dim}
    return colours[severity]
