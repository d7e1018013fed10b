"""Choice, waivers and baseline, one after the other."""

from __future__ import annotations

from datetime import date

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import CheckedWorkload, Waiver
from podward.check import baseline, waivers
from podward.check.reporting import ReportSettings, build_report
from podward.check.rule_selection import choose
from podward.check.waivers import ScopedWaiver, WaiverTerms
from podward.path import path

TODAY = date(2026, 7, 1)
POD = WorkloadRef("Pod", "shop", "web")


def finding(rule: str, severity: Severity = Severity.ERROR, line: int = 1) -> Finding:
    return Finding(rule, severity, "a.yaml", line, 0, path("spec"), POD, "wrong")


PORTS, HINT, SCC = (
    finding("pss/hostPorts", line=2),
    finding("hint/seccomp-unset", Severity.WARNING),
    finding("scc/access"),
)


def test_each_finding_has_one_fate() -> None:
    waiver = ScopedWaiver(Waiver("scc", "x", TODAY, "podward.toml", 1, in_manifest=False), waivers.scope())
    base = baseline.read(baseline.write([HINT]).encode(), "b")
    unread = finding("input/syntax")
    privileged = finding("pss/privileged")
    terms = ReportSettings(choose((), ("pss/privileged",)), (waiver,), WaiverTerms(TODAY), base)
    found = build_report([PORTS, SCC, HINT, unread, privileged], terms, ["a.yaml"], [CheckedWorkload("a.yaml", POD)])
    assert found.findings == (unread, PORTS)
    assert [each.finding for each in found.waived] == [SCC]
    assert found.baselined == (HINT,)
    assert [rule.name for rule in found.rules] == ["hint/seccomp-unset", "input/syntax", "pss/hostPorts", "scc/access"]
    summary = found.summary
    assert (summary.files, summary.workloads, summary.errors, summary.warnings, summary.waived) == (1, 1, 2, 0, 1)


def test_what_does_not_count_is_not_waived_either() -> None:
    waiver = ScopedWaiver(Waiver("pss", "x", TODAY, "podward.toml", 1, in_manifest=False), waivers.scope())
    assert build_report([PORTS], ReportSettings(choose(("hint",)), (waiver,), WaiverTerms(TODAY)), [], []).waived == ()


def test_the_exit_code_says_the_worst() -> None:
    terms = ReportSettings(choose(), (), WaiverTerms(TODAY))
    codes = [
        build_report(findings, terms, ["a.yaml"], []).exit_code
        for findings in ([], [HINT], [HINT, PORTS], [PORTS, finding("input/limits")])
    ]
    assert codes == [0, 0, 1, 2]


def test_the_order_of_findings_does_not_depend_on_how_they_came() -> None:
    terms = ReportSettings(choose(), (), WaiverTerms(TODAY))
    assert build_report([PORTS, HINT, SCC], terms, [], []) == build_report([SCC, PORTS, HINT], terms, [], [])


def test_a_waived_finding_is_not_in_a_new_baseline() -> None:
    waiver = ScopedWaiver(Waiver("pss", "x", TODAY, "podward.toml", 1, in_manifest=False), waivers.scope())
    found = build_report([PORTS], ReportSettings(choose(), (waiver,), WaiverTerms(TODAY)), [], [])
    assert '"files": {}' in baseline.write(found.findings)
