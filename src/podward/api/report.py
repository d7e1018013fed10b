"""The result of `check`: findings, waived findings, known findings, and the files and workloads that were checked.

The renderers read only these values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from podward.api.finding import Finding, Severity, WorkloadRef

INPUT_FAMILY = "input"
"""The family of rules about files that could not be read. Its findings are in every check."""


class Rule(Struct, frozen=True):
    """A rule: its name (`family/name`), a description in one sentence, and its page in the repository."""

    name: str
    description: str
    page: str


class Waiver(Struct, frozen=True):
    """Somebody's decision to accept findings of a rule, for a reason and until the end of a day.

    `rule` is a rule or a whole family. `file` and `line` are where the waiver is written. `in_manifest` is whether that
    is an annotation of the workload, not a configuration file.
    """

    rule: str
    reason: str
    expires: date
    file: str
    line: int
    in_manifest: bool


class WaivedFinding(Struct, frozen=True):
    """A finding and the waiver that covers it."""

    finding: Finding
    waiver: Waiver


class CheckedWorkload(Struct, frozen=True, gc=False):
    """A workload that was checked, with or without findings; `scc` is the SCC that admits it, empty for none."""

    file: str
    subject: WorkloadRef
    scc: str = ""


class Summary(Struct, frozen=True):
    """The numbers of checked files and workloads, of findings by severity, and of waived and baseline findings.

    `vanished` counts findings of the baseline that are no longer found.
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
    """The result of one check; findings are ordered by file, line and rule.

    `files` are the checked files, `checked` the workloads in them, `rules` the rules of all findings.
    """

    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...]
    baselined: tuple[Finding, ...]
    vanished: int
    files: tuple[str, ...]
    checked: tuple[CheckedWorkload, ...]
    rules: tuple[Rule, ...]

    @property
    def summary(self) -> Summary:
        """The numbers of findings, files and workloads."""
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
        """2 if something could not be read, else 1 if there is an error, else 0."""
        failing = {finding.rule for finding in self.findings if finding.severity is Severity.ERROR}
        if any(family_of(rule) == INPUT_FAMILY for rule in failing):
            return 2
        return 1 if failing else 0


def family_of(rule: str) -> str:
    """The part of a rule's name before the slash."""
    return rule.partition("/")[0]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings ordered by file, line, document, rule, field and message: the order is the same in every run."""
    by_line: dict[tuple[str, int, int], list[Finding]] = {}
    for finding in findings:
        by_line.setdefault((finding.file, finding.line, finding.document), []).append(finding)
    ordered: list[Finding] = []
    for at in sorted(by_line):
        here = by_line[at]
        ordered += sorted(here, key=sort_key) if len(here) > 1 else here  # few findings need the key, and it takes time
    return tuple(ordered)


def sort_key(finding: Finding) -> tuple[str, int, int, str, str, str, str, str, str]:
    """The key by which findings are ordered."""
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
