"""The rows of `explain`: one for each security field, with its value at every stage and who decided it.

Everything here is read off the Decisions in a `PodExplanation`; nothing is decided, nothing computed a second time.
Renderers (table, SVG, HTML) read these rows and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.explanation import Admission, Change
from podward.decision import Origin, Source
from podward.path import Path
from podward.render.explain import fields, forms

if TYPE_CHECKING:
    from podward.api.document import Document
    from podward.api.explanation import ContainerExplanation, Hint, PodExplanation, Stage
    from podward.api.process import ProcessState
    from podward.decision import Assignment, Violation

KERNEL = "kernel"
"""The stage whose values are the prediction."""


class Part(Struct, frozen=True, gc=False):
    """A value, or one item of a list: as text, why, who decided, and where that stands.

    `where` is `file:line` for a manifest, else the source's own words ("containerd 2.2", "IMAGE /etc/group:6").
    """

    text: str
    reason: str
    source: Source
    where: str


class Step(Struct, frozen=True, gc=False):
    """A field's value at one stage, whole (`text`) and in few words (`brief`).

    `path` is its place in that stage's result. `parts` has one item, or one for each item of a list whose items were
    decided apart. `changed` is whether the text differs from that of the stage before.
    """

    stage: str
    path: Path
    text: str
    brief: str
    parts: tuple[Part, ...]
    changed: bool


class Row(Struct, frozen=True, gc=False):
    """One security field: `topic` groups rows (identity, privileges, …).

    `predicted` and `observed` are the kernel's values as texts; empty where there are none.
    """

    name: str
    topic: str
    steps: tuple[Step, ...]
    predicted: str = ""
    predicted_brief: str = ""
    observed: str = ""

    @property
    def differs(self) -> bool:
        """Whether what was observed is not what was predicted."""
        return bool(self.observed) and self.observed != self.predicted


class Refusal(Struct, frozen=True, gc=False):
    """What a stage refused; `where` is the line of the field, or of what is closest to it."""

    stage: str
    path: Path
    value: str
    reason: str
    source: Source
    where: str


class ShownHint(Struct, frozen=True, gc=False):
    """A hint and the line of the field it is about."""

    name: str
    path: Path
    where: str
    problem: str
    remedy: str
    changes: tuple[Change, ...]


class ContainerRows(Struct, frozen=True, gc=False):
    """One container; `where` is its line."""

    name: str
    kind: str
    image: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    hints: tuple[ShownHint, ...]
    observed: bool


class PodRows(Struct, frozen=True, gc=False):
    """One Pod; `rows` and `refusals` are those about the Pod as a whole."""

    name: str
    namespace: str
    kind: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    containers: tuple[ContainerRows, ...]
    admission: Admission | None = None


class Explained(Struct, frozen=True, gc=False):
    """An explanation, and the document whose lines it cites."""

    pod: PodExplanation
    document: Document


def rows_of(explained: Explained, field: Path | None = None) -> PodRows:
    """The rows of one Pod; with `field` (a place in the document), only what that field decides."""
    pod, document = explained.pod, explained.document
    return PodRows(
        pod.name,
        pod.namespace,
        pod.kind,
        document.where(pod.place),
        _rows(pod.stages, None, document, field),
        _refusals(pod.stages, document, field),
        tuple(_container(container, document, field) for container in pod.containers),
        pod.admission if field is None else None,
    )


def cite(source: Source, document: Document) -> str:
    """Where a source stands: `file:line` of a manifest's field, else the source's own words.

    Raises ValueError for a source without a name: nothing is printed that nobody decided.
    """
    if not source.name:
        raise ValueError(f"a value without a source: {source}")
    if source.origin is Origin.MANIFEST and source.path is not None and source.name == document.name:
        return document.where(source.path)
    return str(source)


def _container(container: ContainerExplanation, document: Document, field: Path | None) -> ContainerRows:
    return ContainerRows(
        container.name,
        container.kind,
        container.image,
        document.where(container.place),
        _rows(container.stages, container.observed, document, field),
        _refusals(container.stages, document, field),
        tuple(_hint(hint, document) for hint in container.hints if field is None or hint.path.startswith(field)),
        container.observed is not None,
    )


def _hint(hint: Hint, document: Document) -> ShownHint:
    return ShownHint(hint.name, hint.path, document.where(hint.path), hint.problem, hint.remedy, hint.changes)


def _refusals(stages: tuple[Stage, ...], document: Document, field: Path | None) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(stage.name, v.path, forms.plain(v.value), v.reason, v.source, _refused_at(v, stages, document))
        for stage in stages
        for v in stage.decision.violations
        if field is None or v.path.startswith(field) or decides(v.source, field)
    )


def _refused_at(violation: Violation, stages: tuple[Stage, ...], document: Document) -> str:
    """The line of the refused field; where a stage refuses what an earlier one made, the line that decided that."""
    place, source = violation.path, violation.source
    if source.origin is Origin.MANIFEST:
        return cite(source, document)
    if document.line_of(place) is not None or place.segments[:1] == ("spec",):
        return document.where(place)
    decided = (stage.decision.assignment(place) for stage in reversed(stages))
    return next((cite(a.source, document) for a in decided if a is not None), cite(source, document))


def decides(source: Source, field: Path) -> bool:
    """Whether the source is the manifest's `field`, or something in it."""
    return source.origin is Origin.MANIFEST and source.path is not None and source.path.startswith(field)


