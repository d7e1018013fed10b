"""What OpenShift's plugins for SecurityContextConstraints themselves do when one is written.

Specification: openshift/kubernetes, openshift-kube-apiserver/admission/customresourcevalidation: defaults come after
Kubernetes' own mutating plugins, what is refused is told as validation tells it. The rules are `schema/scc`. An object
whose fields have other types than they must is left to the schema of its definition, and refused in any case.

SCCExecRestrictions (apiserver-library-go, sccadmission/scc_exec.go): nobody runs a program in a Pod, or attaches to it,
that he himself, or its service account, could not create as it is.
"""

from __future__ import annotations

from podward.api import status
from podward.api.admission import PODS, AdmissionRequest, GroupResource, Operation
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.schema.fit import fits
from podward.schema.openshift.constraints import GROUP, KIND, PLURAL
from podward.schema.scc.defaults import defaulted
from podward.schema.scc.encoding import encoded
from podward.schema.scc.reading import scc_view
from podward.schema.scc.validation import validate
from podward.stages.admission.steps import writes

DEFAULTING = "security.openshift.io/DefaultSecurityContextConstraints"
VALIDATION = "security.openshift.io/ValidateSecurityContextConstraints"
ADMISSION = "security.openshift.io/SecurityContextConstraint"
EXEC = "security.openshift.io/SCCExecRestrictions"
INLINE_VOLUMES = "storage.openshift.io/CSIInlineVolumeSecurity"
_RESOURCE = GroupResource(GROUP, PLURAL)


def concerns_constraints(request: AdmissionRequest) -> bool:
    """Whether an SCC is written."""
    return request.resource == _RESOURCE and writes(request) and not request.subresource


def completed(obj: JsonObject) -> JsonObject:
    """The SCC as OpenShift stores it."""
    return encoded(defaulted(obj)) if fits(obj, KIND) else obj


def refused(request: AdmissionRequest) -> Status | None:
    """What is wrong with an SCC."""
    obj = request.object or {}
    if not fits(obj, KIND):
        return status.bad_request(f"{KIND} {request.name!r} has fields of other types than it must")
    found = validate(scc_view(obj))
    return status.invalid(KIND, GROUP, request.name, found) if found.violations else None


def reaches_into_pod(request: AdmissionRequest) -> bool:
    """Whether somebody wants a program to be run in a Pod, or to attach to one."""
    connects = request.operation is Operation.CONNECT and request.resource == PODS
    return connects and request.subresource in {"exec", "attach"}


def exceeds(request: AdmissionRequest, why: str) -> Status:
    """The refusal of who could not create the Pod."""
    sentence = "operation is not allowed because the pod's security context exceeds your permissions"
    return status.forbidden(PODS, request.name, f"{request.subresource} {sentence}: {why}")
