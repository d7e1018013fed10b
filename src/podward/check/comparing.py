"""What changes for one workload when policies change: it is judged twice, and the two outcomes are laid side by side.

What policies make of a Pod is compared in the Pod that would be stored, not in the policies: a new SCC that sets
nothing else is no change, and an old one that sets something else is. Where a side refuses the workload, nothing is
stored there, and only the refusal counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.api.finding import WorkloadRef
from podward.api.policy_change import Kind, Placed, PolicyChange, Reasons
from podward.check.citing import Cited, cited, decider, in_words, is_assumed
from podward.check.judging import Judged
from podward.check.outcomes import (
    admitted_words,
    chosen_by,
    faults_of,
    grievance,
    outcome_of,
    reason_of,
    refused_for,
    refusers,
    rules_of,
    warnings_of,
)
from podward.check.scc_choice import Side, Sides, may_use, why_other_scc
from podward.check.strategies import strategy
from podward.check.traits import Trait, told, traits_of
from podward.decision import Assignment, Origin, Source
from podward.documents.document import Document
from podward.path import Path, path
from podward.schema.workload import PodSource

_NAMED = ("spec", "template", "jobTemplate")


class Subjected(Struct, frozen=True):
    """A workload with its name and the line where that is written."""

    source: PodSource
    subject: WorkloadRef
    line: int


def workload(source: PodSource, side: Side) -> Subjected:
    """The workload as changes name it; both sides put objects that name no namespace into the same one."""
    namespace = side.held.namespace_of(source)
    steps = source.prefix.segments
    outside = next((index for index, step in enumerate(steps) if step in _NAMED), len(steps))
    line = _line(source.document, Path(steps[:outside]) + path("metadata", "name"))
    return Subjected(source, WorkloadRef(source.kind, namespace, source.name), line)


def placed(old: Judged, new: Judged, about: Subjected) -> Placed:
    """The workload's fate on both sides."""
    return Placed(about.source.document.name, about.line, about.subject, outcome_of(old), outcome_of(new))


def compared(old: Judged, new: Judged, about: Subjected, sides: Sides) -> tuple[PolicyChange, ...]:
    """Every change for the workload, the worst first; empty where all stays."""
    return tuple(sorted(_Comparing(old, new, about, sides).shifts(), key=lambda shift: _ORDER[shift.kind]))


_ORDER = {kind: index for index, kind in enumerate(Kind)}


