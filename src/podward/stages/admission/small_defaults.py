"""Plugins that set one thing each: taints, tolerations, finalizers, a class.

Specification: Kubernetes, plugin/pkg/admission: nodetaint, defaulttolerationseconds, storage/setdefault,
storage/storageobjectinuseprotection.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation.raw import texts
from podward.stages.admission.served_facts import Served

_NOT_READY, _UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
_SECONDS = 300
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_FINALIZERS = {
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "persistentvolumes": "kubernetes.io/pv-protection",
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


def protect(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """Storage that is used is held back from going."""
    finalizer = _FINALIZERS[asked.request.resource.resource]
    held: list[Json] = list(texts(member(obj, "metadata"), "finalizers"))
    return obj if finalizer in held else with_metadata(obj, finalizers=[*held, finalizer])