def _rows(
    stages: tuple[Stage, ...], observed: ProcessState | None, document: Document, field: Path | None
) -> tuple[Row, ...]:
    found: dict[str, list[tuple[str, fields.Place, list[Assignment]]]] = {}
    for stage in stages:
        for place, assignments in fields.sort(stage.name, stage.decision):
            found.setdefault(place.row, []).append((stage.name, place, assignments))
    rows = []
    for name in sorted(found, key=fields.rank):
        if field is not None and not any(decides(a.source, field) for _, _, listed in found[name] for a in listed):
            continue
        rows.append(_row(name, found[name], observed, document))
    return tuple(rows)


def _row(
    name: str,
    found: list[tuple[str, fields.Place, list[Assignment]]],
    observed: ProcessState | None,
    document: Document,
) -> Row:
    steps: list[Step] = []
    for stage, place, assignments in found:
        step = _step(stage, place, assignments, document, steps[-1].text if steps else None)
        steps.append(step)
    kernel = next((step for step in steps if step.stage == KERNEL), None)
    return Row(
        name,
        fields.topic(name),
        tuple(steps),
        kernel.text if kernel else "",
        kernel.brief if kernel else "",
        _observed(found, observed) if observed is not None and kernel is not None else "",
    )


def _observed(found: list[tuple[str, fields.Place, list[Assignment]]], observed: ProcessState) -> str:
    """The kernel's own value of what the kernel stage predicted, as the same text."""
    texts: list[str] = []
    stage, place, assignments = found[-1]
    for assignment in assignments if stage == KERNEL else ():
        where = forms.destination(assignment.value)
        seen = next((m for m in observed.mounts if m.destination == where), None) if where else None
        if where:
            texts.append(place.form(seen) if seen is not None else f"no {where}")
        else:
            texts.append(place.form(getattr(observed, str(assignment.path.segments[0]))))
    return place.joined(tuple(texts))


def _step(
    stage: str, place: fields.Place, assignments: list[Assignment], document: Document, before: str | None
) -> Step:
    parts = tuple(Part(place.text(a), a.reason, a.source, cite(a.source, document)) for a in assignments)
    text = place.joined(tuple(part.text for part in parts))
    brief = forms.brief(name=place.row, text=text)
    return Step(stage, Path(place.segments), text, brief, _merged(parts, text), text != before)


def _merged(parts: tuple[Part, ...], text: str) -> tuple[Part, ...]:
    """One part where all have the same source and reason."""
    first = parts[0]
    if all(part.source == first.source and part.reason == first.reason for part in parts):
        return (Part(text, first.reason, first.source, first.where),)
    return parts
