"""Making the rows of `explain`: one for each security field, with its value at every stage and who decided it.

Everything is read from the Decisions in a `PodExplanation`; nothing is decided or computed a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.storage import VolumeNote
from podward.decision import Origin, Source, Unknown
from podward.path import Path
from podward.render.explain import fields, value_text, verdict
from podward.render.explain.citations import NO_POLICIES, Citations
from podward.render.explain.field_table import RowField
from podward.render.explain.row_types import (
    KERNEL,
    CitedHint,
    CitedValue,
    ContainerRows,
    PodRows,
    RankedScc,
    Refusal,
    Row,
    SccRanking,
    Step,
)
from podward.render.next_command import CommandContext, after_explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from podward.api.explanation import (
        AdmissionExplanation,
        ConsideredScc,
        ContainerExplanation,
        Hint,
        PodExplanation,
        Stage,
    )
    from podward.api.process import ProcessState
    from podward.decision import Assignment, Violation
    from podward.documents.document import Document
    from podward.schema.objects import Item


class ExplainedPod(Struct, frozen=True, gc=False):
    """An explanation with what it cites: the Pod's document, and policies by the name that sources have.

    `options` are words of the command line that a command which is suggested has again; `asked` are those by which
    `check` asks about the same namespace and user.
    """

    pod: PodExplanation
    document: Document
    policies: Mapping[str, Item] = NO_POLICIES
    options: str = ""
    asked: str = ""

    @property
    def citations(self) -> Citations:
        """What can be cited with a line."""
        return Citations(self.document, self.policies)


def rows_of(explained: ExplainedPod, wanted: tuple[Path, ...] = ()) -> PodRows:
    """The rows of one Pod; with `wanted` (paths in the document), only what these decide."""
    pod, citations = explained.pod, explained.citations
    several = len(pod.containers) > 1
    context = CommandContext(explained.document.name, explained.options, "", _closest(explained), explained.asked)
    return PodRows(
        pod.name,
        pod.namespace,
        pod.kind,
        citations.where(pod.place),
        _rows(pod.stages, None, citations, wanted),
        _refusals(pod.stages, citations, wanted, context),
        tuple(
            structs.replace(
                _container(
                    container, citations, wanted, structs.replace(context, container=container.name if several else "")
                ),
                verdict="" if wanted else verdict.of_container(container, pod),
            )
            for container in pod.containers
        ),
        _ranking(pod.admission, citations) if pod.admission is not None and not wanted else None,
        "" if wanted else verdict.of_pod(pod),
        notes=tuple(_notes(pod.stages, wanted)),
    )


def _notes(stages: tuple[Stage, ...], wanted: tuple[Path, ...]) -> Iterator[str]:
    for stage in stages:
        for made in stage.decision.assignments:
            if isinstance(made.value, VolumeNote) and decides(made.source, wanted):
                yield made.value.sentence


def decides(source: Source, wanted: tuple[Path, ...]) -> bool:
    """Whether the source is one of these fields of the manifest, or inside of one; any if none is wanted."""
    if not wanted:
        return True
    return source.origin is Origin.MANIFEST and source.path is not None and within(source.path, wanted)


def within(place: Path, wanted: tuple[Path, ...]) -> bool:
    """Whether the place is in one of these; of none wanted, whether anywhere."""
    return not wanted or any(place.startswith(field) for field in wanted)


def _container(
    container: ContainerExplanation, citations: Citations, wanted: tuple[Path, ...], context: CommandContext
) -> ContainerRows:
    rows = _rows(container.stages, container.observed, citations, wanted)
    parts = (part for row in rows for step in row.steps for part in step.parts)
    return ContainerRows(
        container.name,
        container.kind,
        container.image,
        citations.where(container.place),
        rows,
        _refusals(container.stages, citations, wanted, context),
        tuple(_hint(hint, citations) for hint in container.hints if within(hint.path, wanted)),
        container.observed is not None,
        tuple(dict.fromkeys(part.unknown for part in parts if part.unknown is not None)),
    )


def _hint(hint: Hint, citations: Citations) -> CitedHint:
    return CitedHint(hint.name, hint.path, citations.where(hint.path), hint.problem, hint.remedy, hint.changes)


# --- refusals and the ranking of SCCs ---------------------------------------------------------------------------------


def _refusals(
    stages: tuple[Stage, ...], citations: Citations, wanted: tuple[Path, ...], context: CommandContext
) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(
            stage.name,
            v.path,
            value_text.plain(v.value),
            v.reason,
            v.source,
            _refused_at(v, stages, citations),
            after_explained(stage.name, v, context),
        )
        for stage in stages
        for v in stage.decision.violations
        if within(v.path, wanted) or decides(v.source, wanted)
    )


def _closest(explained: ExplainedPod) -> str:
    """The SCC that came closest: the first that was tried and refused; its file, if it stands in one.

    Empty where the Pod fits one: then somebody else refuses it.
    """
    considered = explained.pod.admission.considered if explained.pod.admission is not None else ()
    if any(each.outcome == "chosen" for each in considered):
        return ""
    name = next((each.name for each in considered if each.violations), "")
    written = explained.policies.get(f"scc {name}")
    return written.document.name if written is not None else name


def _refused_at(violation: Violation, stages: tuple[Stage, ...], citations: Citations) -> str:
    """The line of the refused field; if an earlier stage made the field, the line that this stage cites."""
    place, source = violation.path, violation.source
    if source.origin is Origin.MANIFEST:
        return citations.cite(source)
    if citations.document.line_of(place) is not None or place.segments[:1] == ("spec",):
        return citations.where(place)
    decided = (stage.decision.assignment(place) for stage in reversed(stages))
    return next((citations.cite(a.source) for a in decided if a is not None), citations.cite(source))


def _ranking(admission: AdmissionExplanation, citations: Citations) -> SccRanking:
    """The ranking with the lines of the SCCs, and of the fields that they refuse."""
    sccs = tuple(_ranked(each, place, citations) for place, each in enumerate(admission.considered, 1))
    return SccRanking(admission.caller, admission.account, sccs, admission.verdicts, admission.note)


def _ranked(each: ConsideredScc, place: int, citations: Citations) -> RankedScc:
    item = citations.policies.get(f"scc {each.name}")
    refusals = tuple(
        Refusal("admission", v.path, value_text.plain(v.value), v.reason, v.source, citations.where(v.path))
        for v in each.violations
    )
    where = item.where(Path()) if item is not None else ""
    return RankedScc(each.name, where, each.priority, each.points, each.outcome, each.reason, refusals, place)


# --- rows -------------------------------------------------------------------------------------------------------------


def _rows(
    stages: tuple[Stage, ...], observed: ProcessState | None, citations: Citations, wanted: tuple[Path, ...]
) -> tuple[Row, ...]:
    found: dict[str, list[tuple[str, RowField, list[Assignment]]]] = {}
    for stage in stages:
        for row_field, assignments in fields.by_row(stage.name, stage.decision):
            found.setdefault(row_field.row, []).append((stage.name, row_field, assignments))
    rows = []
    for name in sorted(found, key=fields.rank):
        if wanted and not any(decides(a.source, wanted) for _, _, listed in found[name] for a in listed):
            continue
        rows.append(_row(name, found[name], observed, citations))
    return tuple(rows)


def _row(
    name: str,
    found: list[tuple[str, RowField, list[Assignment]]],
    observed: ProcessState | None,
    citations: Citations,
) -> Row:
    steps: list[Step] = []
    for stage, row_field, assignments in found:
        step = _step(stage, row_field, assignments, citations, steps[-1].text if steps else None)
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


def _observed(found: list[tuple[str, RowField, list[Assignment]]], observed: ProcessState) -> str:
    """The observed value of what the kernel stage predicted, as text of the same form."""
    texts: list[str] = []
    stage, row_field, assignments = found[-1]
    for assignment in assignments if stage == KERNEL else ():
        where = value_text.destination(assignment.value)
        seen = next((m for m in observed.mounts if m.destination == where), None) if where else None
        if where:
            texts.append(row_field.form(seen) if seen is not None else f"no {where}")
        else:
            texts.append(row_field.form(getattr(observed, str(assignment.path.segments[0]))))
    if row_field.row != "mounts":  # items that were predicted one by one are observed as one value
        texts = list(dict.fromkeys(texts))
    return row_field.joined(tuple(texts))


def _step(
    stage: str, row_field: RowField, assignments: list[Assignment], citations: Citations, before: str | None
) -> Step:
    parts = tuple(_cited(row_field, assignment, citations) for assignment in assignments)
    text = row_field.joined(tuple(part.text for part in parts))
    brief = value_text.brief(name=row_field.row, text=text)
    return Step(stage, Path(row_field.segments), text, brief, _merged(parts, text), text != before)


def _cited(row_field: RowField, assignment: Assignment, citations: Citations) -> CitedValue:
    unknown = assignment.value if isinstance(assignment.value, Unknown) else None
    where = citations.cite(assignment.source)
    return CitedValue(row_field.text(assignment), assignment.reason, assignment.source, where, unknown)


def _merged(parts: tuple[CitedValue, ...], text: str) -> tuple[CitedValue, ...]:
    """One part if all have the same source and reason, else the parts as they are."""
    first = parts[0]
    if all(part.source == first.source and part.reason == first.reason for part in parts):
        return (CitedValue(text, first.reason, first.source, first.where, first.unknown),)
    return parts
