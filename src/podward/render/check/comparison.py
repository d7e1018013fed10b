"""What `check --compare` prints on a terminal, and its JSON.

Changes are grouped by their kind, the worst first, and workloads with the same change stand together.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.finding import Finding, Subject
from podward.api.shift import Comparison, Fate, Kind, Placed, Shift, Sums
from podward.render.check import texts
from podward.render.explain.inert import clipped_front, printable, width, wrapped
from podward.render.explain.palette import Palette

VERSION = 1
"""Of the form of the JSON document: raised when a field is taken away or changes its meaning."""
LEAST = 60
_MOST_LINES = 12
_INDENT = "    "

TITLES = {
    Kind.REFUSED: "newly refused",
    Kind.CAPTURED: "captured by another SCC",
    Kind.SCC: "under another SCC",
    Kind.UID: "other uid",
    Kind.GROUPS: "other groups",
    Kind.SELINUX: "other SELinux label",
    Kind.SECCOMP: "other seccomp profile",
    Kind.CAPABILITIES: "other capabilities",
    Kind.SETTINGS: "other security settings",
    Kind.ALLOWED: "newly allowed",
    Kind.WARNED: "new Pod Security warnings",
    Kind.CLEARED: "Pod Security warnings that vanish",
}
BAD = frozenset((Kind.REFUSED, Kind.CAPTURED))


class Group(Struct, frozen=True):
    """Changes that are the same for several workloads, and those workloads' own changes in order."""

    first: Shift
    shifts: tuple[Shift, ...]


def groups(shifts: tuple[Shift, ...]) -> tuple[Group, ...]:
    """Changes of one kind, those together that say the same; the largest group first."""
    found: dict[tuple[str, str, str, tuple[str, ...]], list[Shift]] = {}
    for shift in shifts:
        found.setdefault((shift.before, shift.after, shift.why, shift.also), []).append(shift)
    ranked = sorted(found.values(), key=len, reverse=True)
    return tuple(Group(same[0], tuple(same)) for same in ranked)


# --- for people -------------------------------------------------------------------------------------------------------


def table(found: Comparison, columns: int | None, palette: Palette) -> str:
    """All changes, then the sums; `columns` is None where nothing is to be wrapped, as for a pipe."""
    room = None if columns is None else max(columns, LEAST)
    lines: list[str] = []
    for kind in Kind:
        shifts = found.of_kind(kind)
        if shifts:
            colour = palette.bad if kind in BAD else palette.title
            lines.append(palette.paint(colour, f"{TITLES[kind]}: {_counted(len(shifts), 'workload')}"))
            for group in groups(shifts):
                lines += _group(group, room, palette)
            lines.append("")
    for finding in found.unread:
        lines += _wrapped(f"{finding.file}:{finding.line}: {finding.message}", room, "", palette.bad, palette)
    for note in found.notes:
        lines += _wrapped(f"note: {note}", room, "", palette.dim, palette)
    lines += _wrapped(totals(found), room, "", palette.title, palette)
    return "".join(f"{line}\n" for line in lines)


def _group(group: Group, room: int | None, palette: Palette) -> list[str]:
    lines = [_workload(shift, room, palette) for shift in group.shifts]
    first = group.first
    lines += _wrapped(f"{first.before} → {first.after}", room, _INDENT, "", palette)
    why = f"{first.why} ({first.policy})" if first.policy else first.why
    lines += _wrapped(f"because {why}", room, _INDENT, palette.policy, palette)
    for sentence in first.also:
        lines += _wrapped(sentence, room, _INDENT, palette.dim, palette)
    return lines


def _workload(shift: Shift, room: int | None, palette: Palette) -> str:
    place, who = f"{shift.file}:{shift.line}", texts.workload(shift.subject)
    if room is None:
        place, who = printable(place), printable(who)
    else:
        who = clipped_front(who, room - 20)
        place = clipped_front(place, room - 4 - width(who))
    return f"  {palette.paint(palette.title, place)}  {who}"


