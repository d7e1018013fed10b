"""What changes for one workload when policies change: it is judged twice, and the two outcomes are laid side by side.

What policies make of a Pod is compared in the Pod that would be stored, not in the policies: a new SCC that sets
nothing else is no change, and an old one that sets something else is. Where a side refuses the workload, nothing is
stored there, and only the refusal counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.api.document import Document
from podward.api.finding import Finding, Severity, Subject
from podward.api.shift import Fate, Kind, Placed, Shift
from podward.api.workload import PodSource
from podward.check.capture import Chosen, Side, Sides, may_use, why_other
from podward.check.judging import Judged
from podward.check.strategies import strategy
from podward.check.traits import Trait, told, traits_of
from podward.decision import Assignment, Origin, Source
from podward.path import Key, Path, path
from podward.policy.pss.labels import AUDIT, ENFORCE, WARN

_REFUSING = frozenset(("pss", "scc", "api"))
_NAMED = ("spec", "template", "jobTemplate")
_LABELS = path("metadata", "labels")


class Subjected(Struct, frozen=True):
    """A workload with its name and the line where that is written."""

    source: PodSource
    subject: Subject
    line: int


def workload(source: PodSource, side: Side) -> Subjected:
    """The workload as changes name it; both sides put objects that name no namespace into the same one."""
    namespace = side.held.namespace_of(source)
    steps = source.prefix.segments
    outside = next((index for index, step in enumerate(steps) if step in _NAMED), len(steps))
    line = _line(source.document, Path(steps[:outside]) + path("metadata", "name"))
    return Subjected(source, Subject(source.kind, namespace, source.name), line)


def placed(old: Judged, new: Judged, about: Subjected) -> Placed:
    """The workload's fate on both sides."""
    return Placed(about.source.document.name, about.line, about.subject, _fate(old), _fate(new))


def compared(old: Judged, new: Judged, about: Subjected, sides: Sides) -> tuple[Shift, ...]:
    """Every change for the workload, the worst first; empty where all stays."""
    return tuple(sorted(_Comparing(old, new, about, sides).shifts(), key=lambda shift: _ORDER[shift.kind]))


_ORDER = {kind: index for index, kind in enumerate(Kind)}


