"""Stage `admission`: what the API server makes of a Pod that is created, or why it refuses it.

Facts in: the Pod as it was sent, and the cluster: SCCs, the authorizer's answers, namespaces, Pod Security's
configuration. Out: a Decision about the Pod that is stored. The order is the API server's (with OpenShift's
plugins): defaulting; the mutating plugins ServiceAccount and SecurityContextConstraint; PrepareForCreate, and a name;
validation; the validating plugins SecurityContextConstraint and PodSecurity. The first that refuses ends it.

A namespace that is not there refuses the Pod: so say SCC admission and Pod Security, each in its own words.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from podward.api.caller import User
from podward.api.core import Namespace, Pod
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.decision import Assignment, Decision, Origin, Source, Violation, assign, refuse
from podward.documents.patching import overlaid
from podward.documents.raw_fields import member
from podward.path import Path, path
from podward.policy.pss import verdict
from podward.policy.pss.labels import Configuration, LabelledPolicy, policy_of
from podward.policy.scc import passes
from podward.policy.scc.access import Uses
from podward.policy.scc.policies import Policies
from podward.policy.scc.request import RequestFacts
from podward.policy.scc.selection import Selection
from podward.schema import defaulting
from podward.schema.validation import pod as validation
from podward.schema.view import pod_view

ACCOUNT = Source(Origin.DEFAULT, "ServiceAccount admission")
"""Who gives a Pod its service account."""
REQUEST = Source(Origin.RULE, "API server, create")
"""Who gives a Pod the namespace of the request, and a name."""
_ACCOUNT_PLACES = (path("spec", "serviceAccountName"), path("spec", "serviceAccount"))
_DEFAULT_ACCOUNT = "default"


class Cluster:
    """What a cluster admits Pods by; made once for many of them.

    `policies` is None for a cluster that has no SCCs, as plain Kubernetes. `namespaces` are those that exist.
    """

    __slots__ = ("_labels", "configuration", "namespaces", "policies", "uses")

    def __init__(
        self,
        policies: Policies | None,
        uses: Uses,
        namespaces: Mapping[str, Namespace],
        configuration: Configuration | None = None,
    ) -> None:
        self.policies = policies
        self.uses = uses
        self.namespaces = namespaces
        self.configuration = configuration or Configuration()
        self._labels: dict[str, LabelledPolicy] = {}

    def pod_security(self, namespace: str) -> LabelledPolicy:
        """What the namespace's labels ask of Pods."""
        found = self._labels.get(namespace)
        if found is None:
            known = self.namespaces.get(namespace)
            found = policy_of(known.metadata.labels if known is not None else None, self.configuration.defaults)
            self._labels[namespace] = found
        return found


class AdmissionFacts(Struct, frozen=True):
    """One Pod to be created: as it was sent, in which namespace, by whom. `kind` is that of its workload.

    `name` is what the Pod is called in the end, where it was sent with a `generateName` alone.
    """

    raw: JsonObject
    namespace: str
    user: User
    cluster: Cluster
    kind: str = "Pod"
    name: str = ""


