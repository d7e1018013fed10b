"""`--compare OLD NEW`: every workload is judged by both sets of policies, and the changes are printed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from msgspec import Struct

from podward.api.finding import Finding, Severity
from podward.api.policy_change import ComparedWorkload, PolicyChange, PolicyComparison
from podward.api.report import INPUT_FAMILY, family_of
from podward.check import comparison_wire, wire
from podward.check.comparison import compared_workload, named_workload, policy_changes
from podward.check.comparison_wire import FileResult
from podward.check.judging import judge_by_policies
from podward.check.scc_changes import Side, Sides
from podward.cli import inputs, terminal
from podward.cli.checking.examination import FileReader
from podward.cli.checking.files import STDIN
from podward.cli.checking.parallel import in_parallel
from podward.cli.checking.policies import CheckOptions, sound
from podward.cli.checking.reading import ManifestFile
from podward.cli.checking.reporting import nothing_checked
from podward.cli.checking.settings import Settings
from podward.cli.checking.sides import Asked, asked, sides
from podward.cli.checking.unread import one_a_chart, unfollowed
from podward.errors import UsageError
from podward.policy.pss.labels import ENFORCE
from podward.policy.scc.namespace import UID_RANGE
from podward.policy.scc.new_namespace import FIRST_RANGES

_FORMS = ("table", "json", "html")
_FOR_FINDINGS_ONLY = ("select", "ignore", "baseline", "write_baseline")


def run(args: argparse.Namespace, settings: Settings, names: tuple[str, ...]) -> int:
    """Compare and print; returns 0 if nothing changes, 1 if something does, 2 if something could not be read."""
    words: tuple[str, str] = (args.compare[0], args.compare[1])
    _require_consistent(args, words, names)
    found = comparison(words, settings, names)
    form = args.output or (settings.shape.form if settings.shape.form in _FORMS else _FORMS[0])
    sys.stdout.write(_text(found, form))
    return found.exit_code if found.workloads or args.allow_empty else nothing_checked(names, found.exit_code)


def comparison(
    words: tuple[str, str], settings: Settings, names: tuple[str, ...], processes: int = 0
) -> PolicyComparison:
    """Everything that changes for the workloads of these files.

    `processes` is the number of processes that share the work, 0 for as many as are worth their start. Raises
    InputError and UsageError for words that can't be used, WorkerError if a process did not finish its share.
    """
    work = _Work((asked(words[0]), asked(words[1])), settings.options, names)
    results = in_parallel(names, work, processes)
    policies = work.policies
    workloads = [workload for result in results for workload in result.workloads]
    unread = (
        *(fault for fault in policies.faults if fault.severity is Severity.ERROR),
        *one_a_chart(finding for result in results for finding in result.unread),
        *(unfollowed(link.name, read=False) for link in settings.links if not link.read),
    )
    notes = (
        *(f"{f.file}:{f.line}: {f.message}" for f in policies.faults if f.severity is not Severity.ERROR),
        *_ineffective(words, policies.sides, workloads),
        *_assumed(policies.sides, workloads),
    )
    changes = tuple(change for result in results for change in result.changes)
    return PolicyComparison(*words, changes, tuple(workloads), unread, notes)


class _Policies(Struct, frozen=True):
    """What every process makes of all policies; `faults` are findings about the checked files' policies."""

    sides: Sides
    faults: tuple[Finding, ...]


