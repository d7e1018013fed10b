"""What is wrong with one workload: validation, Pod Security, SCCs, in the words of `Finding`.

The template is judged as its Pods would be: defaulted as the API server does it, with the effective values of Pod and
container, and with the right of the Pods' service account to use an SCC. Each violation is one finding; its changes
are those of the rule's remedy that concern its container, or the Pod as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.admission import AdmissionRequest, Operation
from podward.api.caller import User
from podward.api.core import Pod
from podward.api.explanation import Change, Hint
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import JsonObject
from podward.check import hinting
from podward.check.path_index import PathIndex
from podward.check.policy_set import PolicySet
from podward.decision import Origin, Source, Violation
from podward.documents.raw_fields import member
from podward.path import Key, Path, path
from podward.policy.hints import unknown_capability
from podward.policy.pss import check_proc_mount, verdict
from podward.policy.pss.check import CheckResult, PssRemedy, facts_of
from podward.policy.pss.standard import Standard
from podward.policy.pss.standards import remedy
from podward.schema import old_annotations
from podward.schema.workload import PodSource
from podward.stages.admission.cluster import AdmissionFacts
from podward.stages.admission.order import SCC, STEPS, everything, without
from podward.stages.admission.steps import Outcome, Phase

if TYPE_CHECKING:  # most checks ask about no SCC, and these take longer to import than to use
    from podward.policy.scc.selection import Selection

_ACCOUNT = path("spec", "serviceAccountName")
_EPHEMERAL = path("spec", "ephemeralContainers")
_NAMESPACE = path("metadata", "namespace")
_STEPS = tuple(step for step in STEPS if step.name != SCC or step.phase is Phase.MUTATING)
"""The second pass of SCC admission is about Pods that somebody has changed since the first: here nobody does."""
_WITHOUT_SCCS = without(SCC)
"""Where no SCC is asked about, nobody's rights are."""


class Judged(Struct, frozen=True):
    """What came out about a workload: findings, the Pod that a cluster would store, and how its SCC was chosen."""

    findings: tuple[Finding, ...]
    stored: JsonObject
    pod: Pod
    selection: Selection | None

    @property
    def scc(self) -> str:
        """The name of the SCC that admits the Pod; empty if none does, or none is asked."""
        chosen = self.selection.chosen if self.selection is not None else None
        return chosen.name if chosen is not None else ""


