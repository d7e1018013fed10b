"""The report in the form that was asked for."""

from __future__ import annotations

from typing import TextIO

from podward.api.report import Report
from podward.cli import terminal


def text(report: Report, form: str, stream: TextIO) -> str:
    """The report for `stream`; each form is imported where it is asked for."""
    if form == "json":
        from podward.render.check import json

        return json.document(report)
    if form == "sarif":
        from podward.render.check import sarif

        return sarif.document(report)
    if form == "junit":
        from podward.render.check import junit

        return junit.document(report)
    if form == "github":
        from podward.render.check import github

        return github.commands(report)
    return _table(report, stream)


def _table(report: Report, stream: TextIO) -> str:
    from podward.render.check import table
    from podward.render.explain import palette

    colours = palette.COLOURED if terminal.colour_wanted(stream) else palette.PLAIN
    return table.table(report, terminal.columns(stream) if stream.isatty() else None, colours)
