"""`check -o wide`: a line for each workload, with the SCC that admits it where the check asks about SCCs."""

from __future__ import annotations

from podward.api.finding import Severity, WorkloadRef
from podward.api.report import CheckReport
from podward.render.check import texts
from podward.render.escaping import printable, without_commands

_REFUSED, _ADMITTED = "refused", "admitted"
_NO_SCC = "-"
_LONGEST = 120


def table(report: CheckReport) -> str:
    """The lines, and an empty one below them; nothing if there is no workload."""
    if not report.checked:
        return ""
    refusing: dict[tuple[str, WorkloadRef], dict[str, None]] = {}
    for finding in report.findings:
        if finding.severity is Severity.ERROR:
            refusing.setdefault((finding.file, _whole(finding.subject)), {})[finding.rule] = None
    with_sccs = any(each.scc for each in report.checked)
    rows = [("NAMESPACE", "WORKLOAD", *(("SCC",) if with_sccs else ()), "OUTCOME", "FILE")]
    for each in report.checked:
        about = each.subject
        rules = refusing.get((each.file, about))
        outcome = f"{_REFUSED}: {', '.join(rules)}" if rules else _ADMITTED
        scc = (each.scc or _NO_SCC,) if with_sccs else ()
        rows.append((about.namespace, f"{about.kind}/{about.name}", *scc, outcome, each.file))
    shown = [[_cell(text) for text in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    lines = ("  ".join(f"{text:{size}}" for text, size in zip(row, widths, strict=True)).rstrip() for row in shown)
    return "".join(f"{without_commands(line)}\n" for line in lines) + "\n"


def _whole(about: WorkloadRef) -> WorkloadRef:
    """The workload without its container."""
    return WorkloadRef(about.kind, about.namespace, about.name)


def _cell(text: str) -> str:
    said = printable(texts.short(text))
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
