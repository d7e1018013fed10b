"""The resources of OpenShift that are served beside Kubernetes' own, and how their objects are stored and checked.

Specification: openshift/openshift-apiserver, the storage of pkg/{apps,authorization,project,security,user}/apiserver.
SCCs are no row of this table: in a cluster they are a custom resource, and here too (`constraints`).
"""

from __future__ import annotations

from msgspec import structs

from podward.api.resource import Resource
from podward.schema.openapi.custom import CustomResource
from podward.schema.openshift import defaults, deployment_configs, kinds  # noqa: F401 - the tables know these by them
from podward.schema.openshift.schemas import schema_of
from podward.schema.resources import resources_of
from podward.schema.served_types import KINDS
from podward.schema.strategies.registry import STRATEGIES

_TABLE = {
    "apps.openshift.io/v1": """
        deploymentconfigs DeploymentConfig ns -dc +all /instantiate /log /rollback /scale /status""",
    "authorization.openshift.io/v1": """
        localresourceaccessreviews LocalResourceAccessReview ns create
        localsubjectaccessreviews  LocalSubjectAccessReview  ns create
        resourceaccessreviews      ResourceAccessReview      -- create
        subjectaccessreviews       SubjectAccessReview       -- create""",
    "project.openshift.io/v1": """
        projectrequests ProjectRequest -- create,list
        projects        Project        -- create,delete,get,list,patch,update,watch""",
    "security.internal.openshift.io/v1": """
        rangeallocations RangeAllocation --""",
    "security.openshift.io/v1": """
        podsecuritypolicyreviews            PodSecurityPolicyReview            ns create
        podsecuritypolicyselfsubjectreviews PodSecurityPolicySelfSubjectReview ns create
        podsecuritypolicysubjectreviews     PodSecurityPolicySubjectReview     ns create""",
    "user.openshift.io/v1": """
        groups Group -- get,list,watch
        users  User  -- get,list,watch""",
}


def _with_logs(resource: Resource) -> Resource:
    """Logs of a DeploymentConfig have a kind of their own."""
    parts = [
        structs.replace(part, kind="DeploymentLog") if part.name == "log" else part for part in resource.subresources
    ]
    return structs.replace(resource, subresources=tuple(parts))


def _type_of(resource: Resource) -> str:
    return KINDS[resource.api_version][resource.kind]


RESOURCES = tuple(
    _with_logs(resource) for api_version, rows in _TABLE.items() for resource in resources_of(api_version, rows)
)
"""All of them, in the order of discovery."""
BY_KIND = {(found.api_version, found.kind): found for found in RESOURCES}
"""By the `apiVersion` and `kind` of an object."""

DESCRIBED = tuple(CustomResource(found, schema_of(_type_of(found)), strategic=True) for found in RESOURCES)
"""What OpenAPI says of each."""

_APPS = "apps.openshift.io"
STRATEGIES.update(
    {
        (_APPS, "deploymentconfigs"): deployment_configs.CONFIG,
        (_APPS, "deploymentconfigs/status"): deployment_configs.CONFIG_STATUS,
        (_APPS, "deploymentconfigs/instantiate"): deployment_configs.CONFIG_INSTANTIATE,
    }
)
