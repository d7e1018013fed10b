"""All that a check came to: what it found, what was waived, what was known before, and what was looked at.

Renderers read these values and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from podward.api.finding import Finding, Severity, WorkloadRef

UNREAD = "input"
"""The family of rules about files that could not be read: such findings are bad input, never waived nor ignored."""


class Rule(Struct, frozen=True):
    """A rule as documentation names it: `family/name`, one sentence, and its page in the repository."""

    name: str
    description: str
    page: str


class Waiver(Struct, frozen=True):
    """Somebody's decision to live with findings of a rule, for a reason and until the end of a day.

    `rule` is a rule or a whole family. `file` and `line` are where the waiver is written; `in_manifest` whether that is
    an annotation of the workload rather than a configuration file.
    """

    rule: str
    reason: str
    expires: date
    file: str
    line: int
    in_manifest: bool


class Waived(Struct, frozen=True):
    """A finding, and the waiver that covers it."""

    finding: Finding
    waiver: Waiver


class Checked(Struct, frozen=True, gc=False):
    """A workload that was checked, whether or not anything was found."""

    file: str
    subject: WorkloadRef


class Summary(Struct, frozen=True):
    """How many of each: files and workloads checked, findings by severity, findings waived or in the baseline.

    `vanished` counts findings of the baseline that are found no more.
    """

    files: int
    workloads: int
    errors: int
    warnings: int
    notes: int
    waived: int
    baselined: int
    vanished: int


class CheckReport(Struct, frozen=True):
    """One check's result; findings are in the order of files, lines and rules.

    `files` are all that were looked at, `checked` the workloads in them, `rules` those that any finding names.
    """

    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    baselined: tuple[Finding, ...]
    vanished: int
    files: tuple[str, ...]
    checked: tuple[Checked, ...]
    rules: tuple[Rule, ...]

    @property
    def summary(self) -> Summary:
        """The sums."""
        severities = [finding.severity for finding in self.findings]
        return Summary(
            len(self.files),
            len(self.checked),
            severities.count(Severity.ERROR),
            severities.count(Severity.WARNING),
            severities.count(Severity.NOTE),
            len(self.waived),
            len(self.baselined),
            self.vanished,
        )

    @property
    def exit_code(self) -> int:
        """2 where something could not be read, else 1 where there is an error, else 0."""
        failing = {finding.rule for finding in self.findings if finding.severity is Severity.ERROR}
        if any(family_of(rule) == UNREAD for rule in failing):
            return 2
        return 1 if failing else 0


def family_of(rule: str) -> str:
    """The part of a rule's name before the slash."""
    return rule.partition("/")[0]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings by file, line, document, rule, field and sentence: the same in every run."""
    by_line: dict[tuple[str, int, int], list[Finding]] = {}
    for finding in findings:
        by_line.setdefault((finding.file, finding.line, finding.document), []).append(finding)
    ordered: list[Finding] = []
    for at in sorted(by_line):
        here = by_line[at]
        ordered += sorted(here, key=place_of) if len(here) > 1 else here  # what a key costs, few findings need
    return tuple(ordered)


def place_of(finding: Finding) -> tuple[str, int, int, str, str, str, str, str, str]:
    """What findings are put in order by."""
    about = finding.subject
    return (
        finding.file,
        finding.line,
        finding.document,
        finding.rule,
        about.namespace,
        about.name,
        about.container,
        str(finding.path),
        finding.message,
    )
