"""Which requests SCC admission ignores, among them updates that change nothing relevant.

Specification: OpenShift apiserver-library-go, sccadmission/admission.go (July 2026). SCC admission ignores
- Pods whose `spec.os.name` is exactly `windows`; a hostProcess Pod without it is not ignored;
- the subresources exec, attach, binding, eviction, log, portforward, proxy, status, but not ephemeralcontainers and
  resize;
- updates that change nothing but scheduling gates, owner references, finalizers, managed fields, or the annotation with
  the Pod's OVN networks. An update that changes a label, another annotation or the status is checked again.

Two documents are compared as k8s.io/kubernetes pkg/apis/core/helper Semantic.DeepEqual compares
objects, as far as documents show it: absent, null, and an empty list or map are equal; so are absent and empty objects
that Go holds by value. Quantities and times are compared as they are written. `0`, `""` and `false` differ from absent,
and unknown fields are compared too. If this finds a change that Kubernetes does not find, the Pod is only checked once
more.
"""

from __future__ import annotations

from podward.api.admission import Operation
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member
from podward.policy.scc.request import RequestFacts
from podward.schema.table import TYPES

_SUBRESOURCES = frozenset(("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"))
_ANNOTATIONS = frozenset(("k8s.ovn.org/pod-networks",))
_METADATA = ("annotations", "ownerReferences", "finalizers", "managedFields", "selfLink")
_SPEC = ("schedulingGates", "serviceAccount", "serviceAccountName")
_BY_VALUE = frozenset(
    ("ContainerState", "ObjectMeta", "PodSecurityContext", "PodSpec", "PodStatus", "ResourceRequirements")
)
"""The types that Go's structs hold by value, so that absent and empty are equal."""


def why_left_alone(facts: RequestFacts) -> str | None:
    """Why SCC admission ignores this request; None if it does not."""
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
        _same_except(new_spec, old_spec, "PodSpec", _SPEC)
        and _account(new_spec) == _account(old_spec)
        and _same_annotations(member(new_metadata, "annotations"), member(old_metadata, "annotations"))
        and _same_except(new_metadata, old_metadata, "ObjectMeta", _METADATA)
        and same(new.get("status"), old.get("status"), "PodStatus")
    )


def _account(spec: JsonObject) -> object:
    """The service account's name; `serviceAccount` is the deprecated name of the field."""
    return spec.get("serviceAccountName") or spec.get("serviceAccount") or ""


def _same_annotations(new: JsonObject, old: JsonObject) -> bool:
    return all(
        name in _ANNOTATIONS or (name in new and name in old and (new[name] or "") == (old[name] or ""))
        for name in new.keys() | old.keys()
    )


def same(one: Json, other: Json, code: str) -> bool:
    """Whether two values of the type `code` (of `podward.schema.table`) are semantically equal."""
    if one is other or (one is not None and one == other):
        return True
    if code[:1] == "[":
        return _same_lists(one, other, code[1:])
    if code[:1] == "{":
        return (one or {}) == (other or {})  # maps hold scalars only
    if code in _BY_VALUE:
        one, other = {} if one is None else one, {} if other is None else other
    if isinstance(one, dict) and isinstance(other, dict) and code in TYPES:
        return _same_except(one, other, code, ())
    return False


def _same_except(one: JsonObject, other: JsonObject, code: str, ignored: tuple[str, ...]) -> bool:
    """Whether two objects of the type `code` are equal in all fields except those in `ignored`."""
    types = TYPES[code]
    return all(
        same(one.get(name), other.get(name), types.get(name, ""))
        for name in one.keys() | other.keys()
        if name not in ignored
    )


def _same_lists(one: Json, other: Json, code: str) -> bool:
    first, second = one or [], other or []
    if not isinstance(first, list) or not isinstance(second, list) or len(first) != len(second):
        return False
    return all(same(left, right, code) for left, right in zip(first, second, strict=True))
