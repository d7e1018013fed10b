"""`check --compare -o html`: one self-contained page: what changes, for whom, and why; and where workloads end up.

There is no script and nothing is loaded. The Content-Security-Policy of the page forbids all else,
so that even a hole in our escaping would run nothing. No colour carries meaning alone: every count has its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from re import compile as pattern

from podward.api.policy_change import ChangeKind, PolicyChange, PolicyComparison
from podward.render.check.comparison import BAD, TITLES, Group, counted, groups
from podward.render.check.comparison_matrix import matrix
from podward.render.check.comparison_style import style
from podward.render.escaping import escape
from podward.render.explain.html import POLICY

_SHOWN_WORKLOADS = 6
"""Of a group; the others are folded away."""
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
    title = escape(f"{found.old} → {found.new}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>podward check --compare: {title}</title><style>{style()}</style></head>"
        f"<body><main>{''.join(_body(found))}</main></body></html>\n"
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
    yield from matrix(found.workloads)


# --- the band ---------------------------------------------------------------------------------------------------------


def _bar(found: PolicyComparison) -> Iterator[str]:
    """How many workloads fare how: each counts once, by the worst that happens to it."""
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
    """The text, escaped, with places where a long field's path may break: no entity has any of these inside."""
    return _BREAKS.sub("<wbr>", escape(text))


_BREAKS = pattern(r"(?<=[./_\]])(?=[a-zA-Z])")


def _folded(items: Sequence[str], shown: int, word: str) -> str:
    """A list of these items; where there are many more than are shown, the rest is folded away."""
    if not items:
        return ""
    if len(items) <= shown + 1:
        return f"<ul>{''.join(items)}</ul>"
    more = f"<summary>{counted(len(items) - shown, f'more {word}')}</summary><ul>{''.join(items[shown:])}</ul>"
    return f"<ul>{''.join(items[:shown])}</ul><details>{more}</details>"
