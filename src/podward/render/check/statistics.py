"""`check --statistics`: how often each rule is broken, the most frequent first."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from podward.api.finding import Severity
from podward.api.report import CheckReport
from podward.render.check import texts
from podward.render.escaping import printable

_ORDER = {severity: place for place, severity in enumerate(Severity)}


class RuleCount(Struct, frozen=True):
    """How many findings of one severity a rule has."""

    rule: str
    severity: str
    count: int
    description: str


def document(report: CheckReport) -> str:
    """The counts as JSON: a list."""
    return texts.json_text(list(_counts(report)))


def table(report: CheckReport) -> str:
    """A line for each rule, then the numbers."""
    rows = [(str(each.count), each.severity, each.rule, each.description) for each in _counts(report)]
    if not rows:
        return f"{texts.totals(report.summary)}\n"
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        f"{count:>{widths[0]}}  {severity:{widths[1]}}  {rule:{widths[2]}}  {printable(described)}\n"
        for count, severity, rule, described in rows
    ]
    return f"{''.join(lines)}\n{texts.totals(report.summary)}\n"


def _counts(report: CheckReport) -> Iterable[RuleCount]:
    descriptions = {rule.name: rule.description for rule in report.rules}
    counted: dict[tuple[str, Severity], int] = {}
    for finding in report.findings:
        key = finding.rule, finding.severity
        counted[key] = counted.get(key, 0) + 1
    for (rule, severity), count in sorted(counted.items(), key=lambda each: (-each[1], _ORDER[each[0][1]], each[0][0])):
        yield RuleCount(rule, severity.value, count, descriptions[rule])