class _Comparing:
    """The two outcomes of one workload."""

    def __init__(self, old: Judged, new: Judged, about: Subjected, sides: Sides) -> None:
        self._old, self._new = old, new
        self._about, self._sides = about, sides
        self._before, self._after = _fate(old), _fate(new)

    def shifts(self) -> Iterator[Shift]:
        if self._after.refused:
            if not self._before.refused:
                yield self._refused()
            return
        if self._before.refused:
            yield self._allowed()
        else:
            effects = tuple(self._effects())
            yield from self._other_scc(effects)
            yield from effects
        yield from self._warnings()

    # --- refused and allowed ------------------------------------------------------------------------------------------

    def _refused(self) -> Shift:
        faults = _faults(self._new)
        first = faults[0]
        source = self._decider(first, self._new, self._sides.new)
        return self._shift(
            Kind.REFUSED,
            (_admitted(self._before), f"refused by {_refusers(faults)}"),
            _reason(first),
            source,
            tuple(_reason(fault) for fault in faults[1:]),
            first.line,
        )

    def _allowed(self) -> Shift:
        faults = _faults(self._old)
        after = self._after
        chosen = _chosen(self._new)
        also = [f"before, {_reason(fault)}" for fault in faults]
        if chosen is not None:
            also.append(may_use(self._sides.new, chosen.candidate, self._kind_and_namespace))
            why, source = f"it fits scc {after.scc} now", Source(Origin.POLICY, f"scc {after.scc}", Path())
        else:
            source = self._decider(faults[0], self._old, self._sides.new)
            why = f"{self._said(source)} has nothing against it now"
        return self._shift(
            Kind.ALLOWED, (f"refused by {_refusers(faults)}", _admitted(after)), why, source, tuple(also)
        )

    def _said(self, source: Source) -> str:
        """The policy that decides on the new side, in words."""
        enforced = self._sides.new.held.pod_security(self._about.subject.namespace).enforce
        return str(enforced) if not source.name.startswith("scc") else source.name

    def _decider(self, fault: Finding, judged: Judged, side: Side) -> Source:
        """The field of a policy that refuses: the violation's own, or the namespace's label."""
        if judged.selection is not None and fault.rule.startswith("scc/"):
            for candidate in judged.selection.candidates:
                for violation in candidate.decision.violations:
                    if violation.reason == fault.message and f"scc {candidate.name}" == fault.policy:
                        return violation.source
            return Source(Origin.POLICY, fault.policy or "SecurityContextConstraints")
        mode = {Severity.ERROR: ENFORCE, Severity.WARNING: WARN, Severity.NOTE: AUDIT}[fault.severity]
        label = Source(Origin.POLICY, f"namespace {self._about.subject.namespace}", _LABELS / Key(mode))
        return label if side.where(label) else Source(Origin.POLICY, fault.policy)

    # --- SCCs and what they set ---------------------------------------------------------------------------------------

    def _other_scc(self, effects: tuple[Shift, ...]) -> Iterator[Shift]:
        old, new = _chosen(self._old), _chosen(self._new)
        if old is None or new is None or old.candidate.name == new.candidate.name:
            return
        found = why_other(old, new, self._sides, self._kind_and_namespace)
        names = ", ".join(dict.fromkeys(WORDS[effect.kind] for effect in effects))
        changes = f"it changes: {names}" if names else "it sets nothing else"
        before, after = (f"{c.candidate.name}, priority {c.candidate.standing.priority}" for c in (old, new))
        yield self._shift(found.kind, (before, after), found.why, found.source, (*found.also, changes))

    def _effects(self) -> Iterator[Shift]:
        """What the stored Pods differ in, one change for each kind."""
        before, after = traits_of(self._old.pod), traits_of(self._new.pod)
        for kind in EFFECTS:
            differing = [
                (trait, after[key])
                for key, trait in before.items()
                if trait.kind is kind and key in after and after[key].text != trait.text
            ]
            if differing:
                old, new = [trait for trait, _ in differing], [trait for _, trait in differing]
                why, source = self._why(new[0])
                texts = (told(old, self._old.pod), told(new, self._new.pod))
                reasons = dict.fromkeys(self._why(trait)[0] for trait in new)
                yield self._shift(kind, texts, why, source, tuple(reason for reason in reasons if reason != why))

    def _why(self, trait: Trait) -> tuple[str, Source]:
        """Who sets the value now or, if nobody does, who did."""
        ours, theirs = (_assignment(judged, trait) for judged in (self._new, self._old))
        if ours is not None:
            return f"{_spoken(ours.source)}: {ours.reason}", ours.source
        now, earlier = (
            strategy(side.held, fate.scc, trait.spot.field)
            for side, fate in ((self._sides.new, self._after), (self._sides.old, self._before))
        )
        source = Source(Origin.POLICY, f"scc {self._after.scc}" if self._after.scc else "no SCC", now[1])
        field = trait.spot.field.removeprefix("securityContext.")
        did = f"; before, {_spoken(theirs.source)} did" if theirs is not None else f"; before, {earlier[0]}"
        return f"{now[0]} sets no {field}{did}", source

    # --- warnings -----------------------------------------------------------------------------------------------------

    def _warnings(self) -> Iterator[Shift]:
        old, new = ({(w.rule, w.path): w for w in _warnings(judged)} for judged in (self._old, self._new))
        more = [warning for key, warning in new.items() if key not in old]
        less = [warning for key, warning in old.items() if key not in new]
        if more:
            source = self._decider(more[0], self._new, self._sides.new)
            sentences = tuple(_reason(warning) for warning in more)
            yield self._shift(
                Kind.WARNED, ("nothing said of it", _rules(more)), sentences[0], source, sentences[1:], more[0].line
            )
        if less:
            source = self._decider(less[0], self._old, self._sides.old)
            sentences = tuple(f"before, {_reason(warning)}" for warning in less)
            yield self._shift(Kind.CLEARED, (_rules(less), "nothing said of it"), sentences[0], source, sentences[1:])

    # --- making them --------------------------------------------------------------------------------------------------

    @property
    def _kind_and_namespace(self) -> tuple[str, str]:
        return self._about.subject.kind, self._about.subject.namespace

    def _shift(  # noqa: PLR0913, PLR0917  # one for each field that differs between kinds
        self,
        kind: Kind,
        texts: tuple[str, str],
        why: str,
        source: Source,
        also: tuple[str, ...] = (),
        line: int = 0,
    ) -> Shift:
        about = self._about
        policy = self._sides.new.where(source) or self._sides.old.where(source)
        file = about.source.document.name
        return Shift(kind, file, line or about.line, about.subject, *texts, why, source, policy, also)


