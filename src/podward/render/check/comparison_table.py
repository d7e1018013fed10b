"""`check --compare -o table`: the changes, grouped, for a terminal or a pipe."""

from __future__ import annotations

from podward.api.policy_change import ChangeKind, PolicyChange, PolicyComparison
from podward.render.check import texts
from podward.render.check.comparison_texts import BAD, TITLES, Group, groups, totals
from podward.render.check.texts import counted
from podward.render.escaping import clipped_front, printable, width, without_commands, wrapped
from podward.render.palette import MIN_COLUMNS, Palette

_MOST_LINES = 12
_INDENT = "    "


def table(found: PolicyComparison, columns: int | None, palette: Palette) -> str:
    """All changes, then the numbers; `columns` is None if no line is to be wrapped, as for a pipe."""
    room = None if columns is None else max(columns, MIN_COLUMNS)
    lines: list[str] = []
    for kind in ChangeKind:
        changes = found.of_kind(kind)
        if changes:
            colour = palette.bad if kind in BAD else palette.title
            lines.append(palette.paint(colour, f"{TITLES[kind]}: {counted(len(changes), 'workload')}"))
            for group in groups(changes):
                lines += _group(group, room, palette)
            lines.append("")
    for finding in found.unread:
        lines += _wrapped(f"{finding.file}:{finding.line}: {finding.message}", room, "", palette.bad, palette)
    for note in found.notes:
        lines += _wrapped(f"note: {note}", room, "", palette.dim, palette)
    lines += _wrapped(totals(found), room, "", palette.title, palette)
    return "".join(f"{line}\n" for line in lines)


def _group(group: Group, room: int | None, palette: Palette) -> list[str]:
    lines = [_workload(change, room, palette) for change in group.changes]
    first = group.first
    lines += _wrapped(f"{first.before} → {first.after}", room, _INDENT, "", palette)
    why = f"{first.why} ({first.policy})" if first.policy else first.why
    lines += _wrapped(f"because {why}", room, _INDENT, palette.policy, palette)
    for sentence in first.also:
        lines += _wrapped(sentence, room, _INDENT, palette.dim, palette)
    return lines


def _workload(change: PolicyChange, room: int | None, palette: Palette) -> str:
    place, who = without_commands(f"{change.file}:{change.line}"), without_commands(texts.workload(change.subject))
    if room is None:
        place, who = printable(place), printable(who)
    else:
        who = clipped_front(who, room - 20)
        place = clipped_front(place, room - 4 - width(who))
    return f"  {palette.paint(palette.title, place)}  {who}"


def _wrapped(text: str, room: int | None, indent: str, colour: str, palette: Palette) -> list[str]:
    text = without_commands(text)
    lines = [printable(text)] if room is None else wrapped(text, room - len(indent), _MOST_LINES)
    return [indent + palette.paint(colour, line) for line in lines]
