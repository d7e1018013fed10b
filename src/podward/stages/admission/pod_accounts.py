"""ServiceAccount: a Pod has one, and where it wants it, its token in a volume.

Specification: Kubernetes, plugin/pkg/admission/serviceaccount. Mirror Pods have none. A container that mounts something
at the token's place is left alone. What is built from OpenShift's tree (its patch of that plugin) adds an authority's
certificate: docs/decisions/0033. What a Pod of the account may refer to is `account_limits`' to say.
"""

from __future__ import annotations

from podward.api.admission import AdmissionRequest, GroupResource, Operation
from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.stages.admission.account_limits import fault_of_debugging, fault_of_mirror, fault_of_references
from podward.stages.admission.served_facts import Served, refused

NAME, DEFAULT, ROOT = "ServiceAccount", "default", "kube-root-ca.crt"
"""The plugin, the account of Pods that name none, and the map that has the certificate of the server's authority."""
_PODS = GroupResource("", "pods")
_MIRROR = "kubernetes.io/config.mirror"
_PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
_PREFIX = "kube-api-access-"
_SOURCES: list[Json] = [
    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
    {"configMap": {"name": ROOT, "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
    {
        "downwardAPI": {
            "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
        }
    },
]
_OF_OPENSHIFT: Json = {
    "configMap": {"name": "openshift-service-ca.crt", "items": [{"key": "service-ca.crt", "path": "service-ca.crt"}]}
}
"""The authority of certificates that OpenShift gives to Services: it publishes it in every namespace."""


def needs_default(asked: AdmissionRequest) -> bool:
    """Whether it is a new Pod of its namespace's `default`: a controller makes that one, and may not have done so yet.

    The real plugin asks for it ten times, with a tenth of a second or two in between.
    """
    obj = asked.object
    if obj is None or asked.operation is not Operation.CREATE or asked.subresource or asked.resource != _PODS:
        return False
    if _MIRROR in member(member(obj, "metadata"), "annotations"):
        return False
    return (member(obj, "spec").get("serviceAccountName") or DEFAULT) == DEFAULT


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with its account; of one that is there nothing changes."""
    if asked.request.subresource:
        return _debugged(asked, obj)
    if asked.request.operation is not Operation.CREATE:
        return obj
    if _MIRROR in member(member(obj, "metadata"), "annotations"):
        fault = fault_of_mirror(obj)
        return refused(asked, obj, fault) if fault else obj
    spec = member(obj, "spec")
    name = str(spec.get("serviceAccountName") or DEFAULT)
    account = _account(asked, obj, name)
    if isinstance(account, Status):
        return account
    spec = {**spec, "serviceAccountName": name, "serviceAccount": name}
    if _wants_token(spec, account):
        sources = [*_SOURCES, _OF_OPENSHIFT] if asked.service_authority else _SOURCES
        spec = _with_token(spec, _PREFIX + asked.letters, sources)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    pod: JsonObject = {**obj, "spec": spec}
    fault = fault_of_references(pod, account)
    return refused(asked, pod, fault) if fault else pod


def _account(asked: Served, obj: JsonObject, name: str) -> JsonObject | Status:
    namespace = asked.request.namespace
    account = asked.objects.get("serviceaccounts", namespace, name)
    if account is not None:
        return account
    missing = f"serviceaccount {quote(name)} not found"
    return refused(asked, obj, f"error looking up service account {namespace}/{name}: {missing}")


def _debugged(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The Pod with ephemeral containers, whose secrets are its account's."""
    name = str(member(obj, "spec").get("serviceAccountName") or "")
    if not name:
        of = f"{asked.request.namespace}/{member(obj, 'metadata').get('name') or ''}"
        return refused(asked, obj, f"no service account specified for pod {of}")
    account = _account(asked, obj, name)
    if isinstance(account, Status):
        return account
    fault = fault_of_debugging(obj, account)
    return refused(asked, obj, fault) if fault else obj


def _wants_token(spec: JsonObject, account: JsonObject) -> bool:
    for said in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if isinstance(said, bool):
            return said
    return True


def _with_token(spec: JsonObject, name: str, sources: list[Json]) -> JsonObject:
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
        volume: JsonObject = {"name": named, "projected": {"sources": sources, "defaultMode": 420}}
        made["volumes"] = [*objects(spec, "volumes"), volume]
    return made
