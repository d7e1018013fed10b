"""Which requests SCC admission leaves alone.

Specification: OpenShift apiserver-library-go, sccadmission/admission.go (July 2026):
- Pods whose `spec.os.name` is `windows`, exactly; a hostProcess Pod without it is not left alone;
- the subresources exec, attach, binding, eviction, log, portforward, proxy, status; ephemeralcontainers and resize are
  decided;
- updates that change nothing but scheduling gates, owner references, finalizers, managed fields, or the annotation
  in which OVN notes the Pod's networks. A label, any other annotation or a status that changes is decided again.
"""

from __future__ import annotations

from podward.api.admission import Operation
from podward.api.json_value import JsonObject
from podward.documents.raw_fields import member
from podward.policy.scc.equality import same, same_but
from podward.policy.scc.request import RequestFacts

_SUBRESOURCES = frozenset(("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"))
_ANNOTATIONS = frozenset(("k8s.ovn.org/pod-networks",))
_METADATA = ("annotations", "ownerReferences", "finalizers", "managedFields", "selfLink")
_SPEC = ("schedulingGates", "serviceAccount", "serviceAccountName")


def why_left_alone(facts: RequestFacts) -> str | None:
    """Why SCC admission has no say in this request; None if it has."""
    if facts.subresource in _SUBRESOURCES:
        return f"the subresource {facts.subresource} is not looked at"
    system = facts.pod.spec.os
    if system is not None and system.name == "windows":
        return "spec.os.name is windows"
    if facts.operation is Operation.UPDATE and facts.old is not None and _unchanged(facts.raw, facts.old):
        return "the update changes nothing that SCCs are about"
    return None


def _unchanged(new: JsonObject, old: JsonObject) -> bool:
    new_spec, old_spec = member(new, "spec"), member(old, "spec")
    new_metadata, old_metadata = member(new, "metadata"), member(old, "metadata")
    return (
        same_but(new_spec, old_spec, "PodSpec", _SPEC)
        and _account(new_spec) == _account(old_spec)
        and _same_annotations(member(new_metadata, "annotations"), member(old_metadata, "annotations"))
        and same_but(new_metadata, old_metadata, "ObjectMeta", _METADATA)
        and same(new.get("status"), old.get("status"), "PodStatus")
    )


def _account(spec: JsonObject) -> object:
    """The service account has two names for historical reasons."""
    return spec.get("serviceAccountName") or spec.get("serviceAccount") or ""


def _same_annotations(new: JsonObject, old: JsonObject) -> bool:
    return all(
        name in _ANNOTATIONS or (name in new and name in old and (new[name] or "") == (old[name] or ""))
        for name in new.keys() | old.keys()
    )
