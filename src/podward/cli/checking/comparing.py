"""`--compare OLD NEW`: every workload judged by both, and what changes told."""

from __future__ import annotations

import argparse
import sys

from podward.api.finding import Finding, Severity
from podward.api.report import UNREAD, family_of
from podward.api.shift import Comparison, Placed, Shift
from podward.check.capture import Side, Sides
from podward.check.comparing import compared, placed, workload
from podward.check.held import FIRST_RANGES
from podward.check.judging import judge
from podward.cli import terminal
from podward.cli.checking import working
from podward.cli.checking.files import STDIN
from podward.cli.checking.holding import sound
from podward.cli.checking.reading import File, read_file
from podward.cli.checking.settings import Settings
from podward.cli.checking.sides import sides
from podward.errors import UsageError
from podward.policy.pss.labels import ENFORCE

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


def comparison(words: tuple[str, str], chosen: Settings, names: tuple[str, ...]) -> Comparison:
    """Everything that changes for the workloads of these files."""
    read = [read_file(name) for name in names]
    items, faults = sound(working.policies_in(read))
    both = Sides(*sides(words, items, chosen.wishes))
    shifts: list[Shift] = []
    every: list[Placed] = []
    for file in read:
        for sourced in file.workloads:
            old, new = (judge(sourced.source, sourced.document, side.held) for side in (both.old, both.new))
            about = workload(sourced.source, both.new)
            every.append(placed(old, new, about))
            shifts += compared(old, new, about, both)
    unread = tuple(finding for finding in (*faults, *_unread(read)) if finding.severity is Severity.ERROR)
    notes = (
        *(f"{f.file}:{f.line}: {f.message}" for f in faults if f not in unread),
        *_idle(words, both, every),
        *_assumed(both, every),
    )
    return Comparison(*words, tuple(shifts), tuple(every), unread, notes)


def _unread(read: list[File]) -> tuple[Finding, ...]:
    return tuple(finding for file in read for finding in file.findings if family_of(finding.rule) == UNREAD)


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
    ranges = FIRST_RANGES["openshift.io/sa.scc.uid-range"]
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
    from podward.render.check import comparison as rendering

    if form == "json":
        return rendering.document(found)
    from podward.render.explain import palette

    colours = palette.COLOURED if terminal.colour_wanted(sys.stdout) else palette.PLAIN
    columns = terminal.columns(sys.stdout) if sys.stdout.isatty() else None
    return rendering.table(found, columns, colours)


def _require_sense(args: argparse.Namespace, words: tuple[str, str], names: tuple[str, ...]) -> None:
    """Raise UsageError for words that do not go with --compare."""
    for name in _ELSEWHERE:
        if getattr(args, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError("it is about findings, and --compare tells changes", where=option, advice="leave it out")
    if (*words, *names).count(STDIN) > 1:
        raise UsageError("standard input can be read once only", where="--compare", advice="name files")