def _wrapped(text: str, room: int | None, indent: str, colour: str, palette: Palette) -> list[str]:
    lines = [printable(text)] if room is None else wrapped(text, room - len(indent), _MOST_LINES)
    return [indent + palette.paint(colour, line) for line in lines]


def totals(found: Comparison) -> str:
    """All the sums in one sentence, without its full stop."""
    sums = found.sums
    parts = [f"{TITLES[kind]} {number}" for kind, number in sums.kinds.items()]
    changed = f"{_counted(sums.changed, 'workload')} of {sums.workloads} changed"
    said = f"{found.old} → {found.new}: {changed}, {sums.unchanged} unchanged"
    if sums.always_refused:
        said += f" ({sums.always_refused} refused by both)"
    if found.unread:
        parts.append(f"{len(found.unread)} not read")
    return "; ".join((said, *parts))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


# --- for programs -----------------------------------------------------------------------------------------------------


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base: every field is always there."""


class ShownSubject(_Part, frozen=True, gc=False):
    """A workload."""

    kind: str
    namespace: str
    name: str


class ShownPolicy(_Part, frozen=True, gc=False):
    """The field of a policy that decides: whose, which, and `file:line`; empty strings where there is none."""

    name: str
    path: str
    where: str


class ShownChange(_Part, frozen=True, gc=False):
    """One change."""

    kind: str
    file: str
    line: int
    subject: ShownSubject
    before: str
    after: str
    why: str
    also: tuple[str, ...]
    policy: ShownPolicy


class ShownFate(_Part, frozen=True, gc=False):
    """What became of a workload on one side; `scc` is empty without one."""

    refused: bool
    scc: str


class ShownWorkload(_Part, frozen=True, gc=False):
    """A workload, whether or not anything changes for it."""

    file: str
    line: int
    subject: ShownSubject
    before: ShownFate
    after: ShownFate


class ShownUnread(_Part, frozen=True, gc=False):
    """What could not be read."""

    file: str
    line: int
    rule: str
    message: str


class ShownSummary(_Part, frozen=True, gc=False):
    """The sums; `kinds` has every kind of change, also those that there are none of."""

    workloads: int
    changed: int
    unchanged: int
    always_refused: int
    kinds: dict[str, int]


class Shown(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    exit_code: int
    old: str
    new: str
    summary: ShownSummary
    changes: tuple[ShownChange, ...]
    workloads: tuple[ShownWorkload, ...]
    unread: tuple[ShownUnread, ...]
    notes: tuple[str, ...]


def document(found: Comparison) -> str:
    """The comparison as JSON, indented."""
    return texts.json_text(
        Shown(
            VERSION,
            found.exit_code,
            found.old,
            found.new,
            _summary(found.sums),
            tuple(_change(shift) for kind in Kind for shift in found.of_kind(kind)),
            tuple(_placed(place) for place in found.placed),
            tuple(_unread(finding) for finding in found.unread),
            found.notes,
        )
    )


def _summary(sums: Sums) -> ShownSummary:
    kinds = {kind.value: sums.kinds.get(kind, 0) for kind in Kind}
    return ShownSummary(sums.workloads, sums.changed, sums.unchanged, sums.always_refused, kinds)


def _change(shift: Shift) -> ShownChange:
    source = shift.source
    place = "" if source is None or source.path is None else str(source.path)
    return ShownChange(
        shift.kind.value,
        shift.file,
        shift.line,
        _subject(shift.subject),
        shift.before,
        shift.after,
        shift.why,
        shift.also,
        ShownPolicy("" if source is None else source.name, place, shift.policy),
    )


def _placed(place: Placed) -> ShownWorkload:
    return ShownWorkload(place.file, place.line, _subject(place.subject), _fate(place.before), _fate(place.after))


def _fate(fate: Fate) -> ShownFate:
    return ShownFate(fate.refused, fate.scc)


def _subject(subject: Subject) -> ShownSubject:
    return ShownSubject(subject.kind, subject.namespace, subject.name)


def _unread(finding: Finding) -> ShownUnread:
    return ShownUnread(finding.file, finding.line, finding.rule, finding.message)
