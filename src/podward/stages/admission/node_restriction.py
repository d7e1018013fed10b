"""NodeRestriction: a node writes its own Node, lease, CSINode and slices, mirror Pods, and the status of its Pods.

Specification: Kubernetes, plugin/pkg/admission/noderestriction. Whoever is no node is left alone; one that cannot be
told apart is refused. What a node asks certificates for is `podward.access.certificate_requests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.admission import PODS, GroupResource, Operation
from podward.api.caller import node_of
from podward.api.gotext import quote
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import needs_api_objects
from podward.schema.validation.raw import text
from podward.stages.admission import node_labels, node_tokens
from podward.stages.admission.served_facts import missing, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from podward.api.admission import AdmissionRequest
    from podward.api.json_value import Json, JsonObject
    from podward.api.status import Status
    from podward.stages.admission.served_facts import Served

    Check: TypeAlias = Callable[[Served, JsonObject, str], Status | None]

NAME = "NodeRestriction"
ACCOUNTS = GroupResource("", "serviceaccounts")
LOOKED_UP = ("pods", "nodes", "persistentvolumes", "persistentvolumeclaims", "csidrivers")
"""The kinds that the plugin looks up."""
_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_OWN_STATUS = "can only update pod status for pods with spec.nodeName set to itself"


def handles(request: AdmissionRequest) -> bool:
    """Whether the plugin looks at the request: at every one of a node."""
    return node_of(request.user) is not None


def asks_for_token(request: AdmissionRequest) -> bool:
    """Whether a node asks for a token of a service account."""
    creates = request.operation is Operation.CREATE and request.resource == ACCOUNTS
    return creates and request.subresource == "token" and handles(request)


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The object as it is, or the refusal."""
    return refusal(asked, obj) or obj


def refusal(asked: Served, obj: JsonObject) -> Status | None:
    """Why the node may not do it. Of what is deleted, `obj` is what is stored."""
    user = asked.request.user
    node = node_of(user)
    if node is None:
        return None
    if not node:
        return refused(asked, obj, f"could not determine node from user {quote(user.username)}")
    check = _CHECKS.get(asked.request.resource)
    return check(asked, obj, node) if check is not None else None


def _pod(asked: Served, obj: JsonObject, node: str) -> Status | None:
    part = asked.request.subresource
    check = _OF_PODS.get(part)
    if check is not None:
        return check(asked, obj, node)
    why = f"unexpected pod subresource {quote(part)}, only 'status' and 'eviction' are allowed"
    return refused(asked, obj, why)


def _whole_pod(asked: Served, obj: JsonObject, node: str) -> Status | None:
    operation = asked.request.operation
    if operation is Operation.CREATE:
        return _new_pod(asked, obj, node)
    if operation is not Operation.DELETE:
        why = (
            f"unexpected operation {quote(operation.value)}, node {quote(node)} can only create and delete mirror pods"
        )
        return refused(asked, obj, why)
    if text(member(obj, "spec"), "nodeName") != node:
        return refused(asked, obj, f"node {quote(node)} can only delete pods with spec.nodeName set to itself")
    return None


def _new_pod(asked: Served, obj: JsonObject, node: str) -> Status | None:
    owners = objects(member(obj, "metadata"), "ownerReferences")
    why = next(_faults_of_new_pod(obj, node, owners), "")
    if why:
        return refused(asked, obj, why)
    found = _owner(asked, obj, node, owners[0])
    needs = needs_api_objects(obj)
    if found is not None or needs is None:
        return found
    if not needs:
        return refused(asked, obj, "error checking mirror pod for API references: unknown volume type")
    return refused(asked, obj, f"node {quote(node)} can not create pods that reference {needs}")


