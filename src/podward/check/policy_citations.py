"""Citing policies: the field of a policy that decides about a workload, its `file:line`, and the words for it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.finding import Finding, Severity
from podward.check.judging import Judged
from podward.check.scc_changes import Side, Sides
from podward.decision import Origin, Source
from podward.path import Key, path
from podward.policy.pss.labels import AUDIT, ENFORCE, WARN

_LABELS = path("metadata", "labels")
_MODES = {Severity.ERROR: ENFORCE, Severity.WARNING: WARN, Severity.NOTE: AUDIT}


class CitedPolicy(Struct, frozen=True):
    """A field of a policy; `place` is its `file:line`, empty if it is in no file of the side."""

    source: Source
    place: str = ""


def cite(source: Source, side: Side) -> CitedPolicy:
    """The field with its `file:line` on this side."""
    return CitedPolicy(source, side.where(source))


def deciding_policy(fault: Finding, judged: Judged, side: Side, sides: Sides) -> CitedPolicy:
    """The field of a policy that refuses: the one that the violation names, or the namespace's label.

    `judged` is the result that the fault belongs to, `side` the side whose files are cited.
    """
    if judged.selection is not None and fault.rule.startswith("scc/"):
        for candidate in judged.selection.candidates:
            for violation in candidate.decision.violations:
                if violation.reason == fault.message and f"scc {candidate.name}" == fault.policy:
                    return cite(violation.source, side)
        return cite(Source(Origin.POLICY, fault.policy or "SecurityContextConstraints"), side)
    name = fault.subject.namespace
    for label in _labels_that_say(_MODES[fault.severity], _labels(sides.old, name), _labels(sides.new, name)):
        found = cite(Source(Origin.POLICY, f"namespace {name}", _LABELS / Key(label)), side)
        if found.place:
            return found
    return CitedPolicy(Source(Origin.POLICY, fault.policy))


def _labels(side: Side, name: str) -> Mapping[str, str | None]:
    namespace = side.namespaces.get(name)
    return (namespace.metadata.labels if namespace is not None else None) or {}


def _labels_that_say(mode: str, old: Mapping[str, str | None], new: Mapping[str, str | None]) -> tuple[str, ...]:
    """The labels that may decide about this mode, the best one to cite first: the version, if only that differs.

    Without a label for warnings, Pod Security warns about what it enforces.
    """
    version = f"{mode}-version"
    first = (version, mode) if old.get(mode) == new.get(mode) and old.get(version) != new.get(version) else (mode,)
    return (*first, *((ENFORCE,) if mode == WARN else ()))


def is_assumed(source: Source, namespace: str, side: Side) -> bool:
    """Whether the source is an annotation of the namespace that is assumed, as no file of this side has it."""
    name = _annotation(source)
    known = side.namespaces.get(namespace)
    return bool(name) and name not in ((known.metadata.annotations if known is not None else None) or {})


def source_in_words(source: Source) -> str:
    """The source in words; an annotation is called by its name."""
    return f"{source.name} annotation {name}" if (name := _annotation(source)) else str(source)


def _annotation(source: Source) -> str:
    """The annotation's name; empty for other fields."""
    last = source.path.segments[-1] if source.path is not None and source.path.segments else ""
    return last.name if isinstance(last, Key) else ""
