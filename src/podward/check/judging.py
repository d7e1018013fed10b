"""What is wrong with one workload: validation, Pod Security, SCCs, in the words of `Finding`.

The template is judged as its Pods would be: defaulted as the API server does it, with the effective values of Pod and
container, and with the right of the Pods' service account to use an SCC. Each violation is one finding; its changes
are those of the rule's remedy that concern its container, or the Pod as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.core import Pod
from podward.api.explanation import Change, Hint
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import JsonObject
from podward.check import hinting
from podward.check.path_index import PathIndex
from podward.check.policy_set import Mode, PolicySet, SccTerms
from podward.decision import Decision, Violation
from podward.documents.patching import overlaid
from podward.documents.raw_fields import member
from podward.path import Key, Path, path
from podward.policy.pss.check import PssFacts, facts_of
from podward.policy.pss.standards import evaluate_facts, remedy
from podward.schema import defaulting
from podward.schema.validation import pod as validation
from podward.schema.view import pod_view
from podward.schema.workload import PodSource

if TYPE_CHECKING:  # most checks ask about no SCC, and these take longer to import than to use
    from podward.policy.scc.selection import Candidate, Selection

_ACCOUNT = path("spec", "serviceAccountName")
_EPHEMERAL = path("spec", "ephemeralContainers")


class Judged(Struct, frozen=True):
    """What came out about a workload: findings, the Pod that a cluster would store, and how its SCC was chosen."""

    findings: tuple[Finding, ...]
    stored: JsonObject
    pod: Pod
    selection: Selection | None


def judge(source: PodSource, document: int, held: PolicySet) -> Judged:
    """Everything that validation, policies and hints have against the workload; `document` is its document's index."""
    asked = _Judge(source, document, held)
    judged = asked.judged()
    return structs.replace(judged, findings=(*judged.findings, *asked.hints()))


def judge_by_policies(source: PodSource, document: int, held: PolicySet) -> Judged:
    """The same without the hints, for whoever asks what policies make of it."""
    return _Judge(source, document, held).judged()


def judge_sound(source: PodSource, document: int, held: PolicySet) -> tuple[Finding, ...]:
    """What Pod Security and hints have against a workload whose Pod, as it is in the source, is sound and complete.

    No SCC is asked: these look at everything that is written.
    """
    return _Judge(source, document, held).as_it_is()


class _Fault(Struct, frozen=True, gc=False):
    """What a finding has of its rule; the changes are the Pod's."""

    rule: str
    severity: Severity
    policy: str = ""
    remedy: str = ""
    changes: tuple[Change, ...] = ()


class _Judge:
    def __init__(self, source: PodSource, document: int, held: PolicySet) -> None:
        self._source = source
        self._document = document
        self._held = held
        self._namespace = held.namespace_of(source)
        self._subject = WorkloadRef(source.kind, self._namespace, source.name)
        self._found: dict[tuple[str, Path, str], Finding] = {}
        self._meant = source.view  # what hints are about, once the policies have been asked

    def judged(self) -> Judged:
        source = self._source
        stored = overlaid(source.raw, defaulting.decide_defaults(source.raw))
        pod = pod_view(stored)
        selection = None
        if self._held.scc is not None:
            selection, pod, stored = self._sccs(self._held.scc, pod, stored)
        # In the API server's order: an SCC may set what makes a Pod invalid, and what makes it valid.
        creation = defaulting.decide_creation(stored)
        if creation.assignments:
            stored = overlaid(stored, creation)
            pod = pod_view(stored)
        exported = member(source.raw, "metadata").get("uid") is not None
        for violation in validation.validate(pod, stored, source.kind).violations:
            if exported and violation.path == _EPHEMERAL:
                continue  # refused when a Pod is created, and this one came from a cluster
            self._add(_Fault("api/validation", Severity.ERROR), violation, f"{violation.path}: {violation.reason}")
        self._meant = pod if selection is None else _as_meant(selection, pod, stored)
        self._pod_security(self._meant)  # last, as on a cluster: what an SCC sets satisfies it too
        return Judged(tuple(self._found.values()), stored, pod, selection)

    def as_it_is(self) -> tuple[Finding, ...]:
        self._pod_security(self._meant)
        return (*self._found.values(), *self.hints())

    # --- Pod Security -------------------------------------------------------------------------------------------------

    def _pod_security(self, pod: Pod) -> None:
        modes = self._held.modes(self._namespace)
        if modes:
            facts = facts_of(pod)
            for mode in modes:
                self._standard(mode, facts)

    def _standard(self, mode: Mode, facts: PssFacts) -> None:
        standard = mode.standard
        told = {place for (rule, place, _) in self._found if rule.startswith("pss/")}  # by the modes before
        for result in evaluate_facts(standard.level, standard.version, facts):
            cure = remedy(facts, result)
            violations = result.decision.violations
            concerning = _Concerning(violations, cure.changes)
            for violation in violations:
                if violation.path in told:
                    continue
                changes = concerning.changes(violation.path)
                fault = _Fault(f"pss/{result.check}", mode.severity, mode.name, cure.sentence, changes)
                self._add(fault, violation, violation.reason)

    # --- SCCs ---------------------------------------------------------------------------------------------------------

    def _sccs(self, terms: SccTerms, pod: Pod, stored: JsonObject) -> tuple[Selection, Pod, JsonObject]:
        from podward.policy.scc import passes, remedies
        from podward.policy.scc.request import RequestFacts
        from podward.policy.scc.violation import rule_of

        spec = member(stored, "spec")
        if not spec.get("serviceAccountName") and not spec.get("serviceAccount"):
            stored = {**stored, "spec": {**spec, "serviceAccountName": "default"}}
            pod = pod_view(stored)
        namespace = self._held.namespace(self._namespace)
        user = terms.caller(self._source.kind)
        selection = passes.admit(
            terms.policies, RequestFacts(pod, stored, namespace, self._namespace, user, terms.uses)
        )
        if selection.allowed:
            stored = overlaid(stored, selection.decision)
            return selection, pod_view(stored), stored
        closest = _closest(selection)
        if closest is None:
            refused = selection.decision.violations[0]
            at = Violation(_ACCOUNT, None, refused.reason, refused.source)
            self._add(_Fault("scc/access", Severity.ERROR, "scc", _GRANT), at, refused.reason)
            return selection, pod, stored
        for violation in closest.decision.violations:
            cure = remedies.remedy(pod, violation, closest.decision)
            rule = f"scc/{rule_of(violation) or 'access'}"
            fault = _Fault(rule, Severity.ERROR, f"scc {closest.name}", cure.sentence, cure.changes)
            self._add(fault, violation, violation.reason)
        return selection, pod, stored

    def hints(self) -> list[Finding]:
        """The hints about the Pod as it is stored, but for fields that a policy refuses already."""
        pod = self._meant
        refused = {finding.path for finding in self._found.values()}
        places = PathIndex(refused)
        told: dict[tuple[str, Path], Finding] = {}  # one where several containers lack a field of the Pod
        for hint in hinting.hints(self._source, pod, refused):
            fields = {change.path for change in hint.changes} or {hint.path}
            if not any(map(places.overlaps, fields)):
                told.setdefault((hint.name, hint.path), self._of_hint(hint))
        return list(told.values())

    # --- findings -----------------------------------------------------------------------------------------------------

    def _add(self, fault: _Fault, violation: Violation, message: str) -> None:
        key = (fault.rule, violation.path, message)
        if key in self._found:
            return
        source, place = self._source, self._source.prefix + violation.path
        self._found[key] = Finding(
            fault.rule,
            fault.severity,
            source.document.name,
            line_of(source, place),
            self._document,
            place,
            self._about(violation.path),
            message,
            fault.policy,
            fault.remedy,
            tuple(Change(source.prefix + change.path, change.value) for change in fault.changes),
        )

    def _of_hint(self, hint: Hint) -> Finding:
        """A hint as a finding; its places are the document's already."""
        source = self._source
        return Finding(
            f"hint/{hint.name}",
            Severity.WARNING,
            source.document.name,
            line_of(source, hint.path),
            self._document,
            hint.path,
            self._about(Path(hint.path.segments[len(source.prefix.segments) :])),
            hint.problem,
            "",
            hint.remedy,
            hint.changes,
        )

    def _about(self, place: Path) -> WorkloadRef:
        """The subject with the container that `place` is in."""
        name = container_name(self._source, place)
        about = self._subject
        return about if not name else WorkloadRef(about.kind, about.namespace, about.name, name)


