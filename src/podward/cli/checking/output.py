"""The report in the form that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct

from podward.api.report import CheckReport
from podward.cli import terminal

if TYPE_CHECKING:
    from podward.render.check.json import JsonFindings


class Shape(Struct, frozen=True):
    """How the report is printed: in which form, only its findings, or only how often each rule is broken."""

    form: str
    quiet: bool = False
    statistics: bool = False


def json_findings(shape: Shape) -> JsonFindings | None:
    """If findings are wanted as JSON, the object that encodes them one by one as they are found; else None."""
    if shape.form != "json" or shape.statistics:
        return None
    from podward.check.rules import page_of
    from podward.render.check.json import JsonFindings

    return JsonFindings(page_of)


def pieces(
    report: CheckReport,
    shape: Shape,
    stream: TextIO,
    select: Collection[str] = (),
    encoded: JsonFindings | None = None,
) -> Iterable[str]:
    """The report for `stream`, in pieces that are to be written one after the other: it may be long.

    `select` are the rules and families that were selected by name: `--fix` follows their advice, too. `encoded` has
    findings that are encoded as JSON already.
    """
    if shape.statistics:
        return (_statistics(report, shape),)
    if shape.form == "json":
        from podward.render.check import json

        return json.document(report, encoded)
    return (_text(report, shape, stream, select),)


def _text(report: CheckReport, shape: Shape, stream: TextIO, select: Collection[str]) -> str:
    """The report in one of the other forms. Each renderer is imported only if it is needed."""
    form = shape.form
    if form == "sarif":
        from podward.cli.checking import finding_fixes
        from podward.render.check import sarif

        return sarif.document(report, finding_fixes.source_files_of(report, select))
    if form == "junit":
        from podward.render.check import junit

        return junit.document(report)
    if form == "gitlab":
        from podward.render.check import gitlab

        return gitlab.document(report)
    if form == "github":
        from podward.render.check import github

        return github.findings(report) if shape.quiet else github.commands(report)
    return _table(report, shape, stream)


def _statistics(report: CheckReport, shape: Shape) -> str:
    from podward.render.check import statistics

    return statistics.document(report) if shape.form == "json" else statistics.table(report)


def _table(report: CheckReport, shape: Shape, stream: TextIO) -> str:
    from podward.render import palette
    from podward.render.check import table

    colours = palette.COLOURED if terminal.colour_wanted(stream) else palette.PLAIN
    columns = terminal.columns(stream) if stream.isatty() else None
    if shape.quiet:
        return table.findings(report, columns, colours)
    if shape.form == "wide":
        from podward.render.check import workloads

        return workloads.table(report) + table.table(report, columns, colours)
    return table.table(report, columns, colours)
