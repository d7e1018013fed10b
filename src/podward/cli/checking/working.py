"""Reading and judging many files on all cores.

The files are dealt out to processes. Each reads its share and says which of its files hold policies; with all of
these known, each makes the same policies of them and judges its own workloads. Nothing else has to be shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from podward.api.finding import Finding, Subject
from podward.api.objects import Item
from podward.api.report import Checked
from podward.check.held import Held
from podward.check.judging import judge
from podward.check.waivers import Granted
from podward.cli.checking.reading import File


class Outcome(Struct, frozen=True):
    """What came of some files: findings, the waivers written in them, and the workloads that were looked at."""

    findings: tuple[Finding, ...]
    granted: tuple[Granted, ...]
    checked: tuple[Checked, ...]


def policies_in(files: Iterable[File]) -> tuple[Item, ...]:
    """The policies of these files."""
    return tuple(item for file in files for item in file.policies)


def outcome(files: Sequence[File], held: Held) -> Outcome:
    """Judge every workload of these files."""
    findings: list[Finding] = []
    granted: list[Granted] = []
    checked: list[Checked] = []
    for file in files:
        findings += file.findings
        granted += file.granted
        for workload in file.workloads:
            source = workload.source
            judged = judge(source, workload.document, held)
            findings += judged.findings
            namespace = source.view.metadata.namespace or ""
            checked.append(Checked(file.name, Subject(source.kind, namespace, source.name)))
    return Outcome(tuple(findings), tuple(granted), tuple(checked))