def _faults_of_new_pod(obj: JsonObject, node: str, owners: list[JsonObject]) -> Iterator[str]:
    who = f"node {quote(node)}"
    if _MIRROR not in member(member(obj, "metadata"), "annotations"):
        yield f"pod does not have {quote(_MIRROR)} annotation, {who} can only create mirror pods"
    if text(member(obj, "spec"), "nodeName") != node:
        yield f"{who} can only create pods with spec.nodeName set to itself"
    if len(owners) > 1:
        yield f"{who} can only create pods with a single owner reference set to itself"
    if not owners:
        yield f"{who} can only create pods with an owner reference set to itself"


def _owner(asked: Served, obj: JsonObject, node: str, owner: JsonObject) -> Status | None:
    who = f"node {quote(node)}"
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        return refused(asked, obj, f"{who} can only create pods with an owner reference set to itself")
    if owner.get("controller") is not True:
        return refused(asked, obj, f"{who} can only create pods with a controller owner reference set to itself")
    if owner.get("blockOwnerDeletion") is True:
        return refused(asked, obj, f"{who} must not set blockOwnerDeletion on an owner reference")
    known = asked.objects.get("nodes", "", node)
    if known is None:
        return missing("node", node)
    uid, own = text(owner, "uid"), text(member(known, "metadata"), "uid")
    return None if uid == own else refused(asked, obj, f"node {node} UID mismatch: expected {uid} got {own}")


def _pod_status(asked: Served, obj: JsonObject, node: str) -> Status | None:
    request, who = asked.request, f"node {quote(node)}"
    old = request.old_object
    if request.operation is not Operation.UPDATE or old is None:
        return refused(asked, obj, f"unexpected operation {quote(request.operation.value)}")
    if text(member(old, "spec"), "nodeName") != node:
        return refused(asked, obj, f"{who} {_OWN_STATUS}")
    if member(member(old, "metadata"), "labels") != member(member(obj, "metadata"), "labels"):
        return refused(asked, obj, f"{who} cannot update labels through pod status")
    before, after = member(old, "status"), member(obj, "status")
    if objects(before, "resourceClaimStatuses") != objects(after, "resourceClaimStatuses"):
        return refused(asked, obj, f"{who} cannot update resource claim statues")
    if before.get("extendedResourceClaimStatus") != after.get("extendedResourceClaimStatus"):
        return refused(asked, obj, f"{who} cannot update extended resource claim status")
    return None


def _eviction(asked: Served, obj: JsonObject, node: str) -> Status | None:
    request = asked.request
    if request.operation is not Operation.CREATE:
        return refused(asked, obj, f"unexpected operation {request.operation.value}")
    name = request.name or text(member(obj, "metadata"), "name")
    if not name:
        return refused(asked, obj, "could not determine pod from request data")
    pod = asked.objects.get("pods", request.namespace, name)
    if pod is None:
        return missing("pod", name)
    if text(member(pod, "spec"), "nodeName") != node:
        return refused(asked, obj, f"node {node} can only evict pods with spec.nodeName set to itself")
    return None


def _node(asked: Served, obj: JsonObject, node: str) -> Status | None:
    request = asked.request
    if request.name != node:
        return refused(asked, obj, f"node {quote(node)} is not allowed to modify node {quote(request.name)}")
    if request.operation is Operation.DELETE:
        return None
    old = request.old_object
    faults = _faults_of_new_node(obj, node) if old is None else _faults_of_change(obj, old, node)
    why = next(faults, "")
    return refused(asked, obj, why) if why else None


def _faults_of_new_node(obj: JsonObject, node: str) -> Iterator[str]:
    who = f"node {quote(node)}"
    if member(obj, "spec").get("configSource") is not None:
        yield f"{who} is not allowed to create pods with a non-nil configSource"
    if labels := node_labels.forbidden(member(member(obj, "metadata"), "labels"), {}):
        yield f"{who} is not allowed to set the following labels: {', '.join(labels)}"


