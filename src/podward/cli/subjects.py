"""From a document's Pod to what is explained about it: defaulted and validated as the API server would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.api.core import Container
from podward.api.effective import Place
from podward.cli import terminal
from podward.decision import Decision, Violation
from podward.documents.raw_fields import member
from podward.documents.raw_fields import objects as raw_objects
from podward.errors import InputError, UsageError
from podward.path import Key, Path, path
from podward.runtime.explaining.subject import PodToExplain
from podward.schema import defaulting, old_annotations
from podward.schema.view import pod_view
from podward.schema.workload import PodSource
from podward.stages.admission.order import by_registry, decide

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.api.referenced_objects import ReferencedObjects
    from podward.cli import admitting
    from podward.stages.admission.cluster import AdmissionFacts
    from podward.stages.admission.order import Admitted

_EPHEMERAL = path("spec", "ephemeralContainers")
NO_UID = "00000000-0000-0000-0000-000000000000"
"""Stands for the random uid that the API server gives."""


def subject(source: PodSource, objects: ReferencedObjects, uid: str = NO_UID) -> PodToExplain:
    """The Pod of a source, with this uid unless it has one: what is read is what is stored, and no plugin is asked.

    A Pod that has a uid was read from a cluster: it may have ephemeral containers. Raises InputError with everything
    that the API server refuses in it.
    """
    spec = member(source.raw, "spec")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    raw = {
        **source.raw,
        "metadata": {"uid": uid, **member(source.raw, "metadata")},
        "spec": {**spec, "serviceAccountName": account},  # every API server's ServiceAccount plugin sets it
    }
    admitted = by_registry(raw, source.kind)
    passed_over = _EPHEMERAL if member(source.raw, "metadata").get("uid") else None
    _raise_invalid(source, tuple(v for v in admitted.decision.violations if v.path != passed_over))
    pod = admitted.pod
    place = Place(source.document.name, source.prefix)
    decided = Decision(admitted.decision.assignments)  # what was passed over is no refusal of a Pod that is there
    return PodToExplain(pod, place, source.kind, source.name, decided, objects)


def old_annotations_of(source: PodSource) -> tuple[str, ...]:
    """The API server's warnings about annotations that have no effect any more, or that a field replaces."""
    return tuple(f"{source.prefix + old.place}: {old.sentence}" for old in old_annotations.written(source.view))


def tell_old_annotations(source: PodSource) -> None:
    """Say the same on standard error, each with its line."""
    for old in old_annotations.written(source.view):
        terminal.say(f"warning: {source.where(old.place)}: {source.prefix + old.place}: {old.sentence}")


def debugged(source: PodSource) -> PodSource:
    """The source as if it had been read from a cluster, if it is a Pod with ephemeral containers."""
    metadata = member(source.raw, "metadata")
    if source.kind != "Pod" or not source.view.spec.ephemeral_containers or metadata.get("uid"):
        return source
    return structs.replace(source, raw={**source.raw, "metadata": {**metadata, "uid": NO_UID}})


def without_debugging(facts: AdmissionFacts) -> AdmissionFacts:
    """The request without ephemeral containers: what is sent to create the Pod."""
    sent = facts.request.object or {}
    spec = {name: value for name, value in member(sent, "spec").items() if name != "ephemeralContainers"}
    return structs.replace(facts, request=structs.replace(facts.request, object={**sent, "spec": spec}))


def _raise_invalid(source: PodSource, found: tuple[Violation, ...]) -> None:
    if found:
        listed = "\n".join(f"* {source.where(v.path)}: {source.prefix + v.path}: {v.reason}" for v in found)
        raise InputError(f'{source.kind} "{source.name}" is invalid:\n{listed}')


