"""The outcome of a judged workload, in words too: refused by whom and why, or admitted by which SCC."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from podward.api.finding import Finding, Severity
from podward.api.policy_change import WorkloadOutcome
from podward.check.judging import Judged
from podward.check.scc_changes import ChosenScc
from podward.path import Path

_REFUSING = frozenset(("pss", "scc", "api"))
"""The families of rules whose errors make a cluster refuse a Pod."""


def outcome_of(judged: Judged) -> WorkloadOutcome:
    """The workload's outcome: refused, or admitted by an SCC."""
    if refusals_of(judged):
        return WorkloadOutcome(refused=True)
    chosen = chosen_by(judged)
    return WorkloadOutcome(refused=False, scc=chosen.candidate.name if chosen is not None else "")


def chosen_by(judged: Judged) -> ChosenScc | None:
    """The SCC that was chosen, even if Pod Security refuses the Pod after that; None without one."""
    selection = judged.selection
    return None if selection is None or selection.chosen is None else ChosenScc(selection, selection.chosen)


def refusals_of(judged: Judged) -> tuple[Finding, ...]:
    """The findings for which a cluster would refuse the Pods."""
    return tuple(
        finding
        for finding in judged.findings
        if finding.severity is Severity.ERROR and finding.rule.partition("/")[0] in _REFUSING
    )


def warnings_of(judged: Judged) -> Iterator[Finding]:
    """The findings that Pod Security warns about, or records."""
    for finding in judged.findings:
        if finding.severity is not Severity.ERROR and finding.rule.startswith("pss/"):
            yield finding


def refusing_policies(faults: Iterable[Finding]) -> str:
    """The names of the policies that refuse, each once."""
    return ", ".join(dict.fromkeys(map(_refusing_policy, faults)))


def refused_for(faults: Collection[Finding]) -> str:
    """The policies that refuse, and the rules for which they do."""
    return f"refused by {refusing_policies(faults)} for {rules_of(faults)}"


def refusal_key(fault: Finding) -> tuple[str, Path, str]:
    """What makes two refusals the same for the author of the workload: all but the name of the policy."""
    return fault.rule, fault.path, fault.message


def rules_of(findings: Iterable[Finding]) -> str:
    """The rules' names, each once."""
    return ", ".join(
        dict.fromkeys(f.rule.partition("/")[2] + (" (audit)" if f.severity is Severity.NOTE else "") for f in findings)
    )


def reason_of(fault: Finding) -> str:
    """One sentence: the policy, the container, and what is wrong."""
    named = fault.subject.container
    container = f"container {named}: " if named and f'"{named}"' not in fault.message else ""
    place = f"{fault.path}: " if fault.rule.startswith("scc/") and fault.path.segments else ""
    return f"{_refusing_policy(fault)}: {container}{place}{fault.message}"


def admitted_by(outcome: WorkloadOutcome) -> str:
    """The words for an admitted workload."""
    return f"admitted by scc {outcome.scc}" if outcome.scc else "admitted"


def _refusing_policy(fault: Finding) -> str:
    return fault.policy or "the API server"
