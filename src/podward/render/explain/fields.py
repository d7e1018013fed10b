"""Sorting the assignments of a stage into the rows of `explain`, by the table in `field_table`."""

from __future__ import annotations

from posixpath import normpath

from podward.api.cri import KeyValue
from podward.api.storage import VolumeNote
from podward.api.volume import NamedSource
from podward.decision import Assignment, Decision, Origin, Unknown
from podward.path import Key
from podward.policy.kubelet.volume_files import VolumeFile
from podward.render.explain import value_text
from podward.render.explain.field_table import ADMISSION_FIELDS, FAMILIES, FIELDS, TOPICS, RowField, Segments
from podward.render.written_words import HIDDEN

_RANKS = {name: index for index, name in enumerate(TOPICS)}
_SCC = "openshift.io/scc"
_STAGES_WITH_MOUNTS = frozenset(("cri", "oci", "kernel"))


def rank(row: str) -> tuple[int, str]:
    """The row's place in the order of rows; volumes stay in the manifest's order."""
    family = _family(row)
    return _RANKS[family], "" if family == "volume" else row


def topic(row: str) -> str:
    """The row's topic."""
    return TOPICS[_family(row)]


def by_row(stage: str, decision: Decision) -> list[tuple[RowField, list[Assignment]]]:
    """The stage's assignments by row, in the order of the stage; a later value of a field replaces an earlier one."""
    known = FIELDS.get(stage, {})
    volumes = _volume_names(decision) if stage == "volumes" else {}
    found: dict[str, tuple[RowField, dict[Segments, Assignment]]] = {}
    for assignment in decision.assignments:
        if isinstance(assignment.value, VolumeNote):
            continue  # a sentence of its own below the rows
        row_field = _volume(assignment, volumes) if volumes else _row_field(stage, assignment, known)
        if row_field is not None:
            kept = found.setdefault(row_field.row, (row_field, {}))[1]
            segments = assignment.path.segments
            if segments == row_field.segments:  # the whole field: it replaces assignments of its parts
                for inside in [s for s in kept if s[: len(segments)] == segments]:
                    del kept[inside]
            kept[segments] = assignment
    return [(row_field, list(kept.values())) for row_field, kept in found.values()]


def _row_field(stage: str, assignment: Assignment, known: dict[Segments, RowField]) -> RowField | None:
    segments = assignment.path.segments
    if segments[0] == "mounts" and stage in _STAGES_WITH_MOUNTS:
        return _mount(assignment)
    if segments[0] == "envs" or segments[:2] == ("process", "env"):
        return _variable(assignment)
    if stage == "sandbox" and segments[:2] == ("linux", "sysctls"):
        return RowField(f"sysctl {_text(segments[-1])}", segments)
    if stage == "admission":
        return _admission_field(segments)
    for length in range(1, min(len(segments), 4) + 1):
        row_field = known.get(segments[:length])
        if row_field is not None:
            return row_field
    return None


def _mount(assignment: Assignment) -> RowField | None:
    """A mount of the manifest or the image has a row of its own; the kubelet's and the runtime's own share one."""
    where = value_text.destination(assignment.value)
    if not where:
        return None
    if assignment.source.origin in {Origin.MANIFEST, Origin.IMAGE}:
        return RowField(f"mount {normpath(where)}", assignment.path.segments, value_text.mount_flags)
    return RowField("mounts", ("mounts",), value_text.mount)


def _variable(assignment: Assignment) -> RowField | None:
    """A variable has a row where its value is shown."""
    value = assignment.value
    if isinstance(value, Unknown):
        return RowField("env (image)", assignment.path.segments, value_text.variable)
    name = value.key if isinstance(value, KeyValue) else str(value).partition("=")[0]
    hidden = value_text.variable(value) == HIDDEN
    return None if hidden else RowField(f"env {name}", assignment.path.segments, value_text.variable)


def _admission_field(segments: Segments) -> RowField | None:
    """The row of a field of the manifest that admission sets: the innermost field that has a row counts."""
    if segments[-1] == Key(_SCC):
        return RowField("SCC", segments)
    for segment in reversed(segments if "securityContext" in segments else ()):
        if isinstance(segment, str) and segment in ADMISSION_FIELDS:
            row, form = ADMISSION_FIELDS[segment]
            return RowField(row, segments, form)
    return None


class _VolumeField(RowField, frozen=True, gc=False):
    """A row about a volume: its source, then what was decided about it; the files that have one mode are told once."""

    def text(self, assignment: Assignment) -> str:
        if isinstance(assignment.value, NamedSource):
            return assignment.value.kind
        if isinstance(assignment.value, VolumeFile):
            return value_text.volume_file(assignment.value)
        return super().text(assignment)

    def joined(self, texts: tuple[str, ...]) -> str:
        return super().joined(tuple(dict.fromkeys(texts)))


def _volume_names(decision: Decision) -> dict[Segments, str]:
    """The volumes' names by the places of their sources."""
    return {a.path.segments: a.value.name for a in decision.assignments if isinstance(a.value, NamedSource)}


def _volume(assignment: Assignment, names: dict[Segments, str]) -> RowField | None:
    """The row of a volume's field: `spec.volumes[0].emptyDir.medium` belongs to the volume of this name."""
    segments = assignment.path.segments
    place = next((segments[:length] for length in range(len(segments), 0, -1) if segments[:length] in names), None)
    if place is None:
        return None
    return _VolumeField(f"volume {names[place]}", place, named=True)


def _family(row: str) -> str:
    return next((family.strip() for family in FAMILIES if row.startswith(family)), row)


def _text(segment: str | int | Key) -> str:
    return segment.name if isinstance(segment, Key) else str(segment)
