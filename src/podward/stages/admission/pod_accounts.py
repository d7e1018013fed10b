"""ServiceAccount: a Pod has one, and where it wants it, its token in a volume.

Specification: Kubernetes, plugin/pkg/admission/serviceaccount. Mirror Pods have none. A container that mounts something
at the token's place is left alone.
"""

from __future__ import annotations

from podward.api.admission import Operation
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.schema.pod_references import secrets
from podward.stages.admission.served_facts import Served, refused

_MIRROR = "kubernetes.io/config.mirror"
_PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = "kube-api-access-"
_SOURCES: list[Json] = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
        }
    },
    {"configMap": {"name": "openshift-service-ca.crt", "items": [{"key": "service-ca.crt", "path": "service-ca.crt"}]}},
]


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with its account; of one that is there nothing changes."""
    if asked.request.operation is not Operation.CREATE or asked.request.subresource:
        return obj
    if _MIRROR in member(member(obj, "metadata"), "annotations"):
        return _mirrored(asked, obj)
    spec, namespace = member(obj, "spec"), asked.request.namespace
    name = str(spec.get("serviceAccountName") or "default")
    account = asked.objects.get("serviceaccounts", namespace, name)
    if account is None:
        missing = f"serviceaccount {quote(name)} not found"
        return refused(asked, obj, f"error looking up service account {namespace}/{name}: {missing}")
    spec = {**spec, "serviceAccountName": name, "serviceAccount": name}
    if _wants_token(spec, account):
        spec = _with_token(spec, _PREFIX + asked.letters)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    return {**obj, "spec": spec}


def _mirrored(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """A mirror Pod, unless it refers to what only a service account may read."""
    spec = member(obj, "spec")
    if spec.get("serviceAccountName"):
        return refused(asked, obj, "a mirror pod may not reference service accounts")
    if any(secrets(obj)):
        return refused(asked, obj, "a mirror pod may not reference secrets")
    sources = [
        source for volume in objects(spec, "volumes") for source in objects(member(volume, "projected"), "sources")
    ]
    if any(source.get("serviceAccountToken") is not None for source in sources):
        return refused(asked, obj, "a mirror pod may not use ServiceAccountToken volume projections")
    return obj


def _wants_token(spec: JsonObject, account: JsonObject) -> bool:
    for said in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if isinstance(said, bool):
            return said
    return True


def _with_token(spec: JsonObject, name: str) -> JsonObject:
    """The spec with a volume of the token, mounted where nothing else is."""
    taken = {str(volume.get("name")) for volume in objects(spec, "volumes")}
    named = next((each for each in taken if each.startswith(_PREFIX)), name)
    mount: JsonObject = {"name": named, "readOnly": True, "mountPath": _PLACE}
    made, needed = dict(spec), False
    for field in ("initContainers", "containers"):
        containers: list[Json] = []
        for container in objects(spec, field):
            mounts = objects(container, "volumeMounts")
            if any(each.get("mountPath") == _PLACE for each in mounts):
                containers.append(container)
            else:
                containers.append({**container, "volumeMounts": [*mounts, mount]})
                needed = True
        if containers:
            made[field] = containers
    if needed and named not in taken:
        volume: JsonObject = {"name": named, "projected": {"sources": _SOURCES, "defaultMode": 420}}
        made["volumes"] = [*objects(spec, "volumes"), volume]
    return made
