"""`check --compare -o html`: one self-contained page: what changes, for whom, and why; and where workloads end up.

There is no script and nothing is loaded. The Content-Security-Policy of `podward.render.explain.html` forbids all else,
so that even a hole in our escaping would run nothing. No colour carries meaning alone: every count has its words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from re import compile as pattern

from podward.api.shift import Comparison, Fate, Kind, Placed, Shift
from podward.render.check.comparison import BAD, TITLES, Group, groups
from podward.render.explain.colours import INK, ORIGINS
from podward.render.explain.html import POLICY
from podward.render.explain.inert import escape

_SHOWN_WORKLOADS = 6
"""Of a group; the others are folded away."""
_SHOWN_REASONS = 3
_REFUSED = "refused"
_NO_SCC = "no SCC"

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
    Kind.ALLOWED: "The cluster refused these Pods, and will admit them.",
    Kind.WARNED: "Pod Security will warn about these Pods, or record them; they are admitted.",
    Kind.CLEARED: "Pod Security warned about these Pods, and no longer does.",
}
_GOOD = frozenset((Kind.ALLOWED, Kind.CLEARED))

_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:var(--panel);color:var(--text);
font:14px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
main{max-width:1240px;margin:0 auto;padding:24px 24px 48px}
h1{font-size:1.3rem;margin:0;line-height:1.3;overflow-wrap:anywhere}
h1 .side{font-weight:650}h1 .to{color:var(--muted);font-weight:400;margin:0 .35em}
.kicker{color:var(--muted);margin:0 0 .2rem;font-size:12.5px;letter-spacing:.02em}
.lead{margin:.5rem 0 1rem;color:var(--muted)}.lead b{color:var(--text)}
.bar{display:flex;height:12px;border-radius:6px;overflow:hidden;background:var(--line);gap:2px;margin:0 0 .5rem}
.bar i{display:block;min-width:6px}
.bad{background:var(--refused)}.other{background:var(--hint)}.good{background:var(--manifest)}.same{background:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:0 0 1.4rem;padding:0;list-style:none;color:var(--muted);
font-size:13px}
.legend li{margin:0}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:.45em;border:1px solid var(--line)}
.legend b{color:var(--text)}
nav{display:grid;grid-template-columns:repeat(auto-fill,minmax(152px,1fr));gap:10px;margin:0 0 1.8rem}
nav a{display:block;background:var(--ground);border:1px solid var(--line);border-left-width:4px;border-radius:8px;
padding:.55rem .8rem;color:var(--text);text-decoration:none;line-height:1.25}
nav a b{display:block;font-size:1.45rem;font-weight:650;font-variant-numeric:tabular-nums}
nav a span{color:var(--muted);font-size:12.5px}
nav a:hover{border-color:var(--manifest)}
nav .k-bad{border-left-color:var(--refused)}nav .k-bad b{color:var(--refused)}
nav .k-other{border-left-color:var(--hint)}nav .k-good{border-left-color:var(--manifest)}
:focus-visible{outline:3px solid var(--hint);outline-offset:2px}
section{background:var(--ground);border:1px solid var(--line);border-radius:10px;margin:0 0 1.2rem;overflow:hidden;
scroll-margin-top:1rem}
section>header{padding:.75rem 1rem .6rem;border-bottom:1px solid var(--line)}
h2{font-size:1.02rem;margin:0;display:flex;gap:.6em;align-items:baseline;flex-wrap:wrap}
h2 small{font-size:13px;font-weight:400;color:var(--muted)}
section>header p{margin:.1rem 0 0;color:var(--muted);font-size:13px}
.k-bad>header{border-left:4px solid var(--refused)}.k-bad h2 span{color:var(--refused)}
.k-other>header{border-left:4px solid var(--hint)}.k-good>header{border-left:4px solid var(--manifest)}
table{border-collapse:collapse;width:100%}
.changes{table-layout:fixed}
.changes col.w{width:31%}.changes col.b,.changes col.a{width:16.5%}
th{font-size:12px;font-weight:600;color:var(--muted);text-align:left}
th,td{padding:.55rem 1rem;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
thead th{border-top:0;padding-top:.45rem;padding-bottom:.35rem}
tbody tr:first-child td,tbody tr:first-child th{border-top:1px solid var(--line)}
td.before{color:var(--muted)}td.after{font-weight:600;position:relative}
td.after::before{content:"→";position:absolute;left:-.55em;color:var(--muted);font-weight:400}
.k-bad td.after{color:var(--refused)}
ul{list-style:none;margin:0;padding:0}
li+li{margin-top:.25rem}
.who b{font-weight:600}.who .kind,.who .at{color:var(--muted);font-size:12.5px}
.who .at{display:block;font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11.5px}
.why .at{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:11.5px;color:var(--policy)}
.why li{color:var(--muted);font-size:13px}
.why ul{margin-top:.3rem}
details{margin-top:.35rem}summary{cursor:pointer;color:var(--manifest);font-size:13px}
details ul{margin-top:.35rem}
.scroll{overflow-x:auto}
.matrix th,.matrix td{padding:.4rem .8rem;white-space:nowrap}
.matrix td,.matrix thead th:not(:first-child){text-align:right;font-variant-numeric:tabular-nums}
.matrix tbody th{color:var(--text);font-size:13px;font-weight:500}
.matrix td.zero{color:var(--muted)}.matrix td.moved{background:var(--hint-ground);font-weight:650}
.matrix td.worse{background:var(--refused-ground);color:var(--refused);font-weight:650}
.matrix td s{color:var(--muted);text-decoration:none;font-weight:400}
.none{padding:1.4rem 1rem;margin:0}
.note{background:var(--hint-ground);color:var(--hint);border-radius:8px;padding:.5rem .8rem;margin:0 0 .8rem;
overflow-wrap:anywhere}
.lost{background:var(--refused-ground);color:var(--refused)}
@media(max-width:820px){main{padding:16px}th,td{padding:.5rem .7rem}.changes col.w{width:30%}
.changes col.b,.changes col.a{width:18%}}
@media(max-width:640px){.changes,.changes tbody,.changes tr,.changes td{display:block;width:100%}
.changes thead{display:none}.changes td{border-top:0;padding:.2rem .8rem}
.changes tr{border-top:1px solid var(--line);padding:.5rem 0}
td.after::before{position:static;margin-right:.4em}}
@media print{body{background:none}section{break-inside:avoid}details{display:block}}
"""


