"""`check -o github`: annotations of a pull request.

Specification: GitHub Actions' workflow commands, as actions/toolkit 2.x writes them (core, command.ts) and
actions/runner 2.x reads them (ActionCommand.cs): `::error file=F,line=N,title=T::message`, one to a line, the commands
`error`, `warning` and `notice`. In a message `%`, CR and LF are written `%25`, `%0D` and `%0A`; in a property `:` and
`,` too, `%3A` and `%2C`. The runner keeps 4096 characters of a message and the first ten annotations of each kind of a
step (ExecutionContext.cs: 50 of a job are shown); in the log it prints the message alone.

So each message begins with its place, for the log. If there are more than ten findings of a kind, a notice at the
beginning says so, and findings at different places of different files come first: ten places are more useful than ten
findings about one Pod. A waived finding is a notice. Gitea and Forgejo have no such limits and show all findings.
"""

from __future__ import annotations

from collections.abc import Iterable

from podward.api.finding import Finding, Severity
from podward.api.report import CheckReport, WaivedFinding
from podward.render.check import texts
from podward.render.escaping import printable, without_commands

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_LONGEST = 4000
"""Characters of one message."""
_SHOWN = 10
"""The most annotations of a kind that a step may have."""


def commands(report: CheckReport) -> str:
    """One command for each finding and each waived one, then the numbers."""
    return f"{findings(report)}{texts.totals(report.summary)}\n"


def findings(report: CheckReport) -> str:
    """The commands alone. If there are too many, the best ones of each kind come first."""
    waived = "".join(_waived(each) for each in report.waived)
    kinds = [[each for each in report.findings if each.severity is kind] for kind in Severity]
    notices = len(kinds[-1]) + len(report.waived)
    if max(notices, *map(len, kinds)) <= _SHOWN:
        return "".join(map(_annotation, report.findings)) + waived
    sums = texts.totals(report.summary)
    said = f"{sums}. GitHub shows {_SHOWN} annotations of a kind: the log of this step has all findings."
    annotations = "".join(_annotation(finding) for kind in kinds[:-1] for finding in _spread(kind))
    notes = "".join(map(_annotation, _spread(kinds[-1])))
    return f"::notice title=podward check::{_data(said)}\n{annotations}{waived}{notes}"


def _spread(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in another order: first one of each file, then one of each place in it, then the others."""
    files: dict[str, int] = {}
    places: dict[tuple[str, int], int] = {}
    ranked: list[tuple[int, int, Finding]] = []
    for finding in findings:
        at = finding.file, finding.line
        if at not in places:
            files[finding.file] = files.get(finding.file, 0) + 1
        places[at] = places.get(at, 0) + 1
        ranked.append((places[at], files[finding.file], finding))
    return [finding for *_, finding in sorted(ranked, key=lambda each: each[:2])]


def _annotation(finding: Finding) -> str:
    lines = [f"{printable(finding.file)}:{finding.line} {texts.sentence(finding)}"]
    field = texts.field(finding)
    if field:
        lines.append(printable(field))
    if finding.remedy:
        lines.append(f"→ {printable(finding.remedy)}")
    lines += [printable(texts.change(change)) for change in finding.changes]
    return _command(_COMMANDS[finding.severity], finding, finding.rule, lines)


def _waived(one: WaivedFinding) -> str:
    """A notice: whoever reads only the annotations must see what a waiver lets through."""
    finding = one.finding
    place = f"{printable(finding.file)}:{finding.line} {texts.sentence(finding)}"
    return _command(_COMMANDS[Severity.NOTE], finding, f"waived: {finding.rule}", [place, texts.waived_by(one.waiver)])


def _command(name: str, finding: Finding, title: str, lines: list[str]) -> str:
    message = _data(without_commands("\n".join(map(texts.short, lines)))[:_LONGEST])
    properties = f"file={_property(finding.file)},line={finding.line},title={_property(title)}"
    return f"::{name} {properties}::{message}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")