def judge(source: PodSource, document: int, held: PolicySet) -> Judged:
    """Everything that validation, policies and hints have against the workload; `document` is its document's index."""
    asked = _Judge(source, document, held)
    judged = asked.judged()
    asked.tell_unguarded()
    return structs.replace(judged, findings=(*asked.found(), *asked.hints()))


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
        self._policy = held.pod_security(self._namespace).policy
        self._subject = WorkloadRef(source.kind, self._namespace, source.name)
        self._found: dict[tuple[str, Path, str], Finding] = {}
        self._meant = source.view  # what hints are about, once the policies have been asked
        self._left_alone: str | None = None  # why no SCC looks at the Pod

    def judged(self) -> Judged:
        """The findings of every step of admission, in its order."""
        held, source = self._held, self._source
        user = held.scc.caller(source.kind) if held.scc is not None else User()
        request = AdmissionRequest(Operation.CREATE, source.raw, user, self._namespace)
        steps = _STEPS if held.scc is not None else _WITHOUT_SCCS
        said = held.names_namespace(source)
        admitted = everything(AdmissionFacts(request, held, source.kind, says_namespace=said), steps)
        self._meant = admitted.intended.pod
        selection = None
        for outcome in admitted.outcomes:
            if outcome.request is not None and outcome.selection is not None:
                selection = outcome.selection
                self._scc(selection, outcome.request.pod)
            elif outcome.selection is not None:
                self._left_alone = outcome.selection.left_alone
            elif outcome.verdict is not None:
                self._pod_security(outcome.verdict)
            elif outcome.invalid:
                self._invalid(outcome)
            else:
                self._refused_volumes(outcome)
        self._old_annotations()
        return Judged(self.found(), admitted.stored, admitted.pod, selection)

    def found(self) -> tuple[Finding, ...]:
        """What has been found so far."""
        return tuple(self._found.values())

    def as_it_is(self) -> tuple[Finding, ...]:
        """The findings of the only step that has a say where the Pod is sound and complete."""
        self._pod_security(verdict.evaluated(facts_of(self._meant), self._policy))
        if self._source.view.metadata.annotations:
            self._old_annotations()
        return (*self.found(), *self.hints())

    # --- the API server's refusals ------------------------------------------------------------------------------------

    def _invalid(self, outcome: Outcome) -> None:
        metadata = member(self._source.raw, "metadata")
        passed_over: set[Path] = set()
        if metadata.get("uid") is not None:
            passed_over.add(_EPHEMERAL)  # refused when a Pod is created, and this one came from a cluster
        if metadata.get("namespace") != self._namespace:
            passed_over.add(_NAMESPACE)  # the command's word, not the document's
        for violation in outcome.decision.violations:
            if violation.path not in passed_over:
                cure = self._cure_of_invalid(violation)
                fault = _Fault("api/validation", Severity.ERROR, "", cure.sentence, cure.changes)
                self._add(fault, violation, f"{self._source.prefix + violation.path}: {violation.reason}")

    def _old_annotations(self) -> None:
        for old in old_annotations.written(self._source.view):
            at = Violation(old.place, None, old.sentence, _OLD)
            message = f"{self._source.prefix + old.place}: {old.sentence}"
            self._add(_Fault("api/deprecated", Severity.WARNING), at, message)

    def _cure_of_invalid(self, violation: Violation) -> PssRemedy:
        """What makes the object valid, where there is one such change: an unmasked /proc needs a user namespace."""
        spec, last = self._source.view.spec, violation.path.segments[-1:]
        if last != ("procMount",) or violation.value != "Unmasked":
            return PssRemedy("")
        if check_proc_mount.kept_by_user_namespace(spec, self._policy.enforce, (violation.value,)):
            return check_proc_mount.USER_NAMESPACE
        return check_proc_mount.masking((violation.path,))

    def _refused_volumes(self, outcome: Outcome) -> None:
        """What the last plugin has against inline volumes of CSI drivers."""
        for violation in outcome.decision.violations:
            from podward.policy.pss.inline_volumes import remedy

            fault = _Fault("api/inlineVolumes", Severity.ERROR, "", remedy(str(violation.value), self._namespace))
            self._add(fault, violation, violation.reason.partition(" is forbidden: ")[2])

    # --- Pod Security -------------------------------------------------------------------------------------------------

    def _pod_security(self, found: verdict.Evaluated | verdict.Verdict) -> None:
        """What the modes have against the Pod; a standard that two of them ask for counts for the first."""
        policy = self._policy
        asked = (
            (policy.enforce, Severity.ERROR, found.enforced),
            (policy.warn, Severity.WARNING, found.warned),
            (policy.audit, Severity.NOTE, found.audited),
        )
        told: set[Path] = set()
        heard: list[Standard] = []
        for standard, severity, results in asked:
            if results and standard not in heard:
                self._standard(standard, severity, results, frozenset(told))
                heard.append(standard)
                told.update(violation.path for result in results for violation in result.decision.violations)

    def _standard(
        self, standard: Standard, severity: Severity, results: tuple[CheckResult, ...], told: frozenset[Path]
    ) -> None:
        """What a standard has against the Pod, but for the places that are `told` already."""
        facts, name = facts_of(self._meant), str(standard)
        for result in results:
            violations = result.decision.violations
            cure = (
                remedy(facts, result)
                if result.check != check_proc_mount.BASELINE_ID
                else self._masked(standard, result)
            )
            concerning = _Concerning(violations, cure.changes)
            for violation in violations:
                if violation.path in told:
                    continue
                changes = concerning.changes(violation.path)
                fault = _Fault(f"pss/{result.check}", severity, name, cure.sentence, changes)
                self._add(fault, violation, violation.reason)

    def _masked(self, standard: Standard, result: CheckResult) -> PssRemedy:
        """What satisfies the check of procMount: /proc stays unmasked where a user namespace is all that is wanted."""
        kinds = [violation.value for violation in result.decision.violations]
        if check_proc_mount.kept_by_user_namespace(self._meant.spec, standard, kinds):
            return check_proc_mount.USER_NAMESPACE
        return remedy(facts_of(self._meant), result)

    # --- SCCs ---------------------------------------------------------------------------------------------------------

    def _scc(self, selection: Selection, pod: Pod) -> None:
        """What the closest SCC has against the Pod that the pass saw; the whole refusal where none may be used."""
        if selection.allowed:
            return
        from podward.policy.scc import remedies
        from podward.policy.scc.violation import rule_of

        closest = selection.closest
        if closest is None:
            refused = selection.decision.violations[0]
            at = Violation(_ACCOUNT, None, refused.reason, refused.source)
            self._add(_Fault("scc/access", Severity.ERROR, "scc", _GRANT), at, refused.reason)
            return
        for violation in closest.decision.violations:
            cure = remedies.remedy(pod, violation, closest.decision)
            rule = f"scc/{rule_of(violation) or 'access'}"
            fault = _Fault(rule, Severity.ERROR, f"scc {closest.name}", cure.sentence, cure.changes)
            self._add(fault, violation, violation.reason)

    def tell_unguarded(self) -> None:
        """A note where SCCs leave the Pod alone, so that nobody takes it for one that they have looked at."""
        why = self._left_alone
        if why is not None:
            at = Violation(_NAMESPACE if self._source.kind == "Pod" else Path(), None, why, _UNGUARDED)
            self._add(_Fault("policy/unguarded", Severity.NOTE, "", _ELSEWHERE), at, why)

    # --- hints --------------------------------------------------------------------------------------------------------

    def hints(self) -> list[Finding]:
        """The hints about the Pod as it is stored, but for fields that a policy refuses already.

        That a capability's name is none is told all the same.
        """
        pod = self._meant
        refused = {finding.path for finding in self._found.values()}
        places = PathIndex(refused)
        told: dict[tuple[str, Path], Finding] = {}  # one where several containers lack a field of the Pod
        for hint in hinting.hints(self._source, pod, refused):
            fields = {change.path for change in hint.changes} or {hint.path}
            # A policy that refuses a name does not say that it is none.
            if hint.name == unknown_capability.NAME or not any(map(places.overlaps, fields)):
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
            source.in_file(place),
            self._about(violation.path),
            message,
            fault.policy,
            fault.remedy,
            () if source.origins else tuple(Change(source.prefix + c.path, c.value) for c in fault.changes),
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
            source.in_file(hint.path),
            self._about(Path(hint.path.segments[len(source.prefix.segments) :])),
            hint.problem,
            "",
            hint.remedy,
            () if source.origins else hint.changes,
        )

    def _about(self, place: Path) -> WorkloadRef:
        """The subject with the container that `place` is in."""
        name = container_name(self._source, place)
        about = self._subject
        return about if not name else WorkloadRef(about.kind, about.namespace, about.name, name)