_GRANT = "grant the service account the use of an SCC that fits, or change the Pod"


def line_of(source: PodSource, place: Path) -> int:
    """The line of a place of the document, or of the closest thing around it that is written."""
    return source.document.inside(place)[0]


def container_name(source: PodSource, place: Path) -> str:
    """The name of the container of the Pod that `place` is in; empty for what is the Pod's."""
    steps = place.segments
    if len(steps) < 3 or steps[0] != "spec" or not isinstance(steps[2], int):
        return ""
    spec = source.view.spec
    lists = {
        "initContainers": spec.init_containers,
        "containers": spec.containers,
        "ephemeralContainers": spec.ephemeral_containers,
    }
    listed = lists.get(str(steps[1])) or ()
    return listed[steps[2]].name if steps[2] < len(listed) else ""


class _Concerning:
    """Which of a cure's changes concern a violation: those of its field, and its container's or the Pod's own.

    The latter are those that are no other violation's. Where none does, all do.
    """

    def __init__(self, violations: tuple[Violation, ...], changes: tuple[Change, ...]) -> None:
        self._changes = changes
        self._places = PathIndex(change.path for change in changes)
        self._shared: dict[tuple[str | int | Key, ...], list[int]] = {}
        if changes:
            faults = PathIndex(violation.path for violation in violations)
            for number, change in enumerate(changes):
                if not faults.overlaps(change.path):
                    self._shared.setdefault(_container(change.path), []).append(number)

    def changes(self, place: Path) -> tuple[Change, ...]:
        """The changes that concern the violation at this place."""
        if not self._changes:
            return ()
        mine = {*self._places.overlapping(place), *self._shared.get(place.segments[:3], ()), *self._shared.get((), ())}
        return tuple([self._changes[number] for number in sorted(mine)]) if mine else self._changes


def _container(place: Path) -> tuple[str | int | Key, ...]:
    """The steps to the container, or to another item of a list of the Pod, that the place is in; none: the Pod."""
    steps = place.segments[:3]
    return steps if len(steps) == _STEPS_TO_ITEM and isinstance(steps[2], int) else ()


_STEPS_TO_ITEM = 3


def _as_meant(selection: Selection, pod: Pod, stored: JsonObject) -> Pod:
    """The stored Pod; of a refused one, what the closest SCC would make of it: no hint asks for what that sets."""
    closest = None if selection.allowed else _closest(selection)
    if closest is None:
        return pod
    return pod_view(overlaid(stored, Decision(closest.decision.assignments)))


def _closest(selection: Selection) -> Candidate | None:
    """Of the SCCs that may be used, the one with the least against the Pod; of several the first."""
    from podward.policy.scc.selection import Verdict

    refused = [each for each in selection.candidates if each.verdict is Verdict.REFUSED]
    return min(refused, key=lambda each: len(each.decision.violations), default=None)
