"""`explain -o json`: every assignment and refusal of every stage. Its schema is docs/schema/explain.schema.json."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.document import Document
from podward.api.explanation import ContainerExplanation, Hint, PodExplanation, Stage
from podward.api.process import ProcessState
from podward.decision import Assignment, Origin, Source, Value, Violation
from podward.path import Path
from podward.render import verify
from podward.render.explain.rows import Explained, decides

VERSION = 1
"""Of the form of this document: raised when a field is taken away or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base: absent and null are told apart nowhere, so every field is always there."""


class CitedSource(_Part, frozen=True, gc=False):
    """Who decided. `name` is a file, an image (with its file) or a table with its version; `line` is the file's."""

    origin: str
    name: str
    path: str | None
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


class ShownPod(_Part, frozen=True, gc=False):
    """One Pod."""

    name: str
    namespace: str
    kind: str
    document: str
    path: str
    line: int
    refused: bool
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
    return Shown(VERSION, tuple(_Shower(each.document, field).pod(each.pod) for each in explained))


class _Shower:
    """Turns one Pod's explanation into what is shown; lines are found in its document."""

    def __init__(self, document: Document, field: Path | None) -> None:
        self._document = document
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
            self._line(pod.place),
            any(stage.decision.refused for stage in every),
            tuple(self._stage(stage) for stage in pod.stages),
            tuple(self._container(container) for container in pod.containers),
        )

    def _container(self, container: ContainerExplanation) -> ShownContainer:
        foreseen, seen = container.predicted, container.observed
        different = verify.differences(foreseen, seen) if foreseen is not None and seen is not None else ()
        return ShownContainer(
            container.name,
            container.kind,
            str(container.place),
            self._line(container.place),
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
            line = source.line
            if source.origin is Origin.MANIFEST and source.path is not None and source.name == self._document.name:
                line = self._line(source.path)
            where = str(source.path) if source.path is not None else None
            self._cited[source] = CitedSource(source.origin.value, source.name, where, line)
        return self._cited[source]

    def _line(self, place: Path) -> int:
        return int(self._document.where(place).rpartition(":")[2])

    def _hint(self, hint: Hint) -> ShownHint:
        changes = tuple(ShownChange(str(c.path), c.path.pointer, c.value) for c in hint.changes)
        place, source = str(hint.path), self._source(hint.source)
        return ShownHint(hint.name, place, self._line(hint.path), hint.problem, hint.remedy, changes, source)