def _faults_of_change(obj: JsonObject, old: JsonObject, node: str) -> Iterator[str]:
    who, after, before = f"node {quote(node)}", member(obj, "spec"), member(old, "spec")
    of, old_of = member(obj, "metadata"), member(old, "metadata")
    source = after.get("configSource")
    if source is not None and source != before.get("configSource"):
        yield f"{who} is not allowed to update configSource to a new non-nil configSource"
    if objects(after, "taints") != objects(before, "taints"):
        yield f"{who} is not allowed to modify taints"
    if objects(of, "ownerReferences") != objects(old_of, "ownerReferences"):
        yield f"{who} is not allowed to modify ownerReferences"
    if labels := node_labels.forbidden(member(of, "labels"), member(old_of, "labels")):
        yield f"is not allowed to modify labels: {', '.join(labels)}"


def _claim(asked: Served, obj: JsonObject, node: str) -> Status | None:
    request = asked.request
    old = request.old_object
    if request.subresource != "status":
        return refused(asked, obj, "may only update PVC status")
    if request.operation is not Operation.UPDATE or old is None:
        return refused(asked, obj, f"unexpected operation {quote(request.operation.value)}")
    before, after = _without_progress(old), _without_progress(obj)
    if before == after:
        return None
    changed = ", ".join(sorted(_paths(before, after)))
    fields = "fields other than status.quantity and status.conditions"
    return refused(asked, obj, f"node {quote(node)} is not allowed to update {fields}: {changed}")


def _without_progress(claim: JsonObject) -> JsonObject:
    """The claim without what a node reports about it, or what changes with every write."""
    status: JsonObject = {
        key: value for key, value in member(claim, "status").items() if value and key not in _PROGRESS
    }
    of: JsonObject = {key: value for key, value in member(claim, "metadata").items() if value and key not in _WRITTEN}
    spec: JsonObject = {key: value for key, value in member(claim, "spec").items() if value is not None}
    return {"metadata": of, "spec": spec, "status": status}


_PROGRESS = frozenset(("capacity", "conditions", "allocatedResources", "allocatedResourceStatuses"))
_WRITTEN = frozenset(("resourceVersion", "managedFields"))


def _paths(before: JsonObject, after: JsonObject) -> list[str]:
    return [
        f"{part}.{name}"
        for part in before
        for name in {**member(before, part), **member(after, part)}
        if member(before, part).get(name) != member(after, part).get(name)
    ]


def _account(asked: Served, obj: JsonObject, node: str) -> Status | None:
    return node_tokens.refusal(asked, obj, node) if asks_for_token(asked.request) else None


def _lease(asked: Served, obj: JsonObject, node: str) -> Status | None:
    if asked.request.namespace != _LEASES:
        return refused(asked, obj, f"can only access leases in the {quote(_LEASES)} system namespace")
    if _name(asked, obj) == node:
        return None
    return refused(asked, obj, "can only access node lease with the same name as the requesting node")


def _csi_node(asked: Served, obj: JsonObject, node: str) -> Status | None:
    if _name(asked, obj) == node:
        return None
    return refused(asked, obj, "can only access CSINode with the same name as the requesting node")


def _name(asked: Served, obj: JsonObject) -> Json:
    created = asked.request.operation is Operation.CREATE
    return text(member(obj, "metadata"), "name") if created else asked.request.name


def _slice(asked: Served, obj: JsonObject, node: str) -> Status | None:
    operation = asked.request.operation
    if operation is Operation.UPDATE or text(member(obj, "spec"), "nodeName") == node:
        return None
    verb = "create" if operation is Operation.CREATE else "delete"
    why = f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
    return refused(asked, obj, why)


_OF_PODS: dict[str, Check] = {"": _whole_pod, "status": _pod_status, "eviction": _eviction}
_CHECKS: dict[GroupResource, Check] = {
    PODS: _pod,
    GroupResource("", "nodes"): _node,
    GroupResource("", "persistentvolumeclaims"): _claim,
    ACCOUNTS: _account,
    GroupResource("coordination.k8s.io", "leases"): _lease,
    GroupResource("storage.k8s.io", "csinodes"): _csi_node,
    GroupResource("resource.k8s.io", "resourceslices"): _slice,
}