EFFECTS = (Kind.UID, Kind.GROUPS, Kind.SELINUX, Kind.SECCOMP, Kind.CAPABILITIES, Kind.SETTINGS)
"""Kinds that are read off the stored Pods."""
WORDS = {
    Kind.UID: "uid",
    Kind.GROUPS: "groups",
    Kind.SELINUX: "SELinux label",
    Kind.SECCOMP: "seccomp profile",
    Kind.CAPABILITIES: "capabilities",
    Kind.SETTINGS: "other settings",
}


def _fate(judged: Judged) -> Fate:
    chosen = _chosen(judged)
    return Fate(bool(_faults(judged)), chosen.candidate.name if chosen is not None else "")


def _chosen(judged: Judged) -> Chosen | None:
    selection = judged.selection
    return None if selection is None or selection.chosen is None else Chosen(selection, selection.chosen)


def _faults(judged: Judged) -> tuple[Finding, ...]:
    """What a cluster would refuse the Pods for."""
    return tuple(
        finding
        for finding in judged.findings
        if finding.severity is Severity.ERROR and finding.rule.partition("/")[0] in _REFUSING
    )


def _warnings(judged: Judged) -> Iterator[Finding]:
    for finding in judged.findings:
        if finding.severity is not Severity.ERROR and finding.rule.startswith("pss/"):
            yield finding


def _refusers(faults: tuple[Finding, ...]) -> str:
    return ", ".join(dict.fromkeys(fault.policy or "the API server" for fault in faults))


def _rules(findings: list[Finding]) -> str:
    return ", ".join(
        dict.fromkeys(f.rule.partition("/")[2] + (" (audit)" if f.severity is Severity.NOTE else "") for f in findings)
    )


def _reason(fault: Finding) -> str:
    named = fault.subject.container
    container = f"container {named}: " if named and f'"{named}"' not in fault.message else ""
    place = f"{fault.path}: " if fault.rule.startswith("scc/") and fault.path.segments else ""
    return f"{fault.policy or fault.rule}: {container}{place}{fault.message}"


def _spoken(source: Source) -> str:
    """The source in words: an annotation by its name."""
    last = source.path.segments[-1] if source.path is not None and source.path.segments else ""
    return f"{source.name} annotation {last.name}" if isinstance(last, Key) else str(source)


def _admitted(fate: Fate) -> str:
    return f"admitted by scc {fate.scc}" if fate.scc else "admitted"


def _assignment(judged: Judged, trait: Trait) -> Assignment | None:
    """What an SCC set there; the first place that it set counts."""
    if judged.selection is None:
        return None
    found = (judged.selection.decision.assignment(place) for place in trait.places)
    return next((assignment for assignment in found if assignment is not None), None)


def _line(document: Document, place: Path) -> int:
    return int(document.where(place).rpartition(":")[2])
