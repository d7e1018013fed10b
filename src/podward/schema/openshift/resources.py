"""The resources of OpenShift that are served beside Kubernetes' own, and how their objects are stored and checked.

Specification: openshift/openshift-apiserver, the storage of pkg/{apps,project,security,user}/apiserver. SCCs are no
row of this table: in a cluster they are a custom resource, and here too (`constraints`).
"""

from __future__ import annotations

from podward.schema.openshift import kinds  # noqa: F401 - with it the table has the types of these kinds
from podward.schema.resources import resources_of

_TABLE = {
    "apps.openshift.io/v1": """
        deploymentconfigs DeploymentConfig ns -dc +all /instantiate /log /rollback /scale /status""",
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

RESOURCES = tuple(resource for api_version, rows in _TABLE.items() for resource in resources_of(api_version, rows))
"""All of them, in the order of discovery."""
BY_KIND = {(found.api_version, found.kind): found for found in RESOURCES}
"""By the `apiVersion` and `kind` of an object."""
