"""`check --compare -o html`: one self-contained page: what changes, for whom, and why; and where workloads end up.

There is no script and nothing is loaded. The Content-Security-Policy of `podward.render.explain.html` forbids all else,
so that even a hole in our escaping would run nothing. No colour carries meaning alone: every count has its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from re import compile as pattern

from podward.api.policy_change import Comparison, Kind, PolicyChange
from podward.render.check.comparison import BAD, TITLES, Group, counted, groups
from podward.render.check.comparison_matrix import matrix
from podward.render.check.comparison_style import style
from podward.render.escaping import escape
from podward.render.explain.html import POLICY

_SHOWN_WORKLOADS = 6
"""Of a group; the others are folded away."""
_SHOWN_REASONS = 3

_ABOUT = {
    Kind.REFUSED: "The cluster admitted these Pods, and will refuse them: the next roll-out or restart fails.",
    Kind.CAPTURED: "An SCC that OpenShift does not ship stands before the one that these Pods had, and takes them.",
    Kind.SCC: "These Pods are admitted by another SCC than before.",
    Kind.UID: "Containers run as another user: files on volumes, and images that expect a user, may not fit.",
    Kind.GROUPS: "Volumes get another group, or processes other supplementary groups.",
    Kind.SELINUX: "Processes get another label: volumes labelled for the old one cannot be read.",
    Kind.SECCOMP: "Another filter of system calls.",
    Kind.CAPABILITIES: "Capabilities that an SCC adds or drops.",
    Kind.SETTINGS: "Other fields of the security contexts that are set otherwise.",
    Kind.REASONS: "Both refuse these Pods, but other things have to be done about it now.",
    Kind.ALLOWED: "The cluster refused these Pods, and will admit them.",
    Kind.WARNED: "Pod Security will warn about these Pods, or record them; they are admitted.",
    Kind.CLEARED: "Pod Security warned about these Pods, and no longer does.",
}
_GOOD = frozenset((Kind.ALLOWED, Kind.CLEARED))


def page(found: Comparison) -> str:
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


def _body(found: Comparison) -> Iterator[str]:
    sums = found.sums
    yield '<p class="kicker">podward check --compare</p>'
    yield (
        f'<h1><span class="side">{escape(found.old)}</span><span class="to">→</span>'
        f'<span class="side">{escape(found.new)}</span></h1>'
    )
    namespaces = len({place.subject.namespace for place in found.placed})
    yield (
        f'<p class="lead"><b>{counted(sums.changed, "workload")}</b> of {sums.workloads} in '
        f"{counted(namespaces, 'namespace')} changed by the new policies</p>"
    )
    yield from _bar(found)
    for finding in found.unread:
        yield f'<p class="note lost">Not read: {escape(f"{finding.file}:{finding.line}: {finding.message}")}</p>'
    for note in found.notes:
        yield f'<p class="note">{escape(note)}</p>'
    if sums.kinds:
        yield '<nav aria-label="Kinds of change">'
        for kind, number in sums.kinds.items():
            yield f'<a class="k-{_tone(kind)}" href="#{kind.value}"><b>{number}</b><span>{TITLES[kind]}</span></a>'
        yield "</nav>"
    else:
        yield '<section><p class="none">Nothing changes for any workload.</p></section>'
    for kind in Kind:
        shifts = found.of_kind(kind)
        if shifts:
            yield from _section(kind, shifts)
    yield from matrix(found.placed)


# --- the band ---------------------------------------------------------------------------------------------------------


def _bar(found: Comparison) -> Iterator[str]:
    """How many workloads fare how: each counts once, by the worst that happens to it."""
    worst: dict[tuple[str, object], str] = {}
    for shift in found.shifts:
        key, tone = (shift.file, shift.subject), _tone(shift.kind)
        if key not in worst or _TONES.index(tone) < _TONES.index(worst[key]):
            worst[key] = tone
    counts = Counter(worst.values())
    sums = found.sums
    refused = f"unchanged ({sums.always_refused} refused by both as before)" if sums.always_refused else "unchanged"
    parts = [
        ("bad", counts["bad"], "refused or captured"),
        ("other", counts["other"], "admitted otherwise"),
        ("good", counts["good"], "newly allowed, or fewer warnings"),
        ("still", counts["still"], "refused by both, for other reasons"),
        ("same", sums.unchanged, refused),
    ]
    yield '<div class="bar" aria-hidden="true">'
    yield "".join(f'<i class="{tone}" style="flex:{number}"></i>' for tone, number, _ in parts if number)
    yield '</div><ul class="legend">'
    for tone, number, words in parts:
        if number:
            yield f'<li><i class="{tone}"></i><b>{number}</b> {words}</li>'
    yield "</ul>"


_TONES = ("bad", "other", "good", "still")


def _tone(kind: Kind) -> str:
    if kind in BAD:
        return "bad"
    if kind is Kind.REASONS:
        return "still"
    return "good" if kind in _GOOD else "other"


# --- changes ----------------------------------------------------------------------------------------------------------


def _section(kind: Kind, shifts: tuple[PolicyChange, ...]) -> Iterator[str]:
    yield (
        f'<section id="{kind.value}" class="k-{_tone(kind)}"><header><h2><span>{_heading(kind)}</span>'
        f"<small>{counted(len(shifts), 'workload')}</small></h2><p>{escape(_ABOUT[kind])}</p></header>"
        '<table class="changes"><colgroup><col class="w"><col class="b"><col class="a"><col></colgroup>'
        '<thead><tr><th scope="col">Workload</th><th scope="col">Before</th><th scope="col">After</th>'
        '<th scope="col">Why</th></tr></thead><tbody>'
    )
    for group in groups(shifts):
        yield _row(group)
    yield "</tbody></table></section>"


def _heading(kind: Kind) -> str:
    title = TITLES[kind]
    return title[0].upper() + title[1:]


def _row(group: Group) -> str:
    first = group.first
    workloads = _folded([_who(shift) for shift in group.shifts], _SHOWN_WORKLOADS, "workload")
    place = f' <span class="at">{escape(first.policy)}</span>' if first.policy else ""
    also = _folded([f"<li>{_text(sentence)}</li>" for sentence in first.also], _SHOWN_REASONS, "reason")
    return (
        f'<tr><td class="who">{workloads}</td><td class="before">{_text(first.before)}</td>'
        f'<td class="after">{_text(first.after)}</td><td class="why">{_text(first.why)}{place}{also}</td></tr>'
    )


def _who(shift: PolicyChange) -> str:
    subject = shift.subject
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    return (
        f'<li><b>{escape(name)}</b> <span class="kind">{escape(subject.kind)}</span>'
        f'<span class="at">{escape(f"{shift.file}:{shift.line}")}</span></li>'
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
