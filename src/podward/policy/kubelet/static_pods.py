"""Static Pods: those that a node runs because a file of its own says so, and the Pods of the API that show them.

Specification (kubelet, pkg/kubelet/config common.go, pkg/kubelet/pod mirror_client.go, in our words): its name ends
with the node's, its namespace is `default` unless the file says another, it is bound to the node and tolerates every
taint of NoExecute. Its uid follows from what the file says, so that another content is another Pod. It may refer to no
object of the API. The mirror Pod is the same with an annotation that holds that uid, and the Node as its owner; one
that shows another content, or that is being deleted, is deleted and made anew. Deleting it ends nothing.
"""

from __future__ import annotations

import hashlib

import msgspec

from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.schema import pod_references
from podward.schema.validation.raw import text

SOURCE, HASH = "kubernetes.io/config.source", "kubernetes.io/config.hash"
SEEN, MIRROR = "kubernetes.io/config.seen", "kubernetes.io/config.mirror"
_SERVERS_OWN = ("resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")


def prepared(written: JsonObject, node: str, file: str, now: str) -> JsonObject:
    """The Pod that a file's document stands for, before defaults; `file` is the file's name."""
    metadata, spec = member(written, "metadata"), member(written, "spec")
    uid = text(metadata, "uid") or _uid(written, node, file)
    annotations = {**member(metadata, "annotations"), HASH: uid, SOURCE: "file", SEEN: now}
    tolerations: list[Json] = [*objects(spec, "tolerations"), {"operator": "Exists", "effect": "NoExecute"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "name": f"{text(metadata, 'name')}-{node.lower()}",
            "namespace": text(metadata, "namespace") or "default",
            "uid": uid,
            "annotations": annotations,
            "creationTimestamp": now,
        },
        "spec": {**spec, "nodeName": node, "tolerations": tolerations},
        "status": {"phase": "Pending"},
    }


def fault(written: JsonObject) -> str:
    """Why the document is no static Pod; "" where it may be one."""
    if written.get("kind") != "Pod" or written.get("apiVersion") != "v1":
        return "it is no Pod of v1"
    if not text(member(written, "metadata"), "name"):
        return "invalid pod: name is needed for the pod"
    referred = pod_references.needs_api_objects(written)
    if referred is not None:
        return f"static pods may not reference {referred or 'objects of the API'}"
    return ""


def without_account(pod: JsonObject) -> JsonObject:
    """The Pod without what defaults say of service accounts: it has none."""
    spec = member(pod, "spec")
    accounts = {"serviceAccountName", "serviceAccount"}
    return {**pod, "spec": {name: value for name, value in spec.items() if name not in accounts}}


def mirror(pod: JsonObject, node_uid: str) -> JsonObject:
    """The Pod of the API that shows a static Pod."""
    metadata, spec = member(pod, "metadata"), member(pod, "spec")
    node = text(spec, "nodeName")
    kept = {name: value for name, value in metadata.items() if name not in {"uid", *_SERVERS_OWN}}
    owner: JsonObject = {"apiVersion": "v1", "kind": "Node", "name": node, "uid": node_uid, "controller": True}
    annotations = {**member(metadata, "annotations"), MIRROR: text(metadata, "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "annotations": annotations, "ownerReferences": [owner]},
        "spec": spec,
    }


def shown_by(mirrored: JsonObject) -> str:
    """The uid of the static Pod that a Pod of the API shows; "" for one that shows none."""
    return text(member(member(mirrored, "metadata"), "annotations"), MIRROR)


def _uid(written: JsonObject, node: str, file: str) -> str:
    content = msgspec.json.encode([written, node, file], order="sorted")
    return hashlib.sha256(content).hexdigest()[:32]
