"""`explain -o json` and `-o yaml`: every assignment and refusal of every stage, as one document.

Its schema is docs/schema/explain.schema.json.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from podward.errors import PodwardError
from podward.path import Path
from podward.render import verify
from podward.render.escaping import json_text
from podward.render.explain import verdict
from podward.render.explain.citations import Citations
from podward.render.explain.rows import ExplainedPod, decides, within

VERSION = 1
"""The version of the document's form. It is raised when a field is removed or changes its meaning."""


class _Part(Struct, frozen=True, rename="camel", gc=False):
    """Base of the document's objects: every field is always there, as null if it has no value."""


class JsonSource(_Part, frozen=True, gc=False):
    """The source of a value. `name` is a file, an image (with its file), a policy, or a table with its version.

    `line` is a line of `file`; both are set if the source is written in a text file.
    """

    origin: str
    name: str
    path: str | None
    file: str | None
    line: int | None


class JsonDecided(_Part, frozen=True, gc=False):
    """An assignment or a refusal."""

    path: str
    value: Value
    reason: str
    source: JsonSource


class JsonStage(_Part, frozen=True, gc=False):
    """One stage."""

    stage: str
    assignments: tuple[JsonDecided, ...]
    refusals: tuple[JsonDecided, ...]


class JsonChange(_Part, frozen=True, gc=False):
    """A field to set; if the value is null, a field to remove."""

    path: str
    pointer: str
    value: Value


class JsonHint(_Part, frozen=True, gc=False):
    """A hint with its remedy."""

    name: str
    path: str
    line: int
    problem: str
    remedy: str
    changes: tuple[JsonChange, ...]
    source: JsonSource


class JsonContainer(_Part, frozen=True, gc=False):
    """One container; `differences` are the fields whose observed value is not the predicted one.

    `verdict` is the line that opens the table.
    """

    name: str
    kind: str
    path: str
    line: int
    image: str
    stages: tuple[JsonStage, ...]
    hints: tuple[JsonHint, ...]
    predicted: ProcessState | None
    observed: ProcessState | None
    differences: tuple[str, ...]
    verdict: str


class JsonPoints(_Part, frozen=True, gc=False):
    """The points that an SCC has for one item."""

    item: str
    points: int


class JsonScc(_Part, frozen=True, gc=False):
    """One line of the ranking: an SCC and its outcome."""

    name: str
    priority: int
    points: tuple[JsonPoints, ...]
    outcome: str
    reason: str
    refusals: tuple[JsonDecided, ...]


class JsonAdmission(_Part, frozen=True, gc=False):
    """How admission came to its answer."""

    caller: str
    account: str
    considered: tuple[JsonScc, ...]
    verdicts: tuple[str, ...]
    note: str


class JsonPod(_Part, frozen=True, gc=False):
    """One Pod; `verdict` is why it is refused as a whole, empty where it is not."""

    name: str
    namespace: str
    kind: str
    document: str
    path: str
    line: int
    refused: bool
    admission: JsonAdmission | None
    stages: tuple[JsonStage, ...]
    containers: tuple[JsonContainer, ...]
    verdict: str


class JsonError(_Part, frozen=True, gc=False):
    """Why something could not be explained: where, what is wrong, and what to do."""

    where: str
    what: str
    advice: str


class ExplainDocument(_Part, frozen=True, gc=False):
    """The whole document."""

    version: int
    pods: tuple[JsonPod, ...]
    errors: tuple[JsonError, ...]


def as_json(
    explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...] = (), errors: Sequence[PodwardError] = ()
) -> str:
    """The document as indented JSON."""
    return json_text(document(explained, fields, errors), 1)


def as_yaml(
    explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...] = (), errors: Sequence[PodwardError] = ()
) -> str:
    """The document as YAML."""
    from podward.render.objects import yaml_text  # the JSON form does not need PyYAML

    return yaml_text(msgspec.to_builtins(document(explained, fields, errors)), width=120)


def document(
    explained: tuple[ExplainedPod, ...], fields: tuple[Path, ...] = (), errors: Sequence[PodwardError] = ()
) -> ExplainDocument:
    """The document; with `fields`, only what these decide. `errors` are about what could not be explained."""
    pods = tuple(_PodConverter(each.citations, fields).pod(each.pod) for each in explained)
    return ExplainDocument(VERSION, pods, tuple(JsonError(each.where, each.what, each.advice) for each in errors))


class _PodConverter:
    """Makes the document's part about one Pod; lines are found in the Pod's document and in the policies' files."""

    def __init__(self, citations: Citations, wanted: tuple[Path, ...]) -> None:
        self._citations = citations
        self._wanted = wanted
        self._sources: dict[Source, JsonSource] = {}

    def pod(self, pod: PodExplanation) -> JsonPod:
        """The Pod."""
        stages = (*pod.stages, *(stage for container in pod.containers for stage in container.stages))
        return JsonPod(
            pod.name,
            pod.namespace,
            pod.kind,
            pod.document,
            str(pod.place),
            self._citations.line(pod.place),
            any(stage.decision.refused for stage in stages),
            self._admission(pod.admission) if pod.admission is not None and not self._wanted else None,
            tuple(self._stage(stage) for stage in pod.stages),
            tuple(self._container(container, pod) for container in pod.containers),
            verdict.of_pod(pod),
        )

    def _admission(self, admission: AdmissionExplanation) -> JsonAdmission:
        considered = tuple(self._scc(each) for each in admission.considered)
        return JsonAdmission(admission.caller, admission.account, considered, admission.verdicts, admission.note)

    def _scc(self, each: ConsideredScc) -> JsonScc:
        points = tuple(JsonPoints(item, number) for item, number in each.points)
        refusals = tuple(self._decided(violation) for violation in each.violations)
        return JsonScc(each.name, each.priority, points, each.outcome, each.reason, refusals)

    def _container(self, container: ContainerExplanation, pod: PodExplanation) -> JsonContainer:
        predicted, observed = container.predicted, container.observed
        different = verify.differences(predicted, observed) if predicted is not None and observed is not None else ()
        return JsonContainer(
            container.name,
            container.kind,
            str(container.place),
            self._citations.line(container.place),
            container.image,
            tuple(self._stage(stage) for stage in container.stages),
            tuple(self._hint(h) for h in container.hints if within(h.path, self._wanted)),
            predicted,
            observed,
            tuple(row.field for row in different),
            verdict.of_container(container, pod),
        )

    def _stage(self, stage: Stage) -> JsonStage:
        decision, wanted = stage.decision, self._wanted
        return JsonStage(
            stage.name,
            tuple(self._decided(a) for a in decision.assignments if decides(a.source, wanted)),
            tuple(self._decided(v) for v in decision.violations if decides(v.source, wanted) or within(v.path, wanted)),
        )

    def _decided(self, decided: Assignment | Violation) -> JsonDecided:
        return JsonDecided(str(decided.path), decided.value, decided.reason, self._source(decided.source))

    def _source(self, source: Source) -> JsonSource:
        if source not in self._sources:
            where = str(source.path) if source.path is not None else None
            self._sources[source] = JsonSource(
                source.origin.value, source.name, where, *self._citations.file_and_line(source)
            )
        return self._sources[source]

    def _hint(self, hint: Hint) -> JsonHint:
        changes = tuple(JsonChange(str(c.path), c.path.pointer, c.value) for c in hint.changes)
        place, source = str(hint.path), self._source(hint.source)
        return JsonHint(hint.name, place, self._citations.line(hint.path), hint.problem, hint.remedy, changes, source)
