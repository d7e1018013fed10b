"""Which field of a policy decides about a workload, in which words it is told, and where it is written."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.finding import Finding, Severity
from podward.check.judging import Judged
from podward.check.scc_choice import Side, Sides
from podward.decision import Origin, Source
from podward.path import Key, path
from podward.policy.pss.labels import AUDIT, ENFORCE, WARN

_LABELS = path("metadata", "labels")
_MODES = {Severity.ERROR: ENFORCE, Severity.WARNING: WARN, Severity.NOTE: AUDIT}


class Cited(Struct, frozen=True):
    """A field of a policy; `place` is its `file:line`, empty for what no file of the side says."""

    source: Source
    place: str = ""


def cited(source: Source, side: Side) -> Cited:
    """The field, and where this side has it."""
    return Cited(source, side.where(source))


def decider(fault: Finding, judged: Judged, side: Side, sides: Sides) -> Cited:
    """The field of a policy of this side that refuses: the violation's own, or the namespace's label.

    `judged` is the outcome that the fault is of, `side` the one whose files are cited.
    """
    if judged.selection is not None and fault.rule.startswith("scc/"):
        for candidate in judged.selection.candidates:
            for violation in candidate.decision.violations:
                if violation.reason == fault.message and f"scc {candidate.name}" == fault.policy:
                    return cited(violation.source, side)
        return cited(Source(Origin.POLICY, fault.policy or "SecurityContextConstraints"), side)
    name = fault.subject.namespace
    for label in _labels_that_say(_MODES[fault.severity], _labels(sides.old, name), _labels(sides.new, name)):
        found = cited(Source(Origin.POLICY, f"namespace {name}", _LABELS / Key(label)), side)
        if found.place:
            return found
    return Cited(Source(Origin.POLICY, fault.policy))


def _labels(side: Side, name: str) -> Mapping[str, str | None]:
    namespace = side.namespaces.get(name)
    return (namespace.metadata.labels if namespace is not None else None) or {}


def _labels_that_say(mode: str, old: Mapping[str, str | None], new: Mapping[str, str | None]) -> tuple[str, ...]:
    """The labels that may decide what a mode asks for, the most telling first: the version where only that differs.

    Without a label of its own, what is warned about is what is enforced.
    """
    version = f"{mode}-version"
    first = (version, mode) if old.get(mode) == new.get(mode) and old.get(version) != new.get(version) else (mode,)
    return (*first, *((ENFORCE,) if mode == WARN else ()))


def is_assumed(source: Source, namespace: str, side: Side) -> bool:
    """Whether it is an annotation of the namespace that nobody has written on this side."""
    name = _annotation(source)
    known = side.namespaces.get(namespace)
    return bool(name) and name not in ((known.metadata.annotations if known is not None else None) or {})


def in_words(source: Source) -> str:
    """The source in words: an annotation by its name."""
    return f"{source.name} annotation {name}" if (name := _annotation(source)) else str(source)


def _annotation(source: Source) -> str:
    """The annotation's name; empty for other fields."""
    last = source.path.segments[-1] if source.path is not None and source.path.segments else ""
    return last.name if isinstance(last, Key) else ""
