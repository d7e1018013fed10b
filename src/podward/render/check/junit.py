"""`check -o junit`: the XML that GitLab, Jenkins and most other CI systems show as test results.

Specification: there is no standard, so this follows the strictest schema and what is read. Jenkins' xunit plugin
validates against its junit-10.xsd (since 2.2.4: a testcase has a name, a classname, a time and a group, and no file;
testsuites have no skipped); its junit plugin does not. GitLab (lib/gitlab/ci/parsers/test/junit.rb) tells testcases
apart by the names of suite, class and case, and shows the text of a failure or an error.

A `testsuite` is a file. A `testcase` is a rule that a workload breaks, with all findings in one `failure` (in one
`error` if the file could not be read, in one `skipped` if they are waived or in the baseline). A workload without
findings is a testcase that passes. Findings that are no errors do not fail; they are in `system-out`. XML parsers
refuse texts of more than 10 MB (libxml2 without its huge option), so a testcase lists only its first findings.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import INPUT_FAMILY, CheckReport, family_of
from podward.render.check import texts
from podward.render.escaping import escape

_NAME = "podward check"


_LISTED = 100
"""The most findings that one testcase lists."""


class _Case(Struct, gc=False):
    """One testcase; `texts` are its findings, `message` is the first one of them in short."""

    workload: str
    rule: str
    outcome: str
    texts: list[str]
    message: str


def document(report: CheckReport) -> str:
    """The report as XML."""
    files = _by_file(report)
    suites = "".join(_cases(file, cases) for file, cases in files.items())
    counts = _failed([case for cases in files.values() for case in cases])
    head = f'<testsuites name="{_NAME}" {counts} time="0">'
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{suites}</testsuites>\n'
    # The same text for an XML parser, but no commands for a program that reads logs (`escaping.without_commands`).
    return text.replace("::", ":&#58;").replace("##", "#&#35;")


def _by_file(report: CheckReport) -> dict[str, list[_Case]]:
    """The testcases of every file, also of files without any."""
    found: dict[tuple[str, str, str, str], _Case] = {}
    for finding in report.findings:
        outcome = _outcome(finding)
        _add(found, finding, outcome, texts.sentence(finding), _finding_text(finding))
    for waived in report.waived:
        why = texts.waived_by(waived.waiver)
        _add(found, waived.finding, "skipped", why, why)
    for finding in report.baselined:
        _add(found, finding, "skipped", "in the baseline", "in the baseline")
    files: dict[str, list[_Case]] = {file: [] for file in sorted({*report.files, *(key[0] for key in found)})}
    for (file, *_), case in found.items():
        files[file].append(case)
    blamed = {(file, case.workload) for file, cases in files.items() for case in cases}
    for checked in report.checked:
        name = _workload(checked.subject)
        if (checked.file, name) not in blamed:
            files.setdefault(checked.file, []).append(_Case(name, "no findings", "", [], ""))
    return files


def _outcome(finding: Finding) -> str:
    if finding.severity is not Severity.ERROR:
        return "system-out"
    return "error" if family_of(finding.rule) == INPUT_FAMILY else "failure"


def _add(
    found: dict[tuple[str, str, str, str], _Case], finding: Finding, outcome: str, message: str, text: str
) -> None:
    """Add the finding to the testcase of its workload, its rule and its outcome."""
    name = _workload(finding.subject)
    key = (finding.file, name, finding.rule, outcome)
    if key not in found:
        found[key] = _Case(name, finding.rule, outcome, [], message)
    found[key].texts.append(text)


def _workload(subject: WorkloadRef) -> str:
    return texts.workload(subject) or "the file"


def _finding_text(finding: Finding) -> str:
    lines = [f"{finding.file}:{finding.line} {texts.sentence(finding)}"]
    if finding.path.segments:
        lines.append(f"  {finding.path}")
    if finding.remedy:
        lines.append(f"  → {finding.remedy}")
    lines += [f"    {texts.change(change)}" for change in finding.changes]
    return "\n".join(lines)


def _cases(file: str, cases: list[_Case]) -> str:
    listed = "".join(map(_case, cases))
    skipped = sum(case.outcome == "skipped" for case in cases)
    counts = f'{_failed(cases)} skipped="{skipped}" time="0" file="{escape(file)}"'
    return f' <testsuite name="{escape(file)}" {counts}>\n{listed} </testsuite>\n'


def _failed(cases: list[_Case]) -> str:
    outcomes = [case.outcome for case in cases]
    return f'tests="{len(cases)}" failures="{outcomes.count("failure")}" errors="{outcomes.count("error")}"'


def _case(case: _Case) -> str:
    head = f'  <testcase name="{escape(case.rule)}" classname="{escape(case.workload)}" time="0"'
    if not case.outcome:
        return f"{head}/>\n"
    body = "\n".join(escape(line) for text in case.texts[:_LISTED] for line in text.split("\n"))
    if len(case.texts) > _LISTED:
        body += f"\nand {len(case.texts) - _LISTED} more"
    if case.outcome == "skipped":
        return f'{head}>\n   <skipped message="{escape(case.message)}"/>\n  </testcase>\n'
    if case.outcome == "system-out":
        return f"{head}>\n   <system-out>{body}</system-out>\n  </testcase>\n"
    about = f'message="{escape(case.message)}" type="{escape(case.rule)}"'
    return f"{head}>\n   <{case.outcome} {about}>{body}</{case.outcome}>\n  </testcase>\n"
