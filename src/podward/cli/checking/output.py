"""The report in the form that was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, TextIO

from podward.api.report import CheckReport
from podward.cli import terminal

if TYPE_CHECKING:
    from podward.render.check.json import JsonFindings


def json_findings(form: str) -> JsonFindings | None:
    """If the form is JSON, the object that encodes findings one by one as they are found; None for any other form."""
    if form != "json":
        return None
    from podward.check.rules import page_of
    from podward.render.check.json import JsonFindings

    return JsonFindings(page_of)


def pieces(
    report: CheckReport,
    form: str,
    stream: TextIO,
    select: Collection[str] = (),
    encoded: JsonFindings | None = None,
) -> Iterable[str]:
    """The report for `stream`, in pieces that are to be written one after the other: it may be long.

    `select` are the rules and families that were selected by name: `--fix` follows their advice, too. `encoded` has
    findings that are encoded as JSON already.
    """
    if form == "json":
        from podward.render.check import json

        return json.document(report, encoded)
    return (_text(report, form, stream, select),)


def _text(report: CheckReport, form: str, stream: TextIO, select: Collection[str]) -> str:
    """The report in one of the other forms. Each renderer is imported only if it is needed."""
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

        return github.commands(report)
    return _table(report, stream)


def _table(report: CheckReport, stream: TextIO) -> str:
    from podward.render import palette
    from podward.render.check import table

    colours = palette.COLOURED if terminal.colour_wanted(stream) else palette.PLAIN
    return table.table(report, terminal.columns(stream) if stream.isatty() else None, colours)