class Admitted(Struct, frozen=True):
    """What admission decided.

    `decision` is what is set, or the refusal: violations whose reasons are the API server's sentences. `invalid` is
    whether they are validation's, each about one field. `stored` is the Pod with all that is set, and `pod` its view.
    `selection` is the SCC pass that had the last word, `mutating` the one that chose; None on a cluster without SCCs or
    where nobody came so far. `verdict` is Pod Security's. `request` is what the SCC passes were asked.
    """

    decision: Decision
    stored: JsonObject
    pod: Pod
    invalid: bool = False
    mutating: Selection | None = None
    selection: Selection | None = None
    verdict: verdict.Verdict | None = None
    request: RequestFacts | None = None

    @property
    def refused(self) -> bool:
        """Whether the Pod is not stored."""
        return self.decision.refused

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the client is told beside the answer."""
        return self.verdict.warnings if self.verdict is not None else ()


def decide(facts: AdmissionFacts) -> Admitted:
    """What is stored, or why nothing is."""
    cluster = facts.cluster
    made = defaulting.decide_defaults(facts.raw)
    made += _placed(facts)
    made += _account(facts.raw)
    stored = overlaid(facts.raw, made)
    request = _request(facts, stored)
    mutating = selection = None
    if cluster.policies is not None:
        mutating = selection = passes.admit(cluster.policies, request)
        if not mutating.allowed:
            return Admitted(_refusal(mutating), stored, request.pod, False, mutating, mutating, None, request)
        made += mutating.decision
        stored = overlaid(stored, mutating.decision)
    creation = _named(facts) + defaulting.decide_creation(stored)
    stored = overlaid(stored, creation)
    made += creation
    pod = pod_view(stored)
    wrong = validation.validate(pod, stored, facts.kind)
    if wrong.refused:
        return Admitted(Decision((), wrong.violations), stored, pod, True, mutating, selection, None, request)
    if cluster.policies is not None:
        selection = passes.validate(cluster.policies, _request(facts, stored))
        if not selection.allowed:
            return Admitted(_refusal(selection), stored, pod, False, mutating, selection, None, request)
    return _secured(facts, Admitted(made, stored, pod, False, mutating, selection, None, request))


def _secured(facts: AdmissionFacts, admitted: Admitted) -> Admitted:
    """Pod Security's verdict on what would be stored."""
    cluster = facts.cluster
    pod = admitted.pod
    if facts.namespace not in cluster.namespaces:
        why = f"pods {quote(pod.metadata.name or '')} is forbidden: failed to lookup namespace {quote(facts.namespace)}"
        lost = refuse(Path(), None, why, Source(Origin.POLICY, "PodSecurity"))
        return _with(admitted, Decision((), lost.violations), None)
    request = verdict.Request(facts.namespace, cluster.pod_security(facts.namespace), facts.user.username)
    found = verdict.admit_pod(pod, request, cluster.configuration)
    decision = admitted.decision if found.refusal is None else Decision(violations=(found.refusal,))
    return _with(admitted, decision, found)


def _with(admitted: Admitted, decision: Decision, found: verdict.Verdict | None) -> Admitted:
    return Admitted(
        decision,
        admitted.stored,
        admitted.pod,
        False,
        admitted.mutating,
        admitted.selection,
        found,
        admitted.request,
    )


def _request(facts: AdmissionFacts, raw: JsonObject) -> RequestFacts:
    cluster = facts.cluster
    namespace = cluster.namespaces.get(facts.namespace)
    return RequestFacts(pod_view(raw), raw, namespace, facts.namespace, facts.user, cluster.uses)


def _refusal(selection: Selection) -> Decision:
    """The refusal; where a pass said neither yes nor why not, that is one too."""
    if selection.decision.violations:
        return Decision((), selection.decision.violations)
    silent = Violation(Path(), None, "no SCC admits it", Source(Origin.POLICY, "SecurityContextConstraints"))
    return Decision((), (silent,))


def _placed(facts: AdmissionFacts) -> Decision:
    """The namespace of the request, which every object in it has."""
    if member(facts.raw, "metadata").get("namespace") == facts.namespace:
        return Decision()
    return assign(path("metadata", "namespace"), facts.namespace, "the request's namespace", REQUEST)


def _named(facts: AdmissionFacts) -> Decision:
    """The name of a Pod that has none: made after the mutating plugins, which see `generateName` alone."""
    metadata = member(facts.raw, "metadata")
    if metadata.get("name") or not metadata.get("generateName") or not facts.name:
        return Decision()
    return assign(path("metadata", "name"), facts.name, "made from generateName", REQUEST)


def _account(raw: JsonObject) -> Decision:
    """The service account of a Pod that names none. Both names of the field are written, as the API server does."""
    spec = member(raw, "spec")
    written = spec.get("serviceAccountName") or spec.get("serviceAccount")
    named = written if isinstance(written, str) else _DEFAULT_ACCOUNT
    why = "unset: default" if not written else "the other name of the field"
    return Decision(
        tuple(
            Assignment(place, named, why, ACCOUNT)
            for place in _ACCOUNT_PLACES
            if spec.get(str(place.segments[-1])) in (None, "")
        )
    )
