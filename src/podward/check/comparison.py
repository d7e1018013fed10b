"""What changes for one workload when policies change: it is judged by the old and the new ones, and both are compared.

The Pods that would be stored are compared, not the policies. So an SCC with another name that sets the same values
changes only the name; an SCC with the same name that sets other values is a change of these. If one side refuses the
workload, nothing would be stored there, and only the refusal is a change.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from podward.api.finding import WorkloadRef
from podward.api.policy_change import ChangeKind, ComparedWorkload, PolicyChange, RefusalReasons
from podward.check.judging import Judged
from podward.check.outcomes import (
    admitted_by,
    chosen_by,
    outcome_of,
    reason_of,
    refusal_key,
    refusals_of,
    refused_for,
    refusing_policies,
    rules_of,
    warnings_of,
)
from podward.check.pod_settings import PodSetting, settings_of_pod, settings_text
from podward.check.policy_citations import CitedPolicy, cite, deciding_policy, is_assumed, source_in_words
from podward.check.scc_changes import Side, Sides, may_use, why_other_scc
from podward.check.scc_fields import scc_field
from podward.decision import Assignment, Origin, Source
from podward.documents.document import Document
from podward.path import Path, path
from podward.schema.workload import PodSource

_NAMED = ("spec", "template", "jobTemplate")


class NamedWorkload(Struct, frozen=True):
    """A workload, its name, and the line on which the name is written."""

    source: PodSource
    subject: WorkloadRef
    line: int


def named_workload(source: PodSource, side: Side) -> NamedWorkload:
    """The workload with its name. Objects that name no namespace have the same one on both sides."""
    namespace = side.policies.namespace_of(source)
    steps = source.prefix.segments
    outside = next((index for index, step in enumerate(steps) if step in _NAMED), len(steps))
    line = _line(source.document, Path(steps[:outside]) + path("metadata", "name"))
    return NamedWorkload(source, WorkloadRef(source.kind, namespace, source.name), line)


def compared_workload(old: Judged, new: Judged, about: NamedWorkload) -> ComparedWorkload:
    """The workload with its outcome on both sides."""
    return ComparedWorkload(about.source.document.name, about.line, about.subject, outcome_of(old), outcome_of(new))


def policy_changes(old: Judged, new: Judged, about: NamedWorkload, sides: Sides) -> tuple[PolicyChange, ...]:
    """Every change for the workload, the worst first; empty if nothing changes."""
    return tuple(sorted(_Comparison(old, new, about, sides).changes(), key=lambda change: _ORDER[change.kind]))


_ORDER = {kind: index for index, kind in enumerate(ChangeKind)}


class _Comparison:
    """The comparison of one workload's two outcomes."""

    def __init__(self, old: Judged, new: Judged, about: NamedWorkload, sides: Sides) -> None:
        self._old, self._new = old, new
        self._about, self._sides = about, sides
        self._before, self._after = outcome_of(old), outcome_of(new)

    def changes(self) -> Iterator[PolicyChange]:
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
        faults = refusals_of(self._new)
        first = faults[0]
        source = deciding_policy(first, self._new, self._sides.new, self._sides)
        return self._change(
            ChangeKind.REFUSED,
            (admitted_by(self._before), f"refused by {refusing_policies(faults)}"),
            reason_of(first),
            source,
            tuple(reason_of(fault) for fault in faults[1:]),
            first.line,
        )

    def _other_reasons(self) -> Iterator[PolicyChange]:
        """The change for a workload that both sides refuse: there is one if their reasons differ.

        The same reason under another policy's name (`restricted:latest`, not `restricted:v1.24`) is no change: the
        author of the workload has to do the same.
        """
        old, new = ({refusal_key(fault): fault for fault in refusals_of(judged)} for judged in (self._old, self._new))
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
        yield self._change(
            ChangeKind.REASONS,
            (refused_for(old.values()), refused_for(new.values())),
            also[0],
            deciding_policy(first, judged, side, self._sides),
            tuple(also[1:]),
            first.line,
            RefusalReasons(*(tuple(map(reason_of, faults)) for faults in (more, less, kept))),
        )

    def _allowed(self) -> PolicyChange:
        faults = refusals_of(self._old)
        also = [f"before, {reason_of(fault)}" for fault in faults]
        chosen = chosen_by(self._new)
        if chosen is not None and chosen_by(self._old) is None:
            name = chosen.candidate.name
            also.append(may_use(self._sides.new, chosen.candidate, self._kind_and_namespace))
            why = f"it fits scc {name} now"
            decided = cite(Source(Origin.POLICY, f"scc {name}", Path()), self._sides.new)
        else:
            decided = deciding_policy(faults[0], self._old, self._sides.new, self._sides)
            enforced = self._sides.new.policies.pod_security(self._about.subject.namespace).policy.enforce
            who = decided.source.name if faults[0].rule.startswith("scc/") else enforced
            why = f"{who} has nothing against it now"
        texts = (f"refused by {refusing_policies(faults)}", admitted_by(self._after))
        return self._change(ChangeKind.ALLOWED, texts, why, decided, tuple(also))

    # --- SCCs and what they set ---------------------------------------------------------------------------------------

    def _other_scc(self, effects: tuple[PolicyChange, ...]) -> Iterator[PolicyChange]:
        old, new = chosen_by(self._old), chosen_by(self._new)
        if old is None or new is None or old.candidate.name == new.candidate.name:
            return
        found = why_other_scc(old, new, self._sides, self._kind_and_namespace)
        names = ", ".join(dict.fromkeys(EFFECT_NAMES[effect.kind] for effect in effects))
        changes = f"it changes: {names}" if names else "it sets nothing else"
        before, after = (f"{c.candidate.name}, priority {c.candidate.rank.priority}" for c in (old, new))
        decided = cite(found.source, self._sides.old if found.gone else self._sides.new)
        yield self._change(found.kind, (before, after), found.why, decided, (*found.also, changes))

    def _effects(self) -> Iterator[PolicyChange]:
        """The differences of the stored Pods, one change for each kind."""
        before, after = settings_of_pod(self._old.pod), settings_of_pod(self._new.pod)
        for kind in EFFECTS:
            differing = [
                (setting, after[key])
                for key, setting in before.items()
                if setting.kind is kind and key in after and after[key].text != setting.text
            ]
            if differing:
                old, new = [setting for setting, _ in differing], [setting for _, setting in differing]
                why, source = self._why(new[0])
                texts = (settings_text(old, self._old.pod), settings_text(new, self._new.pod))
                reasons = dict.fromkeys(self._why(setting)[0] for setting in new)
                yield self._change(kind, texts, why, source, tuple(reason for reason in reasons if reason != why))

    def _why(self, setting: PodSetting) -> tuple[str, CitedPolicy]:
        """The policy that sets the value now; if none does, the policy that did."""
        ours, theirs = (_assignment(judged, setting) for judged in (self._new, self._old))
        if ours is not None:
            assumed = " (assumed)" if is_assumed(ours.source, self._about.subject.namespace, self._sides.new) else ""
            return f"{source_in_words(ours.source)}{assumed}: {ours.reason}", cite(ours.source, self._sides.new)
        now, earlier = (
            scc_field(side.policies, outcome.scc, setting.place.field)
            for side, outcome in ((self._sides.new, self._after), (self._sides.old, self._before))
        )
        source = Source(Origin.POLICY, f"scc {self._after.scc}" if self._after.scc else "no SCC", now[1])
        field = setting.place.field.removeprefix("securityContext.")
        did = f"; before, {source_in_words(theirs.source)} did" if theirs is not None else f"; before, {earlier[0]}"
        return f"{now[0]} sets no {field}{did}", cite(source, self._sides.new)

    # --- warnings -----------------------------------------------------------------------------------------------------

    def _warnings(self) -> Iterator[PolicyChange]:
        old, new = ({(w.rule, w.path): w for w in warnings_of(judged)} for judged in (self._old, self._new))
        more = [warning for key, warning in new.items() if key not in old]
        less = [warning for key, warning in old.items() if key not in new]
        if more:
            source = deciding_policy(more[0], self._new, self._sides.new, self._sides)
            sentences = tuple(reason_of(warning) for warning in more)
            yield self._change(
                ChangeKind.WARNED,
                ("nothing said of it", rules_of(more)),
                sentences[0],
                source,
                sentences[1:],
                more[0].line,
            )
        if less:
            source = deciding_policy(less[0], self._old, self._sides.old, self._sides)
            sentences = tuple(f"before, {reason_of(warning)}" for warning in less)
            yield self._change(
                ChangeKind.CLEARED, (rules_of(less), "nothing said of it"), sentences[0], source, sentences[1:]
            )

    # --- the change itself --------------------------------------------------------------------------------------------

    @property
    def _kind_and_namespace(self) -> tuple[str, str]:
        return self._about.subject.kind, self._about.subject.namespace

    def _change(  # noqa: PLR0913, PLR0917  # one for each field that differs between kinds
        self,
        kind: ChangeKind,
        texts: tuple[str, str],
        why: str,
        decided: CitedPolicy,
        also: tuple[str, ...] = (),
        line: int = 0,
        reasons: RefusalReasons | None = None,
    ) -> PolicyChange:
        about = self._about
        file = about.source.document.name
        return PolicyChange(
            kind, file, line or about.line, about.subject, *texts, why, decided.source, decided.place, also, reasons
        )


EFFECTS = (
    ChangeKind.UID,
    ChangeKind.GROUPS,
    ChangeKind.SELINUX,
    ChangeKind.SECCOMP,
    ChangeKind.CAPABILITIES,
    ChangeKind.SETTINGS,
)
"""Kinds of differences between the stored Pods."""
EFFECT_NAMES = {
    ChangeKind.UID: "uid",
    ChangeKind.GROUPS: "groups",
    ChangeKind.SELINUX: "SELinux label",
    ChangeKind.SECCOMP: "seccomp profile",
    ChangeKind.CAPABILITIES: "capabilities",
    ChangeKind.SETTINGS: "other settings",
}


def _assignment(judged: Judged, setting: PodSetting) -> Assignment | None:
    """The SCC's assignment of this setting; the first of its paths that the SCC set counts."""
    if judged.selection is None:
        return None
    found = (judged.selection.decision.assignment(place) for place in setting.paths)
    return next((assignment for assignment in found if assignment is not None), None)


def _line(document: Document, place: Path) -> int:
    return int(document.where(place).rpartition(":")[2])