def admitted_subject(
    source: PodSource, objects: ReferencedObjects, admission: admitting.Admission, uid: str = NO_UID
) -> PodToExplain:
    """The Pod of a source as a cluster stores it, with how its admission decided.

    Ephemeral containers come into a Pod later: its admission is asked about the others, and then about each of them.
    Raises InputError with everything that validation refuses in it.
    """
    from podward.cli.admission_report import told
    from podward.render.explain.citations import Citations

    whole = debugged(source)
    facts = admission.facts(source)
    if whole.view.spec.ephemeral_containers:
        facts = without_debugging(facts)
    admitted = decide(facts)
    if admitted.invalid:
        _raise_invalid(source, admitted.decision.violations)
    of_defaults = tuple(a for a in admitted.decision.assignments if a.source == defaulting.SOURCE)
    rest = tuple(a for a in admitted.decision.assignments if a.source != defaulting.SOURCE)
    refused = tuple(
        Violation(source.prefix + v.path, v.value, v.reason, v.source) for v in admitted.decision.violations
    )
    metadata = admitted.stored.get("metadata")
    pod = pod_view({**admitted.stored, "metadata": {"uid": uid, **(metadata if isinstance(metadata, dict) else {})}})
    added = Decision()
    if whole.view.spec.ephemeral_containers:
        written = subject(whole, objects, uid).pod.spec.ephemeral_containers or ()
        there = written if admitted.refused else None
        if there is None:
            added, there = _added(source, written, facts, admitted)
        pod = structs.replace(pod, spec=structs.replace(pod.spec, ephemeral_containers=there))
    return PodToExplain(
        pod,
        Place(source.document.name, source.prefix),
        source.kind,
        source.name,
        Decision(of_defaults),
        objects,
        admitted=Decision(rest, refused).at(source.prefix),
        debugging=added,
        admission=told(facts, admitted, Citations(source.document, admission.written), source.prefix),
    )


def _added(
    source: PodSource, written: tuple[Container, ...], facts: AdmissionFacts, admitted: Admitted
) -> tuple[Decision, tuple[Container, ...]]:
    """What a cluster says of a Pod's ephemeral containers, its places in the document, and what becomes of them.

    One that is refused stays as it is `written`, so that the others keep their places.
    """
    from podward.stages.admission.debugging import debugged as asked_about

    found = asked_about(facts, admitted.stored, raw_objects(member(source.raw, "spec"), "ephemeralContainers"))
    let_in = iter(pod_view(found.stored).spec.ephemeral_containers or ())
    refused = {answer.index for answer in found.refused}
    there = tuple(one if index in refused else next(let_in) for index, one in enumerate(written))
    set_there = tuple(a for a in found.decision.assignments if a.source != defaulting.SOURCE)
    violations = tuple(
        Violation(source.prefix + v.path, v.value, v.reason, v.source)
        for answer in found.refused
        for v in answer.decision.violations
    )
    return Decision(set_there, violations).at(source.prefix), there


def added_later(source: PodSource) -> list[JsonObject]:
    """The ephemeral containers of a Pod that was read from a cluster."""
    if source.kind != "Pod" or not member(source.raw, "metadata").get("uid"):
        return []
    return raw_objects(member(source.raw, "spec"), "ephemeralContainers")


def field_of(text: str, sources: tuple[PodSource, ...]) -> Path:
    """The place that `--field` names, in the documents; `spec…` of a workload may be the Pod's own.

    Raises UsageError where it is no path, or no document has it.
    """
    segments: list[str | int | Key] = []
    for word in text.replace("[", ".[").lstrip(".").split("."):
        inside = word[1:-1] if word.startswith("[") and word.endswith("]") else ""
        if inside.isdigit():
            segments.append(int(inside))
        elif inside:
            segments.append(Key(inside))
        elif word:
            segments.append(word)
    wanted = Path(tuple(segments))
    for source in sources:
        for candidate in (wanted, source.prefix + wanted):
            if wanted.segments and source.document.line_of(candidate) is not None:
                return candidate
    raise UsageError(
        f"no manifest here has the field {text}",
        where="--field",
        advice="name it as it is written, such as spec.containers[0].securityContext.runAsUser",
    )
