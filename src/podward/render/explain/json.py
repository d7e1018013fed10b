"""`explain -o json`: every assignment and refusal of every stage. Its schema is docs/schema/explain.schema.json."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.explanation import (
    AdmissionExplanation,
    ConsideredScc,
    ContainerExplanation,
    Hint,
    PodExplanation,
    Stage,
)
from podward.api.process import ProcessState
from podward.decision import Assignment, Source, Value, Violation
from podward.path import Path
from podward.render import verify
from podward.render.explain.citing import Citations
from podward.render.explain.rows import Explained, decides

VERSION = 1
"""Of the form of this document: raised when a field is taken away or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base: absent and null are told apart nowhere, so every field is always there."""


class CitedSource(_Part, frozen=True, gc=False):
    """Who decided. `name` is a file, an image (with its file), a policy or a table with its version.

    `line` counts in `file`: both are there where the source is written in a text file.
    """

    origin: str
    name: str
    path: str | None
    file: str | None
    line: int | None


class Made(_Part, frozen=True, gc=False):
    """An assignment or a refusal."""

    path: str
    value: Value
    reason: str
    source: CitedSource


class ShownStage(_Part, frozen=True, gc=False):
    """One stage."""

    stage: str
    assignments: tuple[Made, ...]
    refusals: tuple[Made, ...]


class ShownChange(_Part, frozen=True, gc=False):
    """A field to set, or to remove where the value is null."""

    path: str
    pointer: str
    value: Value


class ShownHint(_Part, frozen=True, gc=False):
    """A hint with its remedy."""

    name: str
    path: str
    line: int
    problem: str
    remedy: str
    changes: tuple[ShownChange, ...]
    source: CitedSource


class ShownContainer(_Part, frozen=True, gc=False):
    """One container; `differences` are the fields in which what was observed is not what was predicted."""

    name: str
    kind: str
    path: str
    line: int
    image: str
    stages: tuple[ShownStage, ...]
    hints: tuple[ShownHint, ...]
    predicted: ProcessState | None
    observed: ProcessState | None
    differences: tuple[str, ...]


class ShownPoints(_Part, frozen=True, gc=False):
    """What an SCC has points for."""

    item: str
    points: int


class ShownCandidate(_Part, frozen=True, gc=False):
    """One line of the ranking: an SCC, and what became of it."""

    name: str
    priority: int
    points: tuple[ShownPoints, ...]
    outcome: str
    reason: str
    refusals: tuple[Made, ...]


class ShownAdmission(_Part, frozen=True, gc=False):
    """How admission came to its answer."""

    caller: str
    account: str
    considered: tuple[ShownCandidate, ...]
    verdicts: tuple[str, ...]
    note: str


class ShownPod(_Part, frozen=True, gc=False):
    """One Pod."""

    name: str
    namespace: str
    kind: str
    document: str
    path: str
    line: int
    refused: bool
    admission: ShownAdmission | None
    stages: tuple[ShownStage, ...]
    containers: tuple[ShownContainer, ...]


class Shown(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    pods: tuple[ShownPod, ...]


def document(explained: tuple[Explained, ...], field: Path | None = None) -> str:
    """The whole as JSON, indented; with `field`, only what that field decides."""
    return msgspec.json.format(msgspec.json.encode(shown(explained, field)), indent=1).decode() + "\n"


def shown(explained: tuple[Explained, ...], field: Path | None = None) -> Shown:
    """The whole, to be encoded."""
    return Shown(VERSION, tuple(_Shower(each.citations, field).pod(each.pod) for each in explained))


class _Shower:
    """Turns one Pod's explanation into what is shown; lines are found in its document and in the policies'."""

    def __init__(self, citations: Citations, field: Path | None) -> None:
        self._citations = citations
        self._field = field
        self._cited: dict[Source, CitedSource] = {}

    def pod(self, pod: PodExplanation) -> ShownPod:
        """The Pod."""
        every = (*pod.stages, *(stage for container in pod.containers for stage in container.stages))
        return ShownPod(
            pod.name,
            pod.namespace,
            pod.kind,
            pod.document,
            str(pod.place),
            self._citations.line(pod.place),
            any(stage.decision.refused for stage in every),
            self._admission(pod.admission) if pod.admission is not None and self._field is None else None,
            tuple(self._stage(stage) for stage in pod.stages),
            tuple(self._container(container) for container in pod.containers),
        )

    def _admission(self, admission: AdmissionExplanation) -> ShownAdmission:
        considered = tuple(self._candidate(each) for each in admission.considered)
        return ShownAdmission(admission.caller, admission.account, considered, admission.verdicts, admission.note)

    def _candidate(self, each: ConsideredScc) -> ShownCandidate:
        points = tuple(ShownPoints(item, number) for item, number in each.points)
        refusals = tuple(self._made(violation) for violation in each.violations)
        return ShownCandidate(each.name, each.priority, points, each.outcome, each.reason, refusals)

    def _container(self, container: ContainerExplanation) -> ShownContainer:
        foreseen, seen = container.predicted, container.observed
        different = verify.differences(foreseen, seen) if foreseen is not None and seen is not None else ()
        return ShownContainer(
            container.name,
            container.kind,
            str(container.place),
            self._citations.line(container.place),
            container.image,
            tuple(self._stage(stage) for stage in container.stages),
            tuple(self._hint(h) for h in container.hints if self._field is None or h.path.startswith(self._field)),
            foreseen,
            seen,
            tuple(row.field for row in different),
        )

    def _stage(self, stage: Stage) -> ShownStage:
        decision, field = stage.decision, self._field
        return ShownStage(
            stage.name,
            tuple(self._made(a) for a in decision.assignments if field is None or decides(a.source, field)),
            tuple(
                self._made(v)
                for v in decision.violations
                if field is None or decides(v.source, field) or v.path.startswith(field)
            ),
        )

    def _made(self, made: Assignment | Violation) -> Made:
        return Made(str(made.path), made.value, made.reason, self._source(made.source))

    def _source(self, source: Source) -> CitedSource:
        if source not in self._cited:
            where = str(source.path) if source.path is not None else None
            self._cited[source] = CitedSource(
                source.origin.value, source.name, where, *self._citations.file_and_line(source)
            )
        return self._cited[source]

    def _hint(self, hint: Hint) -> ShownHint:
        changes = tuple(ShownChange(str(c.path), c.path.pointer, c.value) for c in hint.changes)
        place, source = str(hint.path), self._source(hint.source)
        return ShownHint(hint.name, place, self._citations.line(hint.path), hint.problem, hint.remedy, changes, source)
