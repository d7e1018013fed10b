"""The rows of `explain`: one for each security field, with its value at every stage and who decided it.

Everything here is read off the Decisions in a `PodExplanation`; nothing is decided, nothing computed a second time.
Renderers (table, SVG, HTML) read these rows and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.explanation import Change
from podward.decision import Origin, Source, Unknown
from podward.path import Path
from podward.render.explain import fields, forms
from podward.render.explain.candidates import Ranking, Refusal, ranking_of
from podward.render.explain.citing import NO_POLICIES, Citations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from podward.api.explanation import ContainerExplanation, Hint, PodExplanation, Stage
    from podward.api.process import ProcessState
    from podward.decision import Assignment, Violation
    from podward.documents.document import Document
    from podward.schema.objects import Item

KERNEL = "kernel"
"""The stage whose values are the prediction."""


class ShownValue(Struct, frozen=True, gc=False):
    """A value, or one item of a list: as text, why, who decided, and where that stands.

    `where` is `file:line` for a manifest and for a policy in a file, else the source's own words ("containerd 2.2",
    "IMAGE /etc/group:6"). `unknown` says why nobody knows the value, and how to know it.
    """

    text: str
    reason: str
    source: Source
    where: str
    unknown: Unknown | None = None

    @property
    def written(self) -> bool:
        """Whether `where` is `file:line` of a document: of a manifest, or of a policy's file."""
        origin = self.source.origin
        return origin is Origin.MANIFEST or (origin is Origin.POLICY and self.where != str(self.source))


class Step(Struct, frozen=True, gc=False):
    """A field's value at one stage, whole (`text`) and in few words (`brief`).

    `path` is its place in that stage's result. `parts` has one item, or one for each item of a list whose items were
    decided apart. `changed` is whether the text differs from that of the stage before.
    """

    stage: str
    path: Path
    text: str
    brief: str
    parts: tuple[ShownValue, ...]
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


class ShownHint(Struct, frozen=True, gc=False):
    """A hint and the line of the field it is about."""

    name: str
    path: Path
    where: str
    problem: str
    remedy: str
    changes: tuple[Change, ...]


class ContainerRows(Struct, frozen=True, gc=False):
    """One container; `where` is its line, `unknowns` is what hides values of its rows."""

    name: str
    kind: str
    image: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    hints: tuple[ShownHint, ...]
    observed: bool
    unknowns: tuple[Unknown, ...] = ()


class PodRows(Struct, frozen=True, gc=False):
    """One Pod; `rows` and `refusals` are those about the Pod as a whole."""

    name: str
    namespace: str
    kind: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    containers: tuple[ContainerRows, ...]
    admission: Ranking | None = None


class Explained(Struct, frozen=True, gc=False):
    """An explanation, and what it cites: the Pod's document, and policies by the name that sources call them."""

    pod: PodExplanation
    document: Document
    policies: Mapping[str, Item] = NO_POLICIES

    @property
    def citations(self) -> Citations:
        """What can be cited by its line."""
        return Citations(self.document, self.policies)


def rows_of(explained: Explained, field: Path | None = None) -> PodRows:
    """The rows of one Pod; with `field` (a place in the document), only what that field decides."""
    pod, citations = explained.pod, explained.citations
    return PodRows(
        pod.name,
        pod.namespace,
        pod.kind,
        citations.where(pod.place),
        _rows(pod.stages, None, citations, field),
        _refusals(pod.stages, citations, field),
        tuple(_container(container, citations, field) for container in pod.containers),
        ranking_of(pod.admission, citations) if pod.admission is not None and field is None else None,
    )


def _container(container: ContainerExplanation, citations: Citations, field: Path | None) -> ContainerRows:
    rows = _rows(container.stages, container.observed, citations, field)
    parts = (part for row in rows for step in row.steps for part in step.parts)
    return ContainerRows(
        container.name,
        container.kind,
        container.image,
        citations.where(container.place),
        rows,
        _refusals(container.stages, citations, field),
        tuple(_hint(hint, citations) for hint in container.hints if field is None or hint.path.startswith(field)),
        container.observed is not None,
        tuple(dict.fromkeys(part.unknown for part in parts if part.unknown is not None)),
    )


def _hint(hint: Hint, citations: Citations) -> ShownHint:
    return ShownHint(hint.name, hint.path, citations.where(hint.path), hint.problem, hint.remedy, hint.changes)


def _refusals(stages: tuple[Stage, ...], citations: Citations, field: Path | None) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(stage.name, v.path, forms.plain(v.value), v.reason, v.source, _refused_at(v, stages, citations))
        for stage in stages
        for v in stage.decision.violations
        if field is None or v.path.startswith(field) or decides(v.source, field)
    )


def _refused_at(violation: Violation, stages: tuple[Stage, ...], citations: Citations) -> str:
    """The line of the refused field; where a stage refuses what an earlier one made, the line that decided that."""
    place, source = violation.path, violation.source
    if source.origin is Origin.MANIFEST:
        return citations.cite(source)
    if citations.document.line_of(place) is not None or place.segments[:1] == ("spec",):
        return citations.where(place)
    decided = (stage.decision.assignment(place) for stage in reversed(stages))
    return next((citations.cite(a.source) for a in decided if a is not None), citations.cite(source))


def decides(source: Source, field: Path) -> bool:
    """Whether the source is the manifest's `field`, or something in it."""
    return source.origin is Origin.MANIFEST and source.path is not None and source.path.startswith(field)


def _rows(
    stages: tuple[Stage, ...], observed: ProcessState | None, citations: Citations, field: Path | None
) -> tuple[Row, ...]:
    found: dict[str, list[tuple[str, fields.Place, list[Assignment]]]] = {}
    for stage in stages:
        for place, assignments in fields.sort(stage.name, stage.decision):
            found.setdefault(place.row, []).append((stage.name, place, assignments))
    rows = []
    for name in sorted(found, key=fields.rank):
        if field is not None and not any(decides(a.source, field) for _, _, listed in found[name] for a in listed):
            continue
        rows.append(_row(name, found[name], observed, citations))
    return tuple(rows)


def _row(
    name: str,
    found: list[tuple[str, fields.Place, list[Assignment]]],
    observed: ProcessState | None,
    citations: Citations,
) -> Row:
    steps: list[Step] = []
    for stage, place, assignments in found:
        step = _step(stage, place, assignments, citations, steps[-1].text if steps else None)
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
    if place.row != "mounts":  # items that were predicted one by one are observed as one whole
        texts = list(dict.fromkeys(texts))
    return place.joined(tuple(texts))


def _step(
    stage: str, place: fields.Place, assignments: list[Assignment], citations: Citations, before: str | None
) -> Step:
    parts = tuple(_part(place, assignment, citations) for assignment in assignments)
    text = place.joined(tuple(part.text for part in parts))
    brief = forms.brief(name=place.row, text=text)
    return Step(stage, Path(place.segments), text, brief, _merged(parts, text), text != before)


def _part(place: fields.Place, made: Assignment, citations: Citations) -> ShownValue:
    unknown = made.value if isinstance(made.value, Unknown) else None
    return ShownValue(place.text(made), made.reason, made.source, citations.cite(made.source), unknown)


def _merged(parts: tuple[ShownValue, ...], text: str) -> tuple[ShownValue, ...]:
    """One part where all have the same source and reason."""
    first = parts[0]
    if all(part.source == first.source and part.reason == first.reason for part in parts):
        return (ShownValue(text, first.reason, first.source, first.where, first.unknown),)
    return parts