class _Work:
    """What is done with each file, here or in another process: a `parallel.FileWork`."""

    def __init__(self, asked: tuple[Asked, Asked], options: CheckOptions, names: tuple[str, ...]) -> None:
        self._asked = asked
        self._options = options
        self._names = names
        self._files = FileReader(options)
        self._read: dict[int, ManifestFile] = {}
        self._policies: _Policies | None = None

    @property
    def policies(self) -> _Policies:
        if self._policies is None:
            raise RuntimeError("no workload is judged before all policies are known")
        return self._policies

    def prepare(self) -> None:
        """Nothing: what judges is imported by this module."""

    def read(self, index: int) -> bytes:
        file = self._read[index] = self._files.read(self._names[index])
        return wire.policies_bytes(file.policies) if file.policies else b""

    def set_policies(self, policies: dict[int, bytes]) -> None:
        items = (item for index, found in policies.items() for item in wire.policies(found, self._shown(index)))
        kept, faults = sound(items)
        self._policies = _Policies(sides(*self._asked, kept, self._options), faults)

    def process(self, index: int) -> FileResult:
        file, both = self._read.pop(index), self.policies.sides
        changes: list[PolicyChange] = []
        workloads: list[ComparedWorkload] = []
        for each in file.workloads:
            about = named_workload(each.source, both.new)
            old = new = judge_by_policies(each.source, each.document, both.new.policies)
            if not both.alike(about.subject.namespace):
                old = judge_by_policies(each.source, each.document, both.old.policies)
                changes += policy_changes(old, new, about, both)
            workloads.append(compared_workload(old, new, about))
        unread = tuple(
            finding
            for finding in file.findings
            if family_of(finding.rule) == INPUT_FAMILY and finding.severity is Severity.ERROR
        )
        return FileResult(tuple(changes), tuple(workloads), unread)

    def encode(self, results: list[FileResult]) -> bytes:
        return comparison_wire.file_results_bytes(results)

    def decode(self, message: bytes, indexes: Sequence[int]) -> list[FileResult]:
        return comparison_wire.file_results(message, [self._shown(index) for index in indexes])

    def _shown(self, index: int) -> str:
        name = self._names[index]
        return inputs.STDIN if name == STDIN else name


def _ineffective(words: tuple[str, str], both: Sides, workloads: list[ComparedWorkload]) -> tuple[str, ...]:
    """A note if a standard was named that decides nothing in some namespaces, because their own labels do."""
    sides_of = zip(words, (both.old, both.new), strict=True)
    standards = [word for word, side in sides_of if str(side.policies.standard) in {word, f"{word}:latest"}]
    labelled = sorted({each.subject.namespace for each in workloads if _is_labelled(both.new, each.subject.namespace)})
    if not labelled or not standards:
        return ()
    words_of = " and ".join(dict.fromkeys(standards))
    return (f"{words_of} decides nothing in namespaces whose own labels say what they enforce: {_some(labelled)}",)


def _assumed(both: Sides, workloads: list[ComparedWorkload]) -> tuple[str, ...]:
    """A note if uids are assumed, because the namespaces were not described."""
    with_sccs = [side for side in (both.old, both.new) if side.policies.scc is not None]
    namespaces = {each.subject.namespace for each in workloads}
    names = sorted(name for name in namespaces if any(name not in side.namespaces for side in with_sccs))
    if not names:
        return ()
    ranges = FIRST_RANGES[UID_RANGE]
    return (f"nobody described these namespaces, so uids {ranges} are assumed: {_some(names)}",)


def _is_labelled(side: Side, name: str) -> bool:
    namespace = side.namespaces.get(name)
    return namespace is not None and ENFORCE in (namespace.metadata.labels or {})


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _text(found: PolicyComparison, form: str) -> str:
    """The comparison in this form. Each renderer is imported only if it is needed."""
    if form == "html":
        from podward.render.check import comparison_html

        return comparison_html.page(found)
    if form == "json":
        from podward.render.check import comparison_json

        return comparison_json.document(found)
    from podward.render import palette
    from podward.render.check import comparison_table

    colours = palette.COLOURED if terminal.colour_wanted(sys.stdout) else palette.PLAIN
    columns = terminal.columns(sys.stdout) if sys.stdout.isatty() else None
    return comparison_table.table(found, columns, colours)


def _require_consistent(args: argparse.Namespace, words: tuple[str, str], names: tuple[str, ...]) -> None:
    """Raise UsageError for options that do not go with --compare."""
    for name in _FOR_FINDINGS_ONLY:
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError("it is about findings, and --compare tells changes", where=option, advice="leave it out")
    if (*words, *names).count(STDIN) > 1:
        raise UsageError("standard input can be read once only", where="--compare", advice="name files")
