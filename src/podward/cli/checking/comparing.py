"""`--compare OLD NEW`: every workload judged by both, and what changes told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from msgspec import Struct

from podward.api.finding import Finding, Severity
from podward.api.policy_change import Comparison, Placed, PolicyChange
from podward.api.report import UNREAD, family_of
from podward.check import comparison_wire, wire
from podward.check.comparing import compared, placed, workload
from podward.check.comparison_wire import FileResult
from podward.check.judging import judge_by_policies
from podward.check.scc_choice import Side, Sides
from podward.cli import inputs, terminal
from podward.cli.checking.files import STDIN
from podward.cli.checking.policies import CheckOptions, sound
from podward.cli.checking.reading import File, read_file
from podward.cli.checking.settings import Settings
from podward.cli.checking.sharing import shared
from podward.cli.checking.sides import Asked, asked, sides
from podward.errors import UsageError
from podward.policy.pss.labels import ENFORCE
from podward.policy.scc.namespace import UID_RANGE
from podward.policy.scc.new_namespace import FIRST_RANGES

_FORMS = ("table", "json", "html")
_ELSEWHERE = ("select", "ignore", "baseline", "write_baseline")


def run(args: argparse.Namespace, chosen: Settings, names: tuple[str, ...]) -> int:
    """Compare, and print; 0 nothing changes, 1 something does, 2 something could not be read."""
    words: tuple[str, str] = (args.compare[0], args.compare[1])
    _require_sense(args, words, names)
    found = comparison(words, chosen, names)
    form = args.output or (chosen.output if chosen.output in _FORMS else _FORMS[0])
    sys.stdout.write(_text(found, form))
    return found.exit_code


def comparison(words: tuple[str, str], chosen: Settings, names: tuple[str, ...], processes: int = 0) -> Comparison:
    """Everything that changes for the workloads of these files.

    `processes` is how many share the work, 0 for as many as are worth it.
    Raises InputError and UsageError for words that can't be used, WorkerError where a process did not end well.
    """
    work = _Work((asked(words[0]), asked(words[1])), chosen.wishes, names)
    every = shared(names, work, processes)
    settled = work.settled
    placed = [place for came in every for place in came.placed]
    faults = settled.faults
    unread = (*(fault for fault in faults if fault.severity is Severity.ERROR), *(f for c in every for f in c.unread))
    notes = (
        *(f"{f.file}:{f.line}: {f.message}" for f in faults if f.severity is not Severity.ERROR),
        *_idle(words, settled.sides, placed),
        *_assumed(settled.sides, placed),
    )
    return Comparison(*words, tuple(shift for came in every for shift in came.shifts), tuple(placed), unread, notes)


class _Settled(Struct, frozen=True):
    """What every process makes of all policies: the sides, and what of the checked files' policies is no good."""

    sides: Sides
    faults: tuple[Finding, ...]


class _Work:
    """What is done about each file, here or in another process: `sharing.Work`."""

    def __init__(self, asked: tuple[Asked, Asked], wishes: CheckOptions, names: tuple[str, ...]) -> None:
        self._asked = asked
        self._wishes = wishes
        self._names = names
        self._read: dict[int, File] = {}
        self._settled: _Settled | None = None

    @property
    def settled(self) -> _Settled:
        if self._settled is None:
            raise RuntimeError("no workload is judged before all policies are known")
        return self._settled

    def read(self, index: int) -> bytes:
        file = self._read[index] = read_file(self._names[index])
        return wire.policies_bytes(file.policies) if file.policies else b""

    def settle(self, policies: dict[int, bytes]) -> None:
        items = (item for index, found in policies.items() for item in wire.policies(found, self._shown(index)))
        kept, faults = sound(items)
        self._settled = _Settled(sides(*self._asked, kept, self._wishes), faults)

    def make(self, index: int) -> FileResult:
        file, both = self._read.pop(index), self.settled.sides
        shifts: list[PolicyChange] = []
        every: list[Placed] = []
        for sourced in file.workloads:
            about = workload(sourced.source, both.new)
            old = new = judge_by_policies(sourced.source, sourced.document, both.new.held)
            if not both.alike(about.subject.namespace):
                old = judge_by_policies(sourced.source, sourced.document, both.old.held)
                shifts += compared(old, new, about, both)
            every.append(placed(old, new, about))
        unread = tuple(finding for finding in file.findings if family_of(finding.rule) == UNREAD)
        return FileResult(tuple(shifts), tuple(every), unread)

    def send(self, came: list[FileResult]) -> bytes:
        return comparison_wire.file_result_bytes(came)

    def receive(self, message: bytes, indexes: Sequence[int]) -> list[FileResult]:
        return comparison_wire.file_result(message, [self._shown(index) for index in indexes])

    def _shown(self, index: int) -> str:
        name = self._names[index]
        return inputs.STDIN if name == STDIN else name


def _idle(words: tuple[str, str], both: Sides, every: list[Placed]) -> tuple[str, ...]:
    """A note where a standard was named that a namespace's own labels leave nothing to decide."""
    sides_of = zip(words, (both.old, both.new), strict=True)
    standards = [word for word, side in sides_of if str(side.held.standard) in {word, f"{word}:latest"}]
    deaf = sorted({place.subject.namespace for place in every if _is_labelled(both.new, place.subject.namespace)})
    if not deaf or not standards:
        return ()
    words_of = " and ".join(dict.fromkeys(standards))
    return (f"{words_of} decides nothing in namespaces whose own labels say what they enforce: {_some(deaf)}",)


def _assumed(both: Sides, every: list[Placed]) -> tuple[str, ...]:
    """A note where the ids of namespaces that nobody described are made up."""
    sides_of = [side for side in (both.old, both.new) if side.held.scc is not None]
    names = sorted(
        {p.subject.namespace for p in every if any(p.subject.namespace not in s.namespaces for s in sides_of)}
    )
    if not names:
        return ()
    ranges = FIRST_RANGES[UID_RANGE]
    return (f"nobody described these namespaces, so uids {ranges} are assumed: {_some(names)}",)


def _is_labelled(side: Side, name: str) -> bool:
    namespace = side.namespaces.get(name)
    return namespace is not None and ENFORCE in (namespace.metadata.labels or {})


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _text(found: Comparison, form: str) -> str:
    """The comparison in its form; each is imported where it is asked for."""
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


def _require_sense(args: argparse.Namespace, words: tuple[str, str], names: tuple[str, ...]) -> None:
    """Raise UsageError for words that do not go with --compare."""
    for name in _ELSEWHERE:
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError("it is about findings, and --compare tells changes", where=option, advice="leave it out")
    if (*words, *names).count(STDIN) > 1:
        raise UsageError("standard input can be read once only", where="--compare", advice="name files")