class _Comparing:
    """The two outcomes of one workload."""

    def __init__(self, old: Judged, new: Judged, about: Subjected, sides: Sides) -> None:
        self._old, self._new = old, new
        self._about, self._sides = about, sides
        self._before, self._after = outcome_of(old), outcome_of(new)

    def shifts(self) -> Iterator[PolicyChange]:
        if self._after.refused:
            if self._before.refused:
                yield from self._other_reasons()
            else:
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

    def _refused(self) -> PolicyChange:
        faults = faults_of(self._new)
        first = faults[0]
        source = decider(first, self._new, self._sides.new, self._sides)
        return self._shift(
            Kind.REFUSED,
            (admitted_words(self._before), f"refused by {refusers(faults)}"),
            reason_of(first),
            source,
            tuple(reason_of(fault) for fault in faults[1:]),
            first.line,
        )

    def _other_reasons(self) -> Iterator[PolicyChange]:
        """Refused by both: a change only where one side has something against the workload that the other has not.

        That the same is refused under another policy's name, `restricted:latest` in place of `restricted:v1.24`, is
        none: the workload's author has the same to do.
        """
        old, new = ({grievance(fault): fault for fault in faults_of(judged)} for judged in (self._old, self._new))
        more = [fault for key, fault in new.items() if key not in old]
        less = [fault for key, fault in old.items() if key not in new]
        kept = [fault for key, fault in new.items() if key in old]
        if not more and not less:
            return
        first, judged, side = (more[0], self._new, self._sides.new) if more else (less[0], self._old, self._sides.old)
        also = [
            *map(reason_of, more),
            *(f"no longer, {reason_of(fault)}" for fault in less),
            *(f"as before, {reason_of(fault)}" for fault in kept),
        ]
        yield self._shift(
            Kind.REASONS,
            (refused_for(old.values()), refused_for(new.values())),
            also[0],
            decider(first, judged, side, self._sides),
            tuple(also[1:]),
            first.line,
            Reasons(*(tuple(map(reason_of, faults)) for faults in (more, less, kept))),
        )

    def _allowed(self) -> PolicyChange:
        faults = faults_of(self._old)
        also = [f"before, {reason_of(fault)}" for fault in faults]
        chosen = chosen_by(self._new)
        if chosen is not None and chosen_by(self._old) is None:
            name = chosen.candidate.name
            also.append(may_use(self._sides.new, chosen.candidate, self._kind_and_namespace))
            why = f"it fits scc {name} now"
            decided = cited(Source(Origin.POLICY, f"scc {name}", Path()), self._sides.new)
        else:
            decided = decider(faults[0], self._old, self._sides.new, self._sides)
            enforced = self._sides.new.held.pod_security(self._about.subject.namespace).policy.enforce
            who = decided.source.name if faults[0].rule.startswith("scc/") else enforced
            why = f"{who} has nothing against it now"
        texts = (f"refused by {refusers(faults)}", admitted_words(self._after))
        return self._shift(Kind.ALLOWED, texts, why, decided, tuple(also))

    # --- SCCs and what they set ---------------------------------------------------------------------------------------

    def _other_scc(self, effects: tuple[PolicyChange, ...]) -> Iterator[PolicyChange]:
        old, new = chosen_by(self._old), chosen_by(self._new)
        if old is None or new is None or old.candidate.name == new.candidate.name:
            return
        found = why_other_scc(old, new, self._sides, self._kind_and_namespace)
        names = ", ".join(dict.fromkeys(WORDS[effect.kind] for effect in effects))
        changes = f"it changes: {names}" if names else "it sets nothing else"
        before, after = (f"{c.candidate.name}, priority {c.candidate.standing.priority}" for c in (old, new))
        decided = cited(found.source, self._sides.old if found.gone else self._sides.new)
        yield self._shift(found.kind, (before, after), found.why, decided, (*found.also, changes))

    def _effects(self) -> Iterator[PolicyChange]:
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

    def _why(self, trait: Trait) -> tuple[str, Cited]:
        """Who sets the value now or, if nobody does, who did."""
        ours, theirs = (_assignment(judged, trait) for judged in (self._new, self._old))
        if ours is not None:
            assumed = " (assumed)" if is_assumed(ours.source, self._about.subject.namespace, self._sides.new) else ""
            return f"{in_words(ours.source)}{assumed}: {ours.reason}", cited(ours.source, self._sides.new)
        now, earlier = (
            strategy(side.held, fate.scc, trait.spot.field)
            for side, fate in ((self._sides.new, self._after), (self._sides.old, self._before))
        )
        source = Source(Origin.POLICY, f"scc {self._after.scc}" if self._after.scc else "no SCC", now[1])
        field = trait.spot.field.removeprefix("securityContext.")
        did = f"; before, {in_words(theirs.source)} did" if theirs is not None else f"; before, {earlier[0]}"
        return f"{now[0]} sets no {field}{did}", cited(source, self._sides.new)

    # --- warnings -----------------------------------------------------------------------------------------------------

    def _warnings(self) -> Iterator[PolicyChange]:
        old, new = ({(w.rule, w.path): w for w in warnings_of(judged)} for judged in (self._old, self._new))
        more = [warning for key, warning in new.items() if key not in old]
        less = [warning for key, warning in old.items() if key not in new]
        if more:
            source = decider(more[0], self._new, self._sides.new, self._sides)
            sentences = tuple(reason_of(warning) for warning in more)
            yield self._shift(
                Kind.WARNED, ("nothing said of it", rules_of(more)), sentences[0], source, sentences[1:], more[0].line
            )
        if less:
            source = decider(less[0], self._old, self._sides.old, self._sides)
            sentences = tuple(f"before, {reason_of(warning)}" for warning in less)
            yield self._shift(Kind.CLEARED, (rules_of(less), "nothing said of it"), sentences[0], source, sentences[1:])

    # --- making them --------------------------------------------------------------------------------------------------

    @property
    def _kind_and_namespace(self) -> tuple[str, str]:
        return self._about.subject.kind, self._about.subject.namespace

    def _shift(  # noqa: PLR0913, PLR0917  # one for each field that differs between kinds
        self,
        kind: Kind,
        texts: tuple[str, str],
        why: str,
        decided: Cited,
        also: tuple[str, ...] = (),
        line: int = 0,
        reasons: Reasons | None = None,
    ) -> PolicyChange:
        about = self._about
        file = about.source.document.name
        return PolicyChange(
            kind, file, line or about.line, about.subject, *texts, why, decided.source, decided.place, also, reasons
        )


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


def _assignment(judged: Judged, trait: Trait) -> Assignment | None:
    """What an SCC set there; the first place that it set counts."""
    if judged.selection is None:
        return None
    found = (judged.selection.decision.assignment(place) for place in trait.places)
    return next((assignment for assignment in found if assignment is not None), None)


def _line(document: Document, place: Path) -> int:
    return int(document.where(place).rpartition(":")[2])
