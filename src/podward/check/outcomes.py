"""What became of a judged workload, and the words for it: refused for which reasons, or admitted by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from podward.api.finding import Finding, Severity
from podward.api.policy_change import WorkloadOutcome
from podward.check.judging import Judged
from podward.check.scc_choice import Chosen
from podward.path import Path

_REFUSING = frozenset(("pss", "scc", "api"))
"""Families of rules for which a cluster refuses Pods."""


def outcome_of(judged: Judged) -> WorkloadOutcome:
    """Refused, or admitted by which SCC."""
    if faults_of(judged):
        return WorkloadOutcome(refused=True)
    chosen = chosen_by(judged)
    return WorkloadOutcome(refused=False, scc=chosen.candidate.name if chosen is not None else "")


def chosen_by(judged: Judged) -> Chosen | None:
    """The SCC that was chosen, whether or not Pod Security lets the Pod in after that; None without one."""
    selection = judged.selection
    return None if selection is None or selection.chosen is None else Chosen(selection, selection.chosen)


def faults_of(judged: Judged) -> tuple[Finding, ...]:
    """What a cluster would refuse the Pods for."""
    return tuple(
        finding
        for finding in judged.findings
        if finding.severity is Severity.ERROR and finding.rule.partition("/")[0] in _REFUSING
    )


def warnings_of(judged: Judged) -> Iterator[Finding]:
    """What Pod Security warns about, or records."""
    for finding in judged.findings:
        if finding.severity is not Severity.ERROR and finding.rule.startswith("pss/"):
            yield finding


def refusers(faults: Iterable[Finding]) -> str:
    """Who refuses, each once."""
    return ", ".join(dict.fromkeys(map(_refuser, faults)))


def refused_for(faults: Collection[Finding]) -> str:
    """Who refuses, and by which rules."""
    return f"refused by {refusers(faults)} for {rules_of(faults)}"


def grievance(fault: Finding) -> tuple[str, Path, str]:
    """What the workload's author reads of it, but for who says so."""
    return fault.rule, fault.path, fault.message


def rules_of(findings: Iterable[Finding]) -> str:
    """The rules' names, each once."""
    return ", ".join(
        dict.fromkeys(f.rule.partition("/")[2] + (" (audit)" if f.severity is Severity.NOTE else "") for f in findings)
    )


def reason_of(fault: Finding) -> str:
    """One sentence: who says it, about which container, and what is wrong."""
    named = fault.subject.container
    container = f"container {named}: " if named and f'"{named}"' not in fault.message else ""
    place = f"{fault.path}: " if fault.rule.startswith("scc/") and fault.path.segments else ""
    return f"{_refuser(fault)}: {container}{place}{fault.message}"


def admitted_words(fate: WorkloadOutcome) -> str:
    """Who admits."""
    return f"admitted by scc {fate.scc}" if fate.scc else "admitted"


def _refuser(fault: Finding) -> str:
    return fault.policy or "the API server"