_OLD = Source(Origin.RULE, "API server, warnings")
_UNGUARDED = Source(Origin.RULE, "OpenShift, SCC admission")
_ELSEWHERE = "if it is no part of the cluster itself, put it into another namespace"
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
        if len(changes) > 1:
            self._places = PathIndex(change.path for change in changes)
            self._shared: dict[tuple[str | int | Key, ...], list[int]] = {}
            faults = PathIndex(violation.path for violation in violations)
            for number, change in enumerate(changes):
                if not faults.overlaps(change.path):
                    self._shared.setdefault(_container(change.path), []).append(number)

    def changes(self, place: Path) -> tuple[Change, ...]:
        """The changes that concern the violation at this place."""
        if len(self._changes) <= 1:
            return self._changes
        mine = {*self._places.overlapping(place), *self._shared.get(place.segments[:3], ()), *self._shared.get((), ())}
        return tuple([self._changes[number] for number in sorted(mine)]) if mine else self._changes


def _container(place: Path) -> tuple[str | int | Key, ...]:
    """The steps to the container, or to another item of a list of the Pod, that the place is in; none: the Pod."""
    steps = place.segments[:3]
    return steps if len(steps) == _STEPS_TO_ITEM and isinstance(steps[2], int) else ()


_STEPS_TO_ITEM = 3
