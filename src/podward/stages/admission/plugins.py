"""The admission plugins: each takes the facts of its rules from the request and the cluster, and says what they decide.

ServiceAccount gives a Pod that names no service account the one called `default`, and refuses one whose account does
not exist (Kubernetes, plugin/pkg/admission/serviceaccount). The rules of the others are `podward.policy.scc` and
`podward.policy.pss`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.admission import NAMESPACES, PODS, AdmissionRequest, GroupResource, Operation
from podward.api.gotext import quote
from podward.decision import Assignment, Decision, Origin, Source, Violation, refuse
from podward.documents.raw_fields import member, objects
from podward.path import Path, path
from podward.schema.pod_kinds import TEMPLATES
from podward.schema.view import pod_view, typed_view
from podward.stages.admission.steps import NOTHING, Asked, Outcome, writes, writes_pod

if TYPE_CHECKING:  # `podward run` asks for no policy, and these take longer to import than to use
    from podward.api.json_value import JsonObject
    from podward.policy.pss.verdict import Verdict
    from podward.policy.scc.request import RequestFacts
    from podward.policy.scc.selection import Selection

ACCOUNT = Source(Origin.DEFAULT, "ServiceAccount admission")
"""Who gives a Pod its service account."""
_ACCOUNT_PLACES = tuple((name, path("spec", name)) for name in ("serviceAccountName", "serviceAccount"))
_DEFAULT_ACCOUNT = "default"
_POD_SECURITY = Source(Origin.POLICY, "PodSecurity")
_SCCS = Source(Origin.POLICY, "SecurityContextConstraints")
_WORKLOADS = {
    GroupResource("", "podtemplates"): "PodTemplate",
    GroupResource("", "replicationcontrollers"): "ReplicationController",
    GroupResource("apps", "daemonsets"): "DaemonSet",
    GroupResource("apps", "deployments"): "Deployment",
    GroupResource("apps", "replicasets"): "ReplicaSet",
    GroupResource("apps", "statefulsets"): "StatefulSet",
    GroupResource("batch", "cronjobs"): "CronJob",
    GroupResource("batch", "jobs"): "Job",
}
"""The objects whose template of a Pod Pod Security warns about."""


def service_account(asked: Asked) -> Outcome:
    """The service account of a Pod that names none. Both names of the field are written, as the API server does."""
    spec = member(asked.raw, "spec")
    written = spec.get("serviceAccountName") or spec.get("serviceAccount")
    named = written if isinstance(written, str) else _DEFAULT_ACCOUNT
    namespace = asked.facts.request.namespace
    if not asked.facts.cluster.has_service_account(namespace, named):
        missing = f"serviceaccount {quote(named)} not found"
        return _forbidden(asked, f"error looking up service account {namespace}/{named}: {missing}", ACCOUNT)
    why = "unset: default" if not written else "the other name of the field"
    unset = [place for name, place in _ACCOUNT_PLACES if spec.get(name) in (None, "")]
    return Outcome(Decision(tuple([Assignment(place, named, why, ACCOUNT) for place in unset]))) if unset else NOTHING


# --- SecurityContextConstraint ----------------------------------------------------------------------------------------


def choose_scc(asked: Asked) -> Outcome:
    """The mutating pass: the first SCC that may be used and fits, and what it sets."""
    policies = asked.facts.cluster.policies()
    if policies is None:
        return NOTHING
    unguarded = _unguarded(asked)
    if unguarded is not None:
        return unguarded
    from podward.policy.scc import passes

    request = _scc_request(asked)
    selection = passes.admit(policies, request)
    if selection.allowed:
        return Outcome(selection.decision, selection=selection, request=request)
    closest = selection.closest
    would_set = Decision(closest.decision.assignments) if closest is not None else Decision()
    return Outcome(_refusal(selection), would_set=would_set, selection=selection, request=request)


def validate_scc(asked: Asked) -> Outcome:
    """The validating pass: whether what the Pod has become in the meantime fits an SCC as it is."""
    policies = asked.facts.cluster.policies()
    if policies is None:
        return NOTHING
    unguarded = _unguarded(asked)
    if unguarded is not None:
        return unguarded
    from podward.policy.scc import passes

    request = _scc_request(asked)
    selection = passes.validate(policies, request)
    decision = Decision() if selection.allowed else _refusal(selection)
    return Outcome(decision, selection=selection, request=request)


def _unguarded(asked: Asked) -> Outcome | None:
    """The outcome of a pass in a namespace in which no SCC acts; None where they do."""
    from podward.policy.scc.run_levels import why_unguarded
    from podward.policy.scc.selection import Selection

    name = asked.facts.request.namespace
    namespace = asked.facts.cluster.namespace(name)
    labels = namespace.metadata.labels if namespace is not None else None
    why = why_unguarded(name, labels, named=asked.facts.says_namespace)
    return Outcome(selection=Selection(left_alone=why)) if why is not None else None


def _scc_request(asked: Asked) -> RequestFacts:
    from podward.policy.scc.request import RequestFacts

    request, cluster = asked.facts.request, asked.facts.cluster
    namespace = cluster.namespace(request.namespace)
    return RequestFacts(
        asked.pod,
        asked.raw,
        namespace,
        request.namespace,
        request.user,
        cluster.authorizer,
        request.operation,
        request.old_object,
        request.subresource,
    )


def _refusal(selection: Selection) -> Decision:
    """The refusal; where a pass said neither yes nor why not, that is one too."""
    if selection.decision.violations:
        return Decision((), selection.decision.violations)
    return refuse(Path(), None, "no SCC admits it", _SCCS)


# --- PodSecurity ------------------------------------------------------------------------------------------------------


def concerns_standards(request: AdmissionRequest) -> bool:
    """Whether Pod Security looks at the request: a Pod, what has a template of one, or a namespace."""
    about = request.resource
    return writes_pod(request) or (writes(request) and (about in _WORKLOADS or about == NAMESPACES))


def pod_security(asked: Asked) -> Outcome:
    """The verdict of the standards that the namespace asks for."""
    from podward.policy.pss import verdict

    request, cluster = asked.facts.request, asked.facts.cluster
    if request.resource == NAMESPACES:
        return _of_verdict(_namespace_verdict(asked))
    namespace = request.namespace
    if cluster.namespace(namespace) is None:
        if request.resource != PODS:
            return NOTHING
        return _forbidden(asked, f"failed to lookup namespace {quote(namespace)}", _POD_SECURITY)
    about = verdict.Request(
        namespace,
        cluster.pod_security(namespace),
        request.user.username,
        request.subresource,
        request.resource.resource,
        request.name,
    )
    if request.resource != PODS:
        template = pod_view(_template(asked.raw, _WORKLOADS[request.resource]))
        return _of_verdict(verdict.admit_workload(template, about, cluster.configuration))
    old = pod_view(request.old_object or {}) if request.operation is Operation.UPDATE else None
    return _of_verdict(verdict.admit_pod(asked.pod, about, cluster.configuration, old))


def _namespace_verdict(asked: Asked) -> Verdict:
    from podward.api.core import Namespace
    from podward.policy.pss.namespace_verdict import admit_namespace

    request, cluster = asked.facts.request, asked.facts.cluster
    new, old = (typed_view(raw or {}, Namespace, "Namespace") for raw in (asked.raw, request.old_object))
    name = new.metadata.name or ""
    if request.operation is Operation.CREATE:
        return admit_namespace(name, new.metadata.labels or {}, cluster.configuration)
    pods = cluster.pods(name)
    return admit_namespace(name, new.metadata.labels or {}, cluster.configuration, old.metadata.labels or {}, pods)


def _of_verdict(found: Verdict) -> Outcome:
    decision = Decision() if found.refusal is None else Decision(violations=(found.refusal,))
    return Outcome(decision, verdict=found)


# --- CSIInlineVolumeSecurity ------------------------------------------------------------------------------------------


def inline_volumes(asked: Asked) -> Outcome:
    """OpenShift's word on inline CSI volumes: the driver's label against the namespace's levels."""
    name, cluster = asked.facts.request.namespace, asked.facts.cluster
    profiles = cluster.csi_profiles(name)
    if profiles is None or not any(volume.csi is not None for volume in asked.pod.spec.volumes or ()):
        return NOTHING
    from podward.policy.pss.inline_volumes import Volumes, decide

    volumes = objects(member(asked.raw, "spec"), "volumes")
    drivers = {n: str(member(each, "csi").get("driver")) for n, each in enumerate(volumes) if each.get("csi")}
    namespace = cluster.namespace(name)
    about = Volumes(asked.pod.metadata.name or "", name, drivers)
    found = decide(about, namespace.metadata.labels if namespace is not None else None, profiles)
    refused = found.refusal
    if refused is None:
        return Outcome(warnings=found.warnings)
    whole = _forbidden(asked, refused.reason, refused.source).decision.violations[0].reason
    refusal = Violation(refused.path, refused.value, whole, refused.source)
    return Outcome(Decision(violations=(refusal,)), warnings=found.warnings)


def _template(raw: JsonObject, kind: str) -> JsonObject:
    for step in TEMPLATES[kind].segments:
        raw = member(raw, str(step))
    return raw


def _forbidden(asked: Asked, why: str, source: Source) -> Outcome:
    """A plugin's refusal, in the sentence that names the object as far as it has a name by now."""
    metadata = member(asked.raw, "metadata")
    name = asked.facts.request.name or metadata.get("name") or metadata.get("generateName") or "Unknown"
    sentence = f"{asked.facts.request.resource} {quote(str(name))} is forbidden: {why}"
    return Outcome(Decision(violations=(Violation(Path(), None, sentence, source),)))
