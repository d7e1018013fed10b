"""Plugins that set one thing each: taints, tolerations, finalizers, a class.

Specification: Kubernetes, plugin/pkg/admission: nodetaint, defaulttolerationseconds, storage/setdefault,
storage/storageobjectinuseprotection, network/defaultingressclass, podtopologylabels.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation.raw import text, texts
from podward.stages.admission.served_facts import Served

_NOT_READY, _UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_SECONDS = 300
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_INGRESS_CLASS = "ingressclass.kubernetes.io/is-default-class"
_OLD_INGRESS_CLASS = "kubernetes.io/ingress.class"
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
    "volumeattributesclasses": "kubernetes.io/vac-protection",
}


def taint_node(_asked: Served, obj: JsonObject) -> JsonObject | Status:
    """A new node is not ready."""
    spec = member(obj, "spec")
    taints = objects(spec, "taints")
    if any(taint.get("key") == _NOT_READY and taint.get("effect") == "NoSchedule" for taint in taints):
        return obj
    return {**obj, "spec": {**spec, "taints": [*taints, {"key": _NOT_READY, "effect": "NoSchedule"}]}}


def tolerate(_asked: Served, obj: JsonObject) -> JsonObject | Status:
    """A Pod stays for five minutes on a node that is lost, unless it says otherwise."""
    spec = member(obj, "spec")
    said = objects(spec, "tolerations")
    added: list[Json] = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS}
        for key in (_NOT_READY, _UNREACHABLE)
        if not any(_tolerates(each, key) for each in said)
    ]
    return {**obj, "spec": {**spec, "tolerations": [*said, *added]}} if added else obj


def _tolerates(toleration: JsonObject, key: str) -> bool:
    return toleration.get("key") in {key, None, ""} and toleration.get("effect") in {"NoExecute", None, ""}


def storage_class(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """A claim that names no class is of the default one: the newest of them."""
    of, spec = member(obj, "metadata"), member(obj, "spec")
    if _OLD_CLASS in member(of, "annotations") or spec.get("storageClassName") is not None:
        return obj
    defaults = [each for each in asked.objects.all("storageclasses") if _is_default(each)]
    if not defaults:
        return obj
    newest = max(defaults, key=lambda each: str(member(each, "metadata").get("creationTimestamp")))
    return {**obj, "spec": {**spec, "storageClassName": member(newest, "metadata").get("name")}}


def _is_default(found: JsonObject) -> bool:
    annotations = member(member(found, "metadata"), "annotations")
    return "true" in (annotations.get(_DEFAULT_CLASS), annotations.get(_OLD_DEFAULT_CLASS))


def ingress_class(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """An Ingress that names no class is of the default one: the newest of them, and of these the first by name."""
    of, spec = member(obj, "metadata"), member(obj, "spec")
    if spec.get("ingressClassName") is not None or _OLD_INGRESS_CLASS in member(of, "annotations"):
        return obj
    defaults = [
        member(each, "metadata")
        for each in asked.objects.all("ingressclasses")
        if member(member(each, "metadata"), "annotations").get(_DEFAULT_INGRESS_CLASS) == "true"
    ]
    if not defaults:
        return obj
    newest = max(str(each.get("creationTimestamp")) for each in defaults)
    name = min(str(each.get("name")) for each in defaults if str(each.get("creationTimestamp")) == newest)
    return {**obj, "spec": {**spec, "ingressClassName": name}}


def topology(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """A Pod that gets a node, or a Binding to one, has the labels that say where that is."""
    if asked.request.subresource:
        target = member(obj, "target")
        name = text(target, "name") if text(target, "kind") == "Node" else ""
    else:
        name = text(member(obj, "spec"), "nodeName")
    node = asked.objects.get("nodes", "", name) if name else None
    if node is None:
        return obj
    labels = member(member(node, "metadata"), "labels")
    copied: JsonObject = {label: labels[label] for label in _TOPOLOGY if label in labels}
    if not copied:
        return obj
    return with_metadata(obj, labels={**member(member(obj, "metadata"), "labels"), **copied})


def protect(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """Storage that is used is held back from going."""
    finalizer = _FINALIZERS[asked.request.resource.resource]
    held: list[Json] = list(texts(member(obj, "metadata"), "finalizers"))
    return obj if finalizer in held else with_metadata(obj, finalizers=[*held, finalizer])