def page(found: Comparison) -> str:
    """The page."""
    title = escape(f"{found.old} → {found.new}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>podward check --compare: {title}</title><style>{_colours()}{_STYLE}</style></head>"
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
        f'<p class="lead"><b>{_counted(sums.changed, "workload")}</b> of {sums.workloads} in '
        f"{_counted(namespaces, 'namespace')} changed by the new policies</p>"
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
    yield from _matrix(found.placed)


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
    refused = f"unchanged ({sums.always_refused} refused by both)" if sums.always_refused else "unchanged"
    parts = [
        ("bad", counts["bad"], "refused or captured"),
        ("other", counts["other"], "admitted otherwise"),
        ("good", counts["good"], "newly allowed, or fewer warnings"),
        ("same", sums.unchanged, refused),
    ]
    yield '<div class="bar" aria-hidden="true">'
    yield "".join(f'<i class="{tone}" style="flex:{number}"></i>' for tone, number, _ in parts if number)
    yield '</div><ul class="legend">'
    for tone, number, words in parts:
        if number:
            yield f'<li><i class="{tone}"></i><b>{number}</b> {words}</li>'
    yield "</ul>"


_TONES = ("bad", "other", "good")


def _tone(kind: Kind) -> str:
    if kind in BAD:
        return "bad"
    return "good" if kind in _GOOD else "other"


# --- changes ----------------------------------------------------------------------------------------------------------


def _section(kind: Kind, shifts: tuple[Shift, ...]) -> Iterator[str]:
    yield (
        f'<section id="{kind.value}" class="k-{_tone(kind)}"><header><h2><span>{_heading(kind)}</span>'
        f"<small>{_counted(len(shifts), 'workload')}</small></h2><p>{escape(_ABOUT[kind])}</p></header>"
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


def _who(shift: Shift) -> str:
    subject = shift.subject
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    return (
        f'<li><b>{escape(name)}</b> <span class="kind">{escape(subject.kind)}</span>'
        f'<span class="at">{escape(f"{shift.file}:{shift.line}")}</span></li>'
    )


def _text(text: str) -> str:
    """The text, escaped, with places where a long field's path may break: no entity has any of these inside."""
    return _BREAKS.sub("<wbr>", escape(text))


_BREAKS = pattern(r"(?<=[a-z])(?=[A-Z])|(?<=[./_\]])(?=[a-zA-Z])")


def _folded(items: Sequence[str], shown: int, word: str) -> str:
    """A list of these items; where there are many more than are shown, the rest is folded away."""
    if not items:
        return ""
    if len(items) <= shown + 1:
        return f"<ul>{''.join(items)}</ul>"
    more = f"<summary>{_counted(len(items) - shown, f'more {word}')}</summary><ul>{''.join(items[shown:])}</ul>"
    return f"<ul>{''.join(items[:shown])}</ul><details>{more}</details>"


# --- the matrix -------------------------------------------------------------------------------------------------------


def _matrix(placed: tuple[Placed, ...]) -> Iterator[str]:
    """Namespaces by SCCs: how many workloads each has, before and after; only where there are SCCs."""
    fates = [fate for place in placed for fate in (place.before, place.after)]
    if not any(fate.scc for fate in fates):
        return
    columns = _columns(fates)
    before, after = (Counter[tuple[str, str]](), Counter[tuple[str, str]]())
    for place in placed:
        before[place.subject.namespace, _column(place.before)] += 1
        after[place.subject.namespace, _column(place.after)] += 1
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    yield (
        '<section id="matrix"><header><h2><span>Namespaces and SCCs</span></h2>'
        "<p>How many workloads each SCC admits, before → after.</p></header>"
        f'<div class="scroll"><table class="matrix"><thead><tr><th scope="col">Namespace</th>{heads}</tr></thead>'
        "<tbody>"
    )
    for namespace in sorted({place.subject.namespace for place in placed}):
        cells = "".join(_cell(before[namespace, name], after[namespace, name], name) for name in columns)
        yield f'<tr><th scope="row">{escape(namespace)}</th>{cells}</tr>'
    yield "</tbody></table></div></section>"


def _columns(fates: Iterable[Fate]) -> list[str]:
    """The SCCs by name; then what no SCC admitted, and what was refused."""
    every = {_column(fate) for fate in fates}
    last = [name for name in (_NO_SCC, _REFUSED) if name in every]
    return [*sorted(every.difference(last)), *last]


def _column(fate: Fate) -> str:
    if fate.refused:
        return _REFUSED
    return f"scc {fate.scc}" if fate.scc else _NO_SCC


def _cell(before: int, after: int, name: str) -> str:
    if before == after:
        return f'<td class="zero">{before or "·"}</td>'
    tone = "worse" if name == _REFUSED and after > before else "moved"
    return f'<td class="{tone}"><s>{before} →</s> {after}</td>'


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _colours() -> str:
    """The palette as custom properties, light and dark."""
    pairs = INK | {origin.value: pair for origin, pair in ORIGINS.items()}
    light, dark = ("".join(f"--{name}:{pair[scheme]};" for name, pair in pairs.items()) for scheme in (0, 1))
    return f":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
