"""Findings about plain workloads: each shape is judged once.

Of a plain workload, policies and hints look at few things: security contexts, what is shared with the node, its paths
and its ports. Most workloads of a repository have these in common with others and differ in names, images and settings.
Such a shape is judged as a workload that has nothing else, with stand-ins for names; what is found about it is found
about every workload of the shape, at its own lines and under its own names.
"""

from __future__ import annotations

from re import compile as pattern
from typing import TypeAlias

from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.check.judging import judge_sound
from podward.check.policy_set import PolicySet
from podward.check.shape import ANY, Shape, names_of, pod_of, shape_of
from podward.documents.document import Document
from podward.documents.parsed_value import Lines
from podward.path import Key, Path
from podward.policy.pss.labels import Policy
from podward.schema.plain.known_valid import KnownValid
from podward.schema.plain.part import STAND_IN
from podward.schema.workload import PodSource

_MOST_SHAPES = 10_000
"""Kept at a time: a hostile repository could have as many as it has workloads."""


class _Form(Struct, frozen=True, gc=False):
    """A finding about a shape; numbers are those of the names that it stands for, the first the container's.

    `steps` lead from the Pod, or its template, to `path`. `message` has a `%s` for each name, if there are any.
    """

    rule: str
    severity: Severity
    path: Path
    steps: tuple[str | int, ...]
    container: int
    message: str
    named: tuple[int, ...]
    policy: str
    remedy: str
    changes: tuple[Change, ...]


_Known: TypeAlias = dict[Shape, tuple[_Form, ...]]


class Shapes:
    """The shapes that were met so far, of workloads that are held to the same policies."""

    def __init__(self, held: PolicySet) -> None:
        self._held = held
        self._in_namespace: dict[str, _Known] = {}
        self._under: dict[Policy, _Known] = {}

    def findings(self, workload: KnownValid, document: Document, index: int) -> list[Finding] | None:
        """What is wrong with the workload in this document; None if that takes looking at it in full."""
        held = self._held
        if held.scc is not None:
            return None
        namespace = held.namespace_for(workload.namespace, workload)
        known = self._in_namespace.get(namespace)
        if known is None:
            # Most namespaces have the same policy, and what is found under it is the same then.
            known = self._in_namespace[namespace] = self._under.setdefault(held.pod_security(namespace).policy, {})
        shape = shape_of(workload)
        forms = known.get(shape)
        if forms is None:
            if len(known) >= _MOST_SHAPES:
                known.clear()
            forms = known[shape] = _forms(shape, namespace, held)
        if not forms:
            return []
        about = _About(
            WorkloadRef(workload.kind, namespace, workload.name),
            names_of(workload.spec),
            document.name,
            index,
            *document.inside(shape.place),
        )
        return [_finding(form, about) for form in forms]


class _About(Struct, frozen=True, gc=False):
    """What the findings about a workload have in common; `line` and `lines` are those of its Pod, or its template."""

    subject: WorkloadRef
    names: list[str]
    file: str
    document: int
    line: int
    lines: Lines


def _finding(form: _Form, about: _About) -> Finding:
    message, named, container, names, subject = form.message, form.named, form.container, about.names, about.subject
    line, inside = about.line, about.lines
    for step in form.steps:
        entry = inside.get(step)
        if entry is None:
            break
        if isinstance(entry, int):
            line = entry
            break
        line, inside = entry
    if named:
        message = message % names[named[0]] if len(named) == 1 else message % tuple([names[each] for each in named])
    if container >= 0:
        subject = WorkloadRef(subject.kind, subject.namespace, subject.name, names[container])
    return Finding(
        form.rule,
        form.severity,
        about.file,
        line,
        about.document,
        form.path,
        subject,
        message,
        form.policy,
        form.remedy,
        form.changes,
    )


# --- judging a shape --------------------------------------------------------------------------------------------------


def _forms(shape: Shape, namespace: str, held: PolicySet) -> tuple[_Form, ...]:
    """What is wrong with every workload of the shape."""
    pod = pod_of(shape, namespace)
    source = PodSource(_NOWHERE, shape.place, {}, pod, ANY, ANY)
    depth = len(shape.place.segments)
    return tuple([_form(finding, depth) for finding in judge_sound(source, 0, held)])


def _form(finding: Finding, depth: int) -> _Form:
    """`depth` counts the steps to the Pod, or to its template."""
    container, pieces = finding.subject.container, _STAND_IN.split(finding.message)
    texts, numbers = pieces[::2], pieces[1::2]
    if numbers and "%" in finding.message:
        texts = [text.replace("%", "%%") for text in texts]
    steps = [step.name if isinstance(step, Key) else step for step in finding.path.segments[depth:]]
    return _Form(
        finding.rule,
        finding.severity,
        finding.path,
        tuple(steps),
        int(container.removeprefix(STAND_IN)) if container else -1,
        "%s".join(texts),
        tuple([int(number) for number in numbers]),
        finding.policy,
        finding.remedy,
        finding.changes,
    )


_STAND_IN = pattern(rf"{STAND_IN}(\d{{6,}})")
_NOWHERE = Document("", {}, lines={"metadata": (1, {"namespace": 1})})
"""Where a shape says its namespace: a check's default one is not for it."""
