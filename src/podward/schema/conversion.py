"""What becomes of an object on its way into the server and out again, in one and the same version.

Specification: Kubernetes, pkg/apis/core/v1 and apps/v1 conversion.go, where the server's own types say something in one
way that the version says in two:
- `serviceAccount` of a PodSpec is the old name of `serviceAccountName`, which wins; both are written.
- A Pod's negative grace period becomes 1, and its old annotations of init containers are gone, in templates too.
- `podIP` is the first of `podIPs`, and wins; a Node's `podCIDR` likewise.
- A Secret's `stringData` becomes `data`, entry by entry.
- The claims of a StatefulSet's template have their kind and version.
- A DaemonSet's count of its templates stands in an annotation.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from podward.documents.raw_fields import member
from podward.schema.canonical import MisfitError, canonical_as_stored
from podward.schema.dropped_fields import OLD_INIT_CONTAINERS
from podward.schema.filling import At, Derived, Fills, Into, Row, Told

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject


_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


def converted(of: str, value: JsonObject) -> JsonObject:
    """The object of this type in `TYPES` as it comes out of the server: itself where nothing is changed."""
    return _FILLS[of](value, (None, ""), None) if of in CHANGES else value


def as_written(of: str, value: JsonObject) -> JsonObject:
    """The object of this type as the server stores and answers it: converted, and in Go's form.

    Asked of what defaults, strategies and plugins have made of an object. Lists and maps of texts are shared with it.
    """
    made = converted(of, value)
    try:
        return canonical_as_stored(made, of)
    except MisfitError:
        return made


def _set(change: Callable[[JsonObject], Mapping[str, Json]]) -> Derived:
    """Fields that `change` answers are set, or gone where it answers null."""

    def fill(owner: JsonObject, at: At, told: Told | None) -> JsonObject:
        del at, told
        changed = change(owner)
        if not changed:
            return owner
        made = {**owner, **changed}
        return {name: item for name, item in made.items() if item is not None or name not in changed}

    return Derived(fill)


def _service_account(spec: JsonObject) -> Mapping[str, Json]:
    name, old = spec.get("serviceAccountName"), spec.get("serviceAccount")
    if name == old:
        return {}
    return {"serviceAccountName": name or old, "serviceAccount": name or old}


def _grace(pod: JsonObject) -> Mapping[str, Json]:
    spec = member(pod, "spec")
    grace = spec.get("terminationGracePeriodSeconds")
    return {"spec": {**spec, "terminationGracePeriodSeconds": 1}} if type(grace) is int and grace < 0 else {}


def _annotations(metadata: JsonObject) -> Mapping[str, Json]:
    written = metadata.get("annotations")
    if not isinstance(written, dict) or written.keys().isdisjoint(OLD_INIT_CONTAINERS):
        return {}
    return {"annotations": {name: text for name, text in written.items() if name not in OLD_INIT_CONTAINERS} or None}


def _generation(metadata: JsonObject) -> Mapping[str, Json]:
    written = member(metadata, "annotations")
    return {} if _TEMPLATE_GENERATION in written else {"annotations": {**written, _TEMPLATE_GENERATION: "0"}}


def _addresses(status: JsonObject) -> Mapping[str, Json]:
    one, several = status.get("podIP"), status.get("podIPs")
    first = several[0] if isinstance(several, list) and several else None
    listed = first.get("ip") if isinstance(first, dict) else None
    if one == listed:
        return {}
    return {"podIPs": [{"ip": one}]} if one else {"podIP": listed}


def _ranges(spec: JsonObject) -> Mapping[str, Json]:
    one, several = spec.get("podCIDR"), spec.get("podCIDRs")
    first = several[0] if isinstance(several, list) and several else None
    if one == first:
        return {}
    return {"podCIDRs": [one]} if one else {"podCIDR": first}


def _texts(secret: JsonObject) -> Mapping[str, Json]:
    texts = member(secret, "stringData")
    if not texts:
        return {"stringData": None} if "stringData" in secret else {}
    data = {name: b2a_base64(str(text).encode(), newline=False).decode() for name, text in texts.items()}
    return {"data": {**member(secret, "data"), **data}, "stringData": None}


def _claims(spec: JsonObject) -> Mapping[str, Json]:
    written = spec.get("volumeClaimTemplates")
    if not isinstance(written, list):
        return {}
    head = {"kind": "PersistentVolumeClaim", "apiVersion": "v1"}
    made: list[Json] = [{**head, **item, **head} if isinstance(item, dict) else item for item in written]
    return {} if made == written else {"volumeClaimTemplates": made}


_TEMPLATE: tuple[Row, ...] = (Into("template"),)
_SPEC: tuple[Row, ...] = (Into("spec"),)
CHANGES: dict[str, Sequence[Row]] = {
    "Pod": (_set(_grace), Into("metadata", "ObjectMeta/of a Pod"), Into("spec"), Into("status")),
    "ObjectMeta/of a Pod": (_set(_annotations),),
    "PodSpec": (_set(_service_account),),
    "PodStatus": (_set(_addresses),),
    "PodTemplateSpec": (Into("metadata", "ObjectMeta/of a Pod"), Into("spec")),
    "PodTemplate": _TEMPLATE,
    "ReplicationController": _SPEC,
    "ReplicationControllerSpec": _TEMPLATE,
    "ReplicaSet": _SPEC,
    "ReplicaSetSpec": _TEMPLATE,
    "Deployment": _SPEC,
    "DeploymentSpec": _TEMPLATE,
    "DaemonSet": (*_SPEC, Into("metadata", "ObjectMeta/of a DaemonSet")),
    "ObjectMeta/of a DaemonSet": (_set(_generation),),
    "DaemonSetSpec": _TEMPLATE,
    "StatefulSet": _SPEC,
    "StatefulSetSpec": (*_TEMPLATE, _set(_claims)),
    "Job": _SPEC,
    "JobSpec": _TEMPLATE,
    "CronJob": _SPEC,
    "CronJobSpec": (Into("jobTemplate"),),
    "JobTemplateSpec": _SPEC,
    "Node": _SPEC,
    "NodeSpec": (_set(_ranges),),
    "Secret": (_set(_texts),),
}
_FILLS = Fills(CHANGES)
