"""`check --compare -o html`: one self-contained page that shows what changes for which workloads, and why.

The page has no script and loads nothing (see `html_page`). No colour carries meaning alone: every number has words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from re import compile as pattern

from podward.api.policy_change import ChangeKind, ComparedWorkload, PolicyChange, PolicyComparison, WorkloadOutcome
from podward.render import html_page
from podward.render.check.comparison_style import style
from podward.render.check.comparison_texts import BAD, TITLES, Group, groups
from podward.render.check.texts import counted
from podward.render.escaping import escape

_SHOWN_WORKLOADS = 6
"""The workloads of a group that are shown; the others are folded away."""
_SHOWN_REASONS = 3

_ABOUT = {
    ChangeKind.REFUSED: "The cluster admitted these Pods, and will refuse them: the next roll-out or restart fails.",
    ChangeKind.CAPTURED: (
        "An SCC that OpenShift does not ship stands before the one that these Pods had, and takes them."
    ),
    ChangeKind.SCC: "These Pods are admitted by another SCC than before.",
    ChangeKind.UID: "Containers run as another user: files on volumes, and images that expect a user, may not fit.",
    ChangeKind.GROUPS: "Volumes get another group, or processes other supplementary groups.",
    ChangeKind.SELINUX: "Processes get another label: volumes labelled for the old one cannot be read.",
    ChangeKind.SECCOMP: "Another filter of system calls.",
    ChangeKind.CAPABILITIES: "Capabilities that an SCC adds or drops.",
    ChangeKind.SETTINGS: "Other fields of the security contexts that are set otherwise.",
    ChangeKind.REASONS: "Both refuse these Pods, but other things have to be done about it now.",
    ChangeKind.ALLOWED: "The cluster refused these Pods, and will admit them.",
    ChangeKind.WARNED: "Pod Security will warn about these Pods, or record them; they are admitted.",
    ChangeKind.CLEARED: "Pod Security warned about these Pods, and no longer does.",
}
_GOOD = frozenset((ChangeKind.ALLOWED, ChangeKind.CLEARED))


def page(found: PolicyComparison) -> str:
    """The page."""
    return html_page.page(
        f"podward check --compare: {found.old} → {found.new}", style(), f"<main>{''.join(_body(found))}</main>"
    )


def _body(found: PolicyComparison) -> Iterator[str]:
    summary = found.summary
    yield '<p class="kicker">podward check --compare</p>'
    yield (
        f'<h1><span class="side">{escape(found.old)}</span><span class="to">→</span>'
        f'<span class="side">{escape(found.new)}</span></h1>'
    )
    namespaces = len({place.subject.namespace for place in found.workloads})
    yield (
        f'<p class="lead"><b>{counted(summary.changed, "workload")}</b> of {summary.workloads} in '
        f"{counted(namespaces, 'namespace')} changed by the new policies</p>"
    )
    yield from _bar(found)
    for finding in found.unread:
        yield f'<p class="note lost">Not read: {escape(f"{finding.file}:{finding.line}: {finding.message}")}</p>'
    for note in found.notes:
        yield f'<p class="note">{escape(note)}</p>'
    if summary.kinds:
        yield '<nav aria-label="Kinds of change">'
        for kind, number in summary.kinds.items():
            yield f'<a class="k-{_tone(kind)}" href="#{kind.value}"><b>{number}</b><span>{TITLES[kind]}</span></a>'
        yield "</nav>"
    else:
        yield '<section><p class="none">Nothing changes for any workload.</p></section>'
    for kind in ChangeKind:
        changes = found.of_kind(kind)
        if changes:
            yield from _section(kind, changes)
    yield from _matrix(found.workloads)


# --- the bar at the top -----------------------------------------------------------------------------------------------


def _bar(found: PolicyComparison) -> Iterator[str]:
    """A bar with the numbers of workloads: each workload counts once, by its worst change."""
    worst: dict[tuple[str, object], str] = {}
    for change in found.changes:
        key, tone = (change.file, change.subject), _tone(change.kind)
        if key not in worst or _TONES.index(tone) < _TONES.index(worst[key]):
            worst[key] = tone
    counts = Counter(worst.values())
    summary = found.summary
    refused = (
        f"unchanged ({summary.always_refused} refused by both as before)" if summary.always_refused else "unchanged"
    )
    parts = [
        ("bad", counts["bad"], "refused or captured"),
        ("other", counts["other"], "admitted otherwise"),
        ("good", counts["good"], "newly allowed, or fewer warnings"),
        ("still", counts["still"], "refused by both, for other reasons"),
        ("same", summary.unchanged, refused),
    ]
    yield '<div class="bar" aria-hidden="true">'
    yield "".join(f'<i class="{tone}" style="flex:{number}"></i>' for tone, number, _ in parts if number)
    yield '</div><ul class="legend">'
    for tone, number, words in parts:
        if number:
            yield f'<li><i class="{tone}"></i><b>{number}</b> {words}</li>'
    yield "</ul>"


_TONES = ("bad", "other", "good", "still")


def _tone(kind: ChangeKind) -> str:
    if kind in BAD:
        return "bad"
    if kind is ChangeKind.REASONS:
        return "still"
    return "good" if kind in _GOOD else "other"


# --- changes ----------------------------------------------------------------------------------------------------------


def _section(kind: ChangeKind, changes: tuple[PolicyChange, ...]) -> Iterator[str]:
    yield (
        f'<section id="{kind.value}" class="k-{_tone(kind)}"><header><h2><span>{_heading(kind)}</span>'
        f"<small>{counted(len(changes), 'workload')}</small></h2><p>{escape(_ABOUT[kind])}</p></header>"
        '<table class="changes"><colgroup><col class="w"><col class="b"><col class="a"><col></colgroup>'
        '<thead><tr><th scope="col">Workload</th><th scope="col">Before</th><th scope="col">After</th>'
        '<th scope="col">Why</th></tr></thead><tbody>'
    )
    for group in groups(changes):
        yield _row(group)
    yield "</tbody></table></section>"


def _heading(kind: ChangeKind) -> str:
    title = TITLES[kind]
    return title[0].upper() + title[1:]


def _row(group: Group) -> str:
    first = group.first
    workloads = _folded([_who(change) for change in group.changes], _SHOWN_WORKLOADS, "workload")
    place = f' <span class="at">{escape(first.policy)}</span>' if first.policy else ""
    also = _folded([f"<li>{_text(sentence)}</li>" for sentence in first.also], _SHOWN_REASONS, "reason")
    return (
        f'<tr><td class="who">{workloads}</td><td class="before">{_text(first.before)}</td>'
        f'<td class="after">{_text(first.after)}</td><td class="why">{_text(first.why)}{place}{also}</td></tr>'
    )


def _who(change: PolicyChange) -> str:
    subject = change.subject
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    return (
        f'<li><b>{escape(name)}</b> <span class="kind">{escape(subject.kind)}</span>'
        f'<span class="at">{escape(f"{change.file}:{change.line}")}</span></li>'
    )


def _text(text: str) -> str:
    """The text, escaped, with places where a long path may be broken; these are never inside of an entity."""
    return _BREAKS.sub("<wbr>", escape(text))


_BREAKS = pattern(r"(?<=[./_\]])(?=[a-zA-Z])")


def _folded(items: Sequence[str], shown: int, word: str) -> str:
    """A list of these items; if there are many more than `shown`, the rest is folded away."""
    if not items:
        return ""
    if len(items) <= shown + 1:
        return f"<ul>{''.join(items)}</ul>"
    more = f"<summary>{counted(len(items) - shown, f'more {word}')}</summary><ul>{''.join(items[shown:])}</ul>"
    return f"<ul>{''.join(items[:shown])}</ul><details>{more}</details>"


# --- namespaces and SCCs ----------------------------------------------------------------------------------------------

_REFUSED = "refused"
_NO_SCC = "no SCC"


def _matrix(workloads: tuple[ComparedWorkload, ...]) -> Iterator[str]:
    """A table of namespaces and SCCs: how many workloads each has, before and after; nothing without SCCs."""
    outcomes = [outcome for each in workloads for outcome in (each.before, each.after)]
    if not any(outcome.scc for outcome in outcomes):
        return
    columns = _columns(outcomes)
    before, after = (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
    for each in workloads:
        before[each.subject.namespace, _column(each.before)] += 1
        after[each.subject.namespace, _column(each.after)] += 1
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield (
        '<section id="matrix"><header><h2><span>Namespaces and SCCs</span></h2>'
        "<p>How many workloads each SCC admits, before → after.</p></header>"
        f'<div class="scroll"><table class="matrix"><thead><tr><th scope="col">Namespace</th>{heads}</tr></thead>'
        "<tbody>"
    )
    for namespace in sorted({each.subject.namespace for each in workloads}):
        cells = "".join(_cell(before[namespace, name], after[namespace, name], name) for name in columns)
        yield f'<tr><th scope="row">{escape(namespace)}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _columns(outcomes: Iterable[WorkloadOutcome]) -> list[str]:
    """The columns: the SCCs by name, then workloads that are admitted without an SCC, then refused ones."""
    every = {_column(outcome) for outcome in outcomes}
    last = [name for name in (_NO_SCC, _REFUSED) if name in every]
    return [*sorted(every.difference(last)), *last]


def _column(outcome: WorkloadOutcome) -> str:
    if outcome.refused:
        return _REFUSED
    return f"scc {outcome.scc}" if outcome.scc else _NO_SCC


def _cell(before: int, after: int, name: str) -> str:
    if before == after:
        return f'<td class="zero">{before or "·"}</td>'
    tone = "worse" if name == _REFUSED and after > before else "moved"
    return f'<td class="{tone}"><s>{before} →</s> {after}</td>'
