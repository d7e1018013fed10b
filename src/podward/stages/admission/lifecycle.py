"""NamespaceLifecycle: nothing comes into a namespace that is not there or is going, and some namespaces never go.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/namespace/lifecycle.
"""

from __future__ import annotations

from podward.api import status
from podward.api.admission import NAMESPACES, AdmissionRequest, Operation
from podward.api.json_value import JsonObject
from podward.api.status import Status, StatusCause, StatusDetails
from podward.documents.raw_fields import member
from podward.stages.admission.served_facts import Served

_IMMORTAL = frozenset(("default", "kube-system", "kube-public"))


def mutate(asked: Served, obj: JsonObject) -> JsonObject | Status:
    """The object as it is, if there is a namespace for it."""
    request = asked.request
    namespace = asked.objects.get("namespaces", "", request.namespace)
    if namespace is None:
        return status.not_found(NAMESPACES, request.namespace)
    if request.operation is not Operation.CREATE or member(namespace, "status").get("phase") != "Terminating":
        return obj
    name = request.name or str(member(obj, "metadata").get("name") or "")
    why = f"unable to create new content in namespace {request.namespace} because it is being terminated"
    found = status.forbidden(request.resource, name, why)
    sentence = f"namespace {request.namespace} is being terminated"
    cause = StatusCause("NamespaceTerminating", sentence, "metadata.namespace")
    resource = request.resource
    details = StatusDetails(name, resource.group, resource.resource, causes=(cause,))
    return Status(found.code, found.reason, found.message, details)


def deletion(request: AdmissionRequest) -> Status | None:
    """Why the object may not be deleted."""
    if request.resource == NAMESPACES and request.name in _IMMORTAL:
        return status.forbidden(NAMESPACES, request.name, "this namespace may not be deleted")
    return None
