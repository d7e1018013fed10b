"""`check -o github`: annotations of a pull request.

Specification: GitHub Actions' workflow commands, as actions/toolkit 2.x writes them (core, command.ts):
`::error file=F,line=N,title=T::message`, one to a line, the commands `error`, `warning` and `notice`. In a message `%`,
CR and LF are written `%25`, `%0D` and `%0A`; in a property `:` and `,` too, `%3A` and `%2C`. GitHub shows at most ten
of each kind for a step, so the sums stand at the end in plain words.
"""

from __future__ import annotations

from podward.api.finding import Finding, Severity
from podward.api.report import Report
from podward.render.check import texts
from podward.render.explain.inert import printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_LONGEST = 4000
"""Characters of one message: GitHub cuts off annotations at 64 KiB, and people stop reading before."""


def commands(report: Report) -> str:
    """One command for each finding, then the sums."""
    return "".join(_annotation(finding) for finding in report.findings) + f"{texts.totals(report.summary)}\n"


def _annotation(finding: Finding) -> str:
    lines = [texts.sentence(finding)]
    field = texts.field(finding)
    if field:
        lines.append(printable(field))
    if finding.remedy:
        lines.append(f"→ {printable(finding.remedy)}")
    lines += [printable(texts.change(change)) for change in finding.changes]
    message = _data("\n".join(lines)[:_LONGEST])
    properties = f"file={_property(finding.file)},line={finding.line},title={_property(finding.rule)}"
    return f"::{_COMMANDS[finding.severity]} {properties}::{message}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
